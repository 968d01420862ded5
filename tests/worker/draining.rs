//! Draining: a worker that goes gives up the owner-bound work it started, and says exactly what its own writes ended.

use std::sync::Arc;

use fencepost::RegistryError;
use fencepost::driver::ProcessWorkDriver;
use fencepost::environment::Environment;
use fencepost::model::process::*;
use fencepost::testing::block_on;
use serde_json::json;

use crate::stage::*;
use crate::stories::{abandoned_by, run};

#[test]
pub fn a_drain_reports_exactly_what_it_wrote() {
    let stage = Stage::new();
    stage.owner_bound("mine", steps(1, 100_000));
    stage.rerunnable("rerunnable", steps(1, 100_000));
    stage.owner_bound("ended", nothing());
    stage.owner_bound("lapsed", steps(1, 100_000));
    stage.owner_bound("taken", steps(1, 100_000));
    let (worker, director) = stage.worker_with("ann", |config| config.max_concurrent_runs = 9);
    stage.sweep(&worker);
    stage.sleep_through_ms(TTL_MS);
    let bobs = stage.claim_as("taken", "bob").expect("ann slept through her lease");
    // All of them lapsed; one was taken by somebody else.
    stage.environment.settle();
    let drained = stage.environment.run(worker.drain_owner_bound_work()).expect("it ends");
    assert_eq!(drained, ["lapsed", "mine"]);
    for id in ["mine", "lapsed"] {
        assert_eq!(abandoned_by(&stage, id), Some(AbandonWriter::OwnerDrain), "{id}");
    }
    assert_eq!((stage.output("taken"), stage.lease("taken")), (None, Some(bobs)));
    assert_eq!(stage.output("ended"), success(json!("done")));
    assert_eq!(stage.output("rerunnable"), None);
    let made = director.made("claim_process_lease");
    stage.rerunnable("late", nothing());
    stage.sweep(&worker);
    assert_eq!(
        (director.made("claim_process_lease"), stage.bodies_begun("late")),
        (made, 0),
        "it takes no work"
    );
}

#[test]
pub fn a_drain_drops_a_running_owner_bound_body_under_its_own_grant() {
    let stage = Stage::new();
    stage.owner_bound("p", steps(100, 100));
    let (worker, director) = stage.worker("ann");
    stage.sweep(&worker);
    stage.pass_ms(250);
    let drained = stage.environment.run(worker.drain_owner_bound_work()).expect("it ends");
    assert_eq!(drained, ["p"]);
    assert_eq!(director.made("claim_process_lease"), 1, "no new claim was needed");
    let taken = stage.ledger.taken().len();
    stage.pass_ms(1_000);
    assert_eq!(stage.ledger.taken().len(), taken, "the body is gone");
    match stage.output("p") {
        Some(ProcessAwaitOutput::Abandoned { evidence }) => {
            assert_eq!(evidence.owner, stage.record("p").first_started.map(|started| started.owner));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
pub fn an_unknown_answer_while_draining_is_settled_too() {
    for lapsed in [false, true] {
        let stage = Stage::new();
        stage.owner_bound("p", steps(1, 100_000));
        let (worker, director) = stage.worker("ann");
        stage.sweep(&worker);
        if lapsed {
            stage.sleep_through_ms(TTL_MS);
            stage.environment.settle();
            director.plan("claim_process_lease", 1, Fault::LostAfter);
        }
        director.plan("complete_process_with_lease", 1, Fault::LostAfter);
        director.plan("complete_process_with_lease", 2, Fault::LostBefore);
        let drained = stage.environment.run(worker.drain_owner_bound_work()).expect("it ends");
        assert_eq!(
            (drained, abandoned_by(&stage, "p")),
            (vec!["p".to_owned()], Some(AbandonWriter::OwnerDrain))
        );
    }
}

#[test]
pub fn a_drain_takes_nothing_from_a_later_holder_dead_or_alive() {
    let stage = Stage::new();
    stage.owner_bound("p", steps(1, 100_000));
    let (worker, director) = stage.worker("ann");
    stage.sweep(&worker);
    stage.sleep_through_ms(TTL_MS);
    stage.environment.settle();
    let later = stage.claim_as("p", "bob").unwrap();
    stage.environment.declare_dead(&later.owner);
    let drained = stage.environment.run(worker.drain_owner_bound_work()).expect("it ends");
    assert_eq!((drained, director.made("reclaim_process_lease")), (vec![], 0));
    assert_eq!(stage.lease("p"), Some(later));
}

#[test]
pub fn a_drain_during_prepare_lets_nothing_start() {
    let stage = Stage::new();
    stage.owner_bound("p", json!({"do": "nothing", "prepare_ms": 500}));
    let (worker, director) = stage.worker("ann");
    stage.sweep(&worker);
    let drained = stage.environment.run(worker.drain_owner_bound_work()).expect("it ends");
    assert_eq!(drained, Vec::<String>::new());
    stage.pass_ms(5_000);
    assert_eq!((stage.bodies_begun("p"), director.made("record_first_started_with_lease")), (0, 0));
    assert_eq!(stage.lease("p"), None, "it is free for another worker");
}

#[test]
pub fn a_drain_reports_a_write_of_its_own_that_was_never_answered() {
    for lapsed in [false, true] {
        let stage = Stage::new();
        stage.owner_bound("p", steps(1, 100_000));
        let (worker, director) = stage.worker("ann");
        stage.sweep(&worker);
        if lapsed {
            stage.sleep_through_ms(TTL_MS);
            stage.environment.settle();
        }
        for nth in 1..100 {
            director.plan("complete_process_with_lease", nth, Fault::HangsAfter);
        }
        let drained = stage.environment.run(worker.drain_owner_bound_work()).expect("it ends");
        let ended = (vec!["p".to_owned()], Some(AbandonWriter::OwnerDrain));
        assert_eq!((drained, abandoned_by(&stage, "p")), ended, "lapsed: {lapsed}");
    }
}

#[test]
pub fn a_drain_does_not_report_what_somebody_else_ended() {
    let stage = Stage::new();
    stage.owner_bound("p", steps(1, 100_000));
    let (worker, _) = stage.worker("ann");
    stage.sweep(&worker);
    let starter = stage.record("p").first_started.unwrap().owner;
    stage.sleep_through_ms(TTL_MS);
    stage.environment.settle();
    stage.environment.declare_dead(&starter);
    let (other, _) = stage.worker("bob");
    stage.sweep(&other);
    assert_eq!(abandoned_by(&stage, "p"), Some(AbandonWriter::Sweep));
    assert_eq!(stage.environment.run(worker.drain_owner_bound_work()), Some(vec![]));
}

#[test]
pub fn a_drain_asks_again_for_a_row_it_could_not_read() {
    let stage = Stage::new();
    stage.owner_bound("p", steps(1, 100_000));
    let (worker, director) = stage.worker("ann");
    stage.sweep(&worker);
    stage.sleep_through_ms(TTL_MS);
    stage.environment.settle();
    director.plan("read_process", 1, Fault::Fails);
    director.plan("read_process", 2, Fault::LostBefore);
    let drained = stage.environment.run(worker.drain_owner_bound_work()).expect("it ends");
    assert_eq!((drained, abandoned_by(&stage, "p")), (vec!["p".to_owned()], Some(AbandonWriter::OwnerDrain)));
}

#[test]
pub fn a_drain_of_an_inline_drivers_worker_finds_the_drivers_work() {
    let stage = Stage::new();
    stage.owner_bound("p", steps(1, 100_000));
    let (worker, _) = stage.worker("ann");
    let driver = ProcessWorkDriver::inline(Arc::clone(&stage.registry), worker.clone());
    stage.environment.run(driver.claim_and_run_pending("a test")).unwrap().unwrap();
    stage.environment.settle();
    assert_eq!(stage.bodies_begun("p"), 1);
    let drained = stage.environment.run(worker.drain_owner_bound_work()).expect("it ends");
    assert_eq!((drained, abandoned_by(&stage, "p")), (vec!["p".to_owned()], Some(AbandonWriter::OwnerDrain)));
    stage.rerunnable("late", nothing());
    stage.environment.run(driver.claim_and_run_pending("a test")).unwrap().unwrap();
    stage.pass_ms(100);
    assert_eq!(stage.output("late"), None, "it is one worker, and it drains");
    assert!(run(&stage, "late", &worker).is_err_and(|error| !error.outcome_is_unknown()));
}

/// Bob takes what ann's worker lost, ends it, and it is pruned and registered again.
fn reborn(stage: &Stage, id: &str) {
    let bobs = stage.claim_as(id, "bob").expect("it is free");
    let output = ProcessAwaitOutput::Success { value: json!("bob's") };
    block_on(stage.registry.complete_process_with_lease(&bobs, output)).unwrap();
    block_on(stage.registry.prune_terminal_processes(u64::MAX)).unwrap();
    stage.owner_bound(id, steps(1, 100_000));
}

/// Another life of a process is another process, and another life of a worker another worker, whatever they are called.
#[test]
pub fn a_drain_neither_ends_nor_reports_what_another_worker_life_started() {
    for other in ["bob", "ann"] {
        for is_drained_by_other in [false, true] {
            let stage = Stage::new();
            stage.owner_bound("p", steps(1, 100_000));
            let (worker, _) = stage.worker("ann");
            stage.sweep(&worker);
            stage.sleep_through_ms(TTL_MS);
            stage.environment.settle();
            reborn(&stage, "p");
            let (other_life, _) = stage.worker(other);
            stage.sweep(&other_life);
            assert_eq!(stage.bodies_begun("p"), 2);
            if is_drained_by_other {
                let drained = stage.environment.run(other_life.drain_owner_bound_work());
                assert_eq!(drained, Some(vec!["p".to_owned()]));
            } else {
                stage.sleep_through_ms(TTL_MS);
                stage.environment.settle();
            }
            let before = stage.output("p");
            assert_eq!(stage.environment.run(worker.drain_owner_bound_work()), Some(vec![]), "{other}");
            assert_eq!((stage.output("p"), stage.lease("p")), (before, None));
        }
    }
}

/// The row ends after the drain has won its lease, in the wait of its read.
#[test]
pub fn a_drain_sends_nothing_for_a_row_that_ended_meanwhile() {
    let stage = Stage::new();
    stage.owner_bound("p", steps(1, 100_000));
    let (worker, director) = stage.worker("ann");
    stage.sweep(&worker);
    stage.sleep_through_ms(TTL_MS);
    stage.environment.settle();
    director.plan("read_process", 2, Fault::First(overtaken_by_bob(&stage)));
    assert_eq!(stage.environment.run(worker.drain_owner_bound_work()), Some(vec![]));
    assert_eq!(stage.output("p"), success(json!("bob's")));
    assert_eq!(director.made("complete_process_with_lease"), 0);
}

#[test]
pub fn a_drain_looks_only_at_what_may_still_be_its_own() {
    let stage = Stage::new();
    stage.owner_bound("ended here", nothing());
    stage.owner_bound("ended elsewhere", steps(1, 100_000));
    stage.owner_bound("open", steps(1, 100_000));
    let (worker, director) = stage.worker("ann");
    stage.sweep(&worker);
    stage.sleep_through_ms(TTL_MS);
    stage.environment.settle();
    let bobs = stage.claim_as("ended elsewhere", "bob").unwrap();
    let output = ProcessAwaitOutput::Success { value: json!("bob's") };
    block_on(stage.registry.complete_process_with_lease(&bobs, output)).unwrap();
    // The list of this sweep no longer shows what ended; what is still open it shows.
    stage.sweep(&worker);
    let reads = director.made("read_process");
    assert_eq!(stage.environment.run(worker.drain_owner_bound_work()), Some(vec!["open".to_owned()]));
    assert_eq!(director.made("read_process") - reads, 2, "both of `open`: before its claim, and under it");
    assert_eq!(stage.environment.run(worker.drain_owner_bound_work()), Some(vec![]), "once is enough");
    assert_eq!(director.made("read_process") - reads, 2);
}

/// A list that was asked for before a drain and answered after the drain's own write.
#[test]
pub fn a_sweep_that_a_drain_overtakes_forgets_nothing_the_drain_needs() {
    let stage = Stage::new();
    stage.owner_bound("p", steps(1, 100_000));
    let (worker, director) = stage.worker("ann");
    stage.sweep(&worker);
    stage.sleep_through_ms(TTL_MS);
    stage.environment.settle();
    director.plan("list_non_terminal", 1, Fault::ArrivesAfter(500));
    let sweeping = worker.clone();
    stage.environment.spawn(Box::pin(async move {
        sweeping.drive_pending_processes().await.expect("a list is read");
    }));
    stage.environment.settle();
    for nth in 1..100 {
        director.plan("complete_process_with_lease", nth, Fault::HangsAfter);
    }
    assert_eq!(stage.environment.run(worker.drain_owner_bound_work()), Some(vec!["p".to_owned()]));
    assert_eq!(abandoned_by(&stage, "p"), Some(AbandonWriter::OwnerDrain));
}

#[test]
pub fn a_drain_does_not_ask_again_for_a_row_whose_read_was_refused() {
    let stage = Stage::new();
    stage.owner_bound("p", steps(1, 100_000));
    let (worker, director) = stage.worker("ann");
    stage.sweep(&worker);
    stage.sleep_through_ms(TTL_MS);
    stage.environment.settle();
    director.plan("read_process", 1, Fault::Answers(RegistryError::invalid("process_id", "not today")));
    assert_eq!(stage.environment.run(worker.drain_owner_bound_work()), Some(vec![]));
    assert_eq!(director.made("read_process"), 2, "one under the first lease, and the one that was refused");
}
