//! The cards of all laws: each law can be looked up, claims its planted bugs, and answers for every event it hears.

use std::collections::BTreeSet;
use std::sync::Arc;

use fencepost_sim::history::event::{Event, EventKind, NO_PROCESS, Witness};
use fencepost_sim::judge::judge;
use fencepost_sim::laws::{self, CARDS, Finding, LawCard, Laws};
use fencepost_sim::plan::{Plan, Store};
use fencepost_sim::planted;
use fencepost_sim::subject::Subject;

#[test]
fn every_law_has_a_name_of_its_own_and_a_sentence() {
    let names: BTreeSet<&str> = CARDS.iter().map(|card| card.name).collect();
    assert_eq!(names.len(), CARDS.len());
    for card in CARDS {
        assert!(card.sentence.len() > 30, "{}", card.name);
        assert_eq!(laws::card(card.name).map(|found| found.name), Some(card.name));
    }
    assert!(laws::card("no-such-law").is_none());
}

#[test]
fn every_planted_bug_is_claimed_by_exactly_one_law() {
    for planted in planted::all() {
        let claiming: Vec<&str> =
            CARDS.iter().filter(|card| card.catches.contains(&planted.name)).map(|card| card.name).collect();
        assert_eq!(claiming, [planted.law], "{}", planted.name);
    }
}

#[test]
fn every_law_claims_a_planted_bug_and_only_planted_bugs_that_exist() {
    let known: BTreeSet<&str> = planted::all().map(|planted| planted.name).collect();
    for card in CARDS {
        assert!(!card.catches.is_empty(), "{} claims no planted bug", card.name);
        for name in card.catches {
            assert!(known.contains(name), "{} claims `{name}`, which nobody planted", card.name);
        }
    }
}

/// Laws about nodes are judged even where the disk may lie.
#[test]
fn a_plan_whose_disk_lies_about_syncs_is_judged_by_the_laws_that_need_no_disk() {
    let mut plan = Plan { store: Store::Sqlite, ..Plan::quiet(1) };
    plan.steps = ["0ms register p1 rerunnable 2 steps of 100ms", "0ms disk lies about syncs for 5s"]
        .map(|line| line.parse().unwrap())
        .to_vec();
    let verdict = judge(&Arc::new(plan), &Subject::fencepost());
    let judged: Vec<&str> = verdict
        .findings
        .iter()
        .filter(|judged| judged.finding == Finding::Holds)
        .map(|judged| judged.law)
        .collect();
    assert_eq!(judged, ["tokens-are-drawn", "lost-means-silent", "calls-apply-once", "nobody-panics"]);
    assert_eq!(verdict.undecided().count(), verdict.findings.len() - judged.len());
}

/// Events of a kind with small numbers in them: those that an event file may hold.
fn samples(kind: EventKind) -> Vec<Event> {
    let numbers = (0..24).chain([256, 257, 258, 1 << 12]);
    let pairs = numbers.flat_map(|a| (0..24).map(move |b| (a, b)));
    let events = pairs.flat_map(|(a, b)| {
        [1, NO_PROCESS].map(|process| {
            serde_json::json!({
                "at_us": 1_000, "clock": 1_000, "a": a, "b": b, "grant": 0, "process": process, "node": 1, "kind": kind,
            })
        })
    });
    events.filter_map(|event| serde_json::from_value(event).ok()).collect()
}

/// A kind that a card lists and the law does not match would panic here.
#[test]
fn every_law_answers_for_every_event_it_hears() {
    let kinds: BTreeSet<EventKind> = CARDS.iter().flat_map(|card: &&LawCard| card.hears).copied().collect();
    for kind in kinds {
        let samples = samples(kind);
        assert!(!samples.is_empty(), "{kind:?}");
        for event in samples {
            Laws::new(&Plan::quiet(0)).see(&event);
        }
    }
}
