//! Situations in which the harness once accused somebody innocent. No law may object to any of them.

use std::sync::Arc;

use fencepost_sim::history::event::EventKind;
use fencepost_sim::judge::{judge, record};
use fencepost_sim::plan::{Plan, Store};
use fencepost_sim::subject::Subject;

use crate::stories::plan;

/// A commit has failed, so the next call opens the file again. That call is the read of a wait beside the registry, which no
/// recorder sees, and it meets the disk call that kills.
#[test]
fn a_registry_that_dies_in_the_read_of_a_wait_beside_it_comes_back() {
    let steps = [
        "0ms register p1 rerunnable 1 steps of 1s",
        "1s await p1 at registry",
        "1s crash registry at disk call 5 for 0ms",
        "1s disk fails to sync for 1s",
    ];
    let plan = Plan {
        seed: 1_241,
        workers: "2".parse().unwrap(),
        store: Store::Sqlite,
        ..Plan::clone(&plan(&steps))
    };
    let plan = Arc::new(plan);
    let history = record(&plan, &Subject::fencepost());
    let is_dead = history.events.iter().filter(|event| event.kind() == EventKind::Crashed).count();
    assert_eq!(is_dead, 1);
    assert_eq!(judge(&plan, &Subject::fencepost()).broken(), None);
}
