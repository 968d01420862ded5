//! The cost of a sweep, in calls.

use fencepost::model::process::RecoveryDisposition::Rerunnable;
use fencepost::testing::block_on;
use serde_json::json;

use crate::stage::*;

const PROCESSES: usize = 10_000;

#[test]
fn a_process_of_no_work_costs_three_writes_and_two_reads() {
    let stage = Stage::new();
    for number in 0..PROCESSES {
        stage.register(&format!("p{number:05}"), Rerunnable, nothing());
    }
    let (worker, director) = stage.worker("ann");
    stage.sweep(&worker);
    let open = block_on(stage.registry.list_non_terminal()).unwrap();
    assert!(open.is_empty(), "{} are left", open.len());
    let reads = ["read_process", "events_after", "get_process_lease", "get_process"];
    let made = director.all_made();
    let (reads, writes): (Vec<&str>, Vec<&str>) = made
        .into_iter()
        .filter(|method| *method != "list_non_terminal")
        .partition(|method| reads.contains(method));
    assert!(writes.len() <= 3 * PROCESSES, "{} writes", writes.len());
    assert!(reads.len() <= 2 * PROCESSES, "{} reads", reads.len());
    assert_eq!(director.made("list_non_terminal"), 1);
}

#[test]
fn a_sweep_over_rows_that_others_hold_costs_a_list_and_a_claim_a_row() {
    let stage = Stage::new();
    for number in 0..PROCESSES {
        let id = format!("p{number:05}");
        stage.register(&id, Rerunnable, json!({"do": "nothing"}));
        stage.claim_as(&id, "bob").unwrap();
    }
    let (worker, director) = stage.worker("ann");
    stage.sweep(&worker);
    let made = director.all_made();
    assert_eq!(made.len(), 1 + PROCESSES);
    assert_eq!(director.made("claim_process_lease"), PROCESSES);
}
