//! Stories that show the purpose of the harness: each is a plan that a person can read, played against the true system or
//! against one with a planted bug.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use fencepost::rules::worker::{self, BodyEnd, NextStep, WorkerRules};
use fencepost_sim::generate::generate;
use fencepost_sim::history::event::{EventKind, What};
use fencepost_sim::judge::{judge, record};
use fencepost_sim::plan::chance::Seed;
use fencepost_sim::plan::{Plan, Store};
use fencepost_sim::planted;
use fencepost_sim::regressions;
use fencepost_sim::search::{SeededPlans, verdicts};
use fencepost_sim::shrink::shrink;
use fencepost_sim::subject::Subject;
use fencepost_sim::timeline::text;

pub fn plan(steps: &[&str]) -> Arc<Plan> {
    let steps = steps.iter().map(|line| line.parse().unwrap()).collect();
    Arc::new(Plan { steps, ..Plan::quiet(1) })
}

/// The reference pages' own protocol renews as a check and then writes unfenced. Between the two its lease can pass on.
#[test]
fn the_reference_protocol_lets_a_stale_writer_write_and_the_true_system_does_not() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../regressions/stale-writer-refused-renew-then-write.toml");
    let (plan, _) = regressions::load(&path).unwrap();
    let plan = Arc::new(plan);

    let reference = planted::by_name("renew-then-write").unwrap().subject();
    let broken = judge(&plan, &reference).broken().expect("the protocol has a hole");
    assert_eq!(broken.law, "stale-writer-refused");
    insta::assert_snapshot!("the_hole", text::draw(&record(&plan, &reference), Some(&broken)));

    let lawful = judge(&plan, &Subject::fencepost());
    assert_eq!(lawful.broken(), None);
    insta::assert_snapshot!("the_lawful_twin", text::draw(&record(&plan, &Subject::fencepost()), None));
}

/// A registry that takes a renewal at its word would end the lease of a worker that checked it with less.
#[test]
fn the_reference_protocol_checks_a_lease_with_what_its_worker_asks_for() {
    let reference = planted::by_name("renew-then-write").unwrap().subject();
    let plan = plan(&["0ms register p1 rerunnable 2 emits of 10ms"]);
    let asked: Vec<u64> = record(&plan, &reference)
        .events
        .iter()
        .filter_map(|event| match event.what() {
            What::Renewed { asked_ms, .. } => Some(asked_ms),
            _ => None,
        })
        .collect();
    assert_eq!(asked, [plan.ttl_ms; 3]);
}

#[test]
fn the_true_system_breaks_no_law_and_every_law_meets_its_situation() {
    let mut checked = std::collections::BTreeMap::new();
    for (seeds, store) in [(0..400, Store::Memory), (0..60, Store::Sqlite)] {
        let subject = Subject::fencepost();
        let plans = SeededPlans { store, ..SeededPlans::of(&subject) };
        verdicts(seeds, &plans, 2, |seed, verdict| {
            assert_eq!(
                (verdict.broken(), verdict.undecided().next()),
                (None, None),
                "seed {seed} on {store:?}"
            );
            for judged in verdict.findings {
                *checked.entry(judged.law).or_insert(0) += judged.checked;
            }
            ControlFlow::Continue(())
        });
    }
    let never: Vec<_> = checked.iter().filter(|(_, times)| **times == 0).collect();
    assert!(checked.len() >= 10 && never.is_empty(), "never met: {never:?}");
}

#[test]
fn what_breaks_is_shrunk_to_a_few_steps_that_still_break_it() {
    let reference = planted::by_name("renew-at-expiry").unwrap();
    let subject = reference.subject();
    let seed = (0..200)
        .find(|seed| judge(&Arc::new(generate(Seed(*seed), Store::Memory)), &subject).breaks(reference.law))
        .unwrap();
    let plan = generate(Seed(seed), Store::Memory);
    let shrunk = shrink(&plan, &subject, reference.law, 3_000, &mut |_| {});
    assert!(shrunk.plan.steps.len() < plan.steps.len() && shrunk.plan.steps.len() <= 6, "{}", shrunk.plan);
    // From its file, as a reader of it would.
    let written: Plan = shrunk.plan.to_string().parse().unwrap();
    assert!(judge(&Arc::new(written), &subject).breaks(reference.law));
}

/// A worker that begins its body again and again, within one poll, as long as its lease lasts.
fn runs_in_circles() -> Subject {
    fn again(end: BodyEnd) -> NextStep {
        match end {
            BodyEnd::Panicked { .. } => NextStep::Run,
            end => worker::after_body(end),
        }
    }
    let attempt_rules = WorkerRules { after_body: again, ..WorkerRules::LAWFUL };
    Subject { name: "runs in circles", attempt_rules, ..Subject::fencepost() }
}

#[test]
fn a_livelock_ends_with_a_verdict_and_not_with_a_hang() {
    let plan = plan(&["0ms register p1 rerunnable panics"]);
    let verdict = judge(&plan, &runs_in_circles());
    assert_eq!(verdict.broken().map(|broken| broken.law), Some("calm-ends-everything"));
    let history = record(&plan, &runs_in_circles());
    assert!(history.events.iter().any(|event| event.kind() == EventKind::Exhausted));
    assert_eq!(judge(&plan, &Subject::fencepost()).broken(), None);
}

#[test]
fn a_body_that_nobody_lets_end_is_no_breach_until_it_is_asked_to() {
    for body in ["waits", "until cancelled", "awaits p2"] {
        let steps = [&format!("0ms register p1 rerunnable {body}"), "0ms register p2 externally-owned waits"];
        let verdict = judge(&plan(&steps), &Subject::fencepost());
        assert_eq!(verdict.broken(), None, "{body}");
    }
}

/// It releases its lease instead of storing the outcome.
#[test]
fn a_worker_that_never_completes_is_caught_by_the_calm() {
    let attempt_rules = WorkerRules { after_body: |_| NextStep::Release, ..WorkerRules::LAWFUL };
    let subject = Subject { name: "never completes", attempt_rules, ..Subject::fencepost() };
    let verdict = judge(&plan(&["0ms register p1 rerunnable 1 steps of 10ms"]), &subject);
    assert!(verdict.breaks("calm-ends-everything") && verdict.breaks("outcomes-are-not-dropped"));
}
