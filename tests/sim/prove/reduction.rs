//! The reduction, held against a naive enumeration of a tiny scope: both come to the same orders of decisions, final rows and
//! findings. A reduction that is broken on purpose comes to fewer.

use std::collections::BTreeMap;

use fencepost_sim::prove::SmallWorld;
use fencepost_sim::prove::decision_order::DecisionOrder;
use fencepost_sim::prove::explorer::Explorer;
use fencepost_sim::prove::interval::{PointRuns, Reduction};
use fencepost_sim::subject::Subject;

use super::naive::{every_line, outcomes, tiny_scope};

const FAMILIES: [&str; 12] = [
    "pause",
    "crash",
    "start late",
    "slow store",
    "failing store",
    "clock",
    "lost message",
    "late message",
    "doubled message",
    "slow link",
    "sweep",
    "old call",
];

/// Every outcome that the explorer's representatives come to, with the step of the first.
fn reduced(scope: &SmallWorld, subject: &Subject, reduction: Reduction) -> BTreeMap<u64, String> {
    let worlds = Explorer {
        subject,
        world: scope,
        reduction,
        stop: fencepost_sim::search::StopRule::Never,
        is_interrupted: &|| false,
    };
    let (_, root) = worlds.root();
    let run = worlds.record(&root);
    let mut found = BTreeMap::new();
    for point in Explorer::points_after(&run, None) {
        let runs = PointRuns { parent: &run, point: &point, subject, reduction };
        // The representatives alone are extended, so they alone count.
        for first in runs.explore(&mut |_, _| true) {
            let step = point.step(first.value).to_string();
            let plan = runs.plan(first.value);
            found.entry(super::naive::outcome(&plan, subject)).or_insert(step);
        }
    }
    found
}

fn missing<'a>(all: &'a BTreeMap<u64, String>, found: &BTreeMap<u64, String>) -> Vec<&'a String> {
    all.iter().filter(|(key, _)| !found.contains_key(key)).map(|(_, line)| line).collect()
}

fn naive(scope: &SmallWorld, subject: &Subject) -> BTreeMap<u64, String> {
    let mut all = BTreeMap::new();
    for family in FAMILIES {
        for (key, line) in outcomes(scope, subject, &every_line(scope, family)) {
            all.entry(key).or_insert(line);
        }
    }
    all
}

/// Forgets who did it: then it takes two workers for one another in the middle of a run.
fn without_nodes(order: &DecisionOrder) -> u64 {
    order.key_with(|_| 0)
}

/// Lets decisions about one process commute.
fn as_a_set(order: &DecisionOrder) -> u64 {
    let mut sorted = order.clone();
    sorted.words.sort_unstable();
    sorted.words.dedup();
    sorted.key()
}

#[test]
fn a_reduction_that_is_broken_on_purpose_leaves_something_out() {
    let (scope, subject) = (tiny_scope(), Subject::fencepost());
    let sound = reduced(&scope, &subject, Reduction::SOUND);
    for (name, broken) in [
        ("a symmetry that is none", Reduction { key: without_nodes, ..Reduction::SOUND }),
        ("a commutation that does not hold", Reduction { key: as_a_set, ..Reduction::SOUND }),
    ] {
        let found = reduced(&scope, &subject, broken);
        assert!(!missing(&sound, &found).is_empty(), "{name} leaves nothing out");
    }
}

#[test]
fn the_explorer_comes_to_everything_that_a_naive_enumeration_comes_to() {
    let (scope, subject) = (tiny_scope(), Subject::fencepost());
    let found = reduced(&scope, &subject, Reduction::SOUND);
    let all = naive(&scope, &subject);
    let missing = missing(&all, &found);
    assert!(missing.is_empty(), "{} of {}: {missing:#?}", missing.len(), all.len());
}
