//! The catalogue of scopes: the true system keeps every law in them, they need every disposition, body and store, and planted
//! bugs break their laws in them.

use std::collections::BTreeSet;
use std::sync::Arc;

use fencepost_sim::judge::judge;
use fencepost_sim::matrix::least_witness;
use fencepost_sim::plan::{Plan, Store};
use fencepost_sim::planted;
use fencepost_sim::prove::{ProveRequest, SmallWorld, prove_all};
use fencepost_sim::search::Conclusion;
use fencepost_sim::{Subject, prove};

#[test]
fn nothing_is_broken_where_nothing_goes_wrong() {
    let (subject, worlds) = (Subject::fencepost(), SmallWorld::catalogue());
    let result = prove_all(&ProveRequest::new(&subject, &worlds, 0), None, &mut ()).unwrap();
    assert_eq!(result.conclusion, Conclusion::Holds);
    assert!(result.statements.iter().all(|statement| statement.is_complete && statement.runs() == 1));
}

/// One deviation in every scope is for CI: `fencepost prove` in a release build.
#[test]
fn the_true_system_keeps_every_law_when_one_thing_goes_wrong() {
    for name in ["few-fences", "externally-owned", "waits-beside-the-registry"] {
        let scope = SmallWorld::find(name).unwrap();
        let shown = prove(&Subject::fencepost(), &scope, 1).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(shown.is_complete && shown.runs() > 1_000, "{name}: {}", shown.runs());
    }
}

#[test]
fn together_the_scopes_need_every_disposition_body_and_store() {
    let worlds = SmallWorld::catalogue();
    let steps: Vec<String> =
        worlds.iter().flat_map(|world| &world.plan.steps).map(ToString::to_string).collect();
    let has = |words: &str| steps.iter().any(|step| step.contains(words));
    for words in [
        " rerunnable ",
        " owner-bound ",
        " externally-owned ",
        " steps of ",
        " emits of ",
        " waits",
        " awaits ",
        " until cancelled",
        " panics",
        " breaks",
        "cancel p",
        "signal p",
        "abandon p",
        "drain ",
        "prune",
        "grant p",
        "transfer p",
        "wakes p",
        "await p1 at registry",
        "ask ",
    ] {
        assert!(has(words), "no scope has `{words}`");
    }
    let stores: BTreeSet<&str> = worlds.iter().map(|world| world.plan.store.name()).collect();
    assert_eq!(stores, BTreeSet::from([Store::Memory.name(), Store::Sqlite.name()]));
}

#[test]
fn a_planted_bug_has_a_witness_that_is_a_plan_and_breaks_the_law_that_must_break() {
    for (name, deviations) in [("renewals-add-up", 0), ("reclaim-whoever-holds", 1), ("renew-at-expiry", 1)] {
        let bug = planted::by_name(name).unwrap();
        let least = least_witness(bug, 1, 200, None).unwrap_or_else(|panicked| panic!("{panicked:?}"));
        let found = least.found.unwrap_or_else(|| panic!("{name} has no witness"));
        assert_eq!((found.deviations, found.steps.len()), (deviations, deviations), "{name}: {found:?}");
        assert!((1..=3).contains(&found.plan_steps), "{name}: {found:?}");
        let scope = SmallWorld::find(&found.scope).unwrap();
        let mut plan = Plan::clone(&scope.plan);
        plan.steps.extend(found.steps.iter().map(|line| line.parse().unwrap()));
        let plan: Plan = plan.to_string().parse().unwrap();
        assert!(judge(&Arc::new(plan.clone()), &bug.subject()).breaks(bug.law), "{name}");
        assert_eq!(judge(&Arc::new(plan), &Subject::fencepost()).broken(), None, "{name}");
    }
}

#[test]
fn a_proof_in_a_test_fails_with_the_small_plan_of_the_broken_law() {
    let bug = planted::by_name("second-terminal").unwrap();
    let error = prove(&bug.subject(), &SmallWorld::find("few-fences").unwrap(), 1).unwrap_err();
    let broken = error.broken().unwrap_or_else(|| panic!("{error}"));
    assert!(broken.plan.steps.len() <= 3, "{}", broken.plan);
    assert!(broken.to_string().contains("replay it:"), "{broken}");
}

/// A subject is not judged by laws that it does not claim.
#[test]
fn another_subject_is_judged_by_what_it_claims() {
    let bug = planted::by_name("same-token").unwrap();
    let scope = SmallWorld::find("infrastructure-fails").unwrap();
    assert_eq!(prove(&bug.subject(), &scope, 0).unwrap_err().law(), Some("tokens-are-drawn"));
    let modest = bug.subject().without_claiming(&["tokens-are-drawn"]);
    let shown = prove(&modest, &scope, 0).unwrap();
    assert!(!shown.not_reached.contains(&"tokens-are-drawn"));
}
