//! Three workers, one registry, and calls that fail, vanish, hang or take their time as chance has it, clocks of bodies
//! and sweeps interleaved. What must hold is judged from the outside: every write the registry accepted is compared
//! with the lease that stood stored at that instant.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use fencepost::model::lease::ProcessLease;
use fencepost::model::process::*;
use fencepost::registry::calls::Call;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, RngSeed, TestRunner};

use crate::stage::*;

#[derive(Debug, Clone)]
enum Step {
    Sweep(usize),
    Pass(u64),
    SleepThrough(u64),
    Plan {
        worker: usize,
        method: usize,
        nth: usize,
        fault: usize,
    },
    Signal,
    /// Every worker's tasks are dropped.
    Kill,
    /// Kills the worker as `Kill` does, and the probe can prove it.
    KillForAllToSee,
    Drain(usize),
}

const METHODS: [&str; 10] = [
    "claim_process_lease",
    "reclaim_process_lease",
    "set_process_wait_with_lease",
    "clear_process_wait_with_lease",
    "read_process",
    "record_first_started_with_lease",
    "renew_process_lease",
    "append_event_with_lease",
    "complete_process_with_lease",
    "complete_process_lease",
];

fn fault(number: usize) -> Fault {
    match number {
        0 => Fault::Fails,
        1 => Fault::LostBefore,
        2 => Fault::LostAfter,
        3 => Fault::HangsBefore,
        4 => Fault::HangsAfter,
        5 => Fault::AnswersAfter(900),
        6 => Fault::AnswersAfter(TTL_MS),
        7 => Fault::ArrivesAfter(1_200),
        _ => Fault::ArrivesAfter(TTL_MS + 200),
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (0..3_usize).prop_map(Step::Sweep),
        5 => (1..1_500_u64).prop_map(Step::Pass),
        2 => prop_oneof![Just(TTL_MS - 1), Just(TTL_MS), Just(TTL_MS + 1), 1..2_000_u64].prop_map(Step::SleepThrough),
        6 => (0..3_usize, 0..METHODS.len(), 1..4_usize, 0..9_usize)
            .prop_map(|(worker, method, nth, fault)| Step::Plan { worker, method, nth, fault }),
        2 => Just(Step::Signal),
        1 => Just(Step::Kill),
        1 => Just(Step::KillForAllToSee),
        1 => (0..3_usize).prop_map(Step::Drain),
    ];
    prop::collection::vec(step, 10..60)
}

/// The grant a call presents, when it is a write that belongs to the executor.
fn presented(call: &Call) -> Option<&ProcessLease> {
    match call {
        Call::CompleteProcessWithLease { lease, .. }
        | Call::AppendEventWithLease { lease, .. }
        | Call::RecordFirstStartedWithLease { lease, .. }
        | Call::SetProcessWaitWithLease { lease, .. }
        | Call::ClearProcessWaitWithLease { lease } => Some(lease),
        _ => None,
    }
}

/// A call of a host about the process that waits. It is refused once the process has ended.
fn signal(stage: &Stage) {
    let request = fencepost::model::event::ProcessEventAppendRequest::new("signal.go", serde_json::json!(1));
    drop(fencepost::testing::block_on(stage.registry.append_event("waiting", request)));
}

type Tally = BTreeMap<&'static str, u64>;

fn play(steps: Vec<Step>) -> Tally {
    let tally = Arc::new(Mutex::new(Tally::new()));
    let judge = {
        let tally = Arc::clone(&tally);
        move |call: &Call,
              before: &Option<ProcessLease>,
              was_terminal: bool,
              now_ms: u64,
              was_accepted: bool| {
            let Some(lease) = presented(call) else { return };
            let is_live = before.as_ref().is_some_and(|held| {
                (held.fencing_token, &held.lease_token, &held.owner)
                    == (lease.fencing_token, &lease.lease_token, &lease.owner)
                    && now_ms < held.expires_at_epoch_ms
            });
            let outcome = match (was_accepted, is_live) {
                (true, true) => "accepted",
                // An applied completion repeated by the grant that made it.
                (true, false) if was_terminal && matches!(call, Call::CompleteProcessWithLease { .. }) => {
                    "repeated"
                }
                (true, false) => {
                    panic!("accepted from a stale grant at {now_ms}: {call:?}, stored {before:?}")
                }
                (false, true) => "refused a live grant",
                (false, false) => "refused a stale grant",
            };
            *tally.lock().unwrap().entry(outcome).or_insert(0) += 1;
        }
    };
    let stage = Stage::judged(Arc::new(judge));
    let ids = ["rerunnable-1", "rerunnable-2", "bound-1", "bound-2", "waiting"];
    stage.rerunnable(ids[0], crate::stage::steps(4, 400));
    stage.rerunnable(ids[1], serde_json::json!({"do": "emit"}));
    stage.owner_bound(ids[2], crate::stage::steps(4, 400));
    stage.owner_bound(ids[3], serde_json::json!({"do": "emit"}));
    stage.rerunnable(ids[4], serde_json::json!({"do": "signal then sleep"}));
    let mut drained = Vec::new();
    let workers: Vec<_> = ["ann", "bob", "cy"].into_iter().map(|name| stage.worker(name)).collect();
    for step in steps {
        match step {
            Step::Sweep(worker) => stage.sweep(&workers[worker].0),
            Step::Pass(by_ms) => stage.pass_ms(by_ms),
            Step::SleepThrough(by_ms) => stage.sleep_through_ms(by_ms),
            Step::Plan { worker, method, nth, fault: number } => {
                workers[worker].1.plan(METHODS[method], nth, fault(number));
            }
            Step::Signal => signal(&stage),
            Step::Kill => stage.environment.drop_tasks(),
            Step::KillForAllToSee => {
                stage.environment.drop_tasks();
                for id in ids {
                    let starter = stage.record(id).first_started.map(|started| started.owner);
                    let holder = stage.lease(id).map(|lease| lease.owner);
                    starter.into_iter().chain(holder).for_each(|dead| stage.environment.declare_dead(&dead));
                }
            }
            Step::Drain(worker) => {
                let reported = stage.environment.run(workers[worker].0.drain_owner_bound_work());
                drained.extend(reported.expect("a drain ends"));
            }
        }
    }
    // Calm: nothing more goes wrong, and whoever can finish does.
    for (_, director) in &workers {
        director.forgive();
    }
    let (calm, _) = stage.worker("dee");
    signal(&stage);
    for _ in 0..3 {
        stage.pass_ms(2 * TTL_MS);
        stage.sweep(&calm);
        stage.pass_ms(2 * TTL_MS);
    }
    for id in ["bound-1", "bound-2"] {
        let reports = drained.iter().filter(|reported| *reported == id).count();
        let is_owner_drain = matches!(stage.output(id), Some(ProcessAwaitOutput::Abandoned { evidence })
            if evidence.writer == AbandonWriter::OwnerDrain);
        assert!(reports <= usize::from(is_owner_drain), "{id} was reported {reports} times");
    }
    for id in ids {
        let events = stage.events(id);
        let terminal = ["completed", "failed", "cancelled", "abandoned"];
        let ends = events
            .iter()
            .filter(|name| name.strip_prefix("process.").is_some_and(|kind| terminal.contains(&kind)));
        assert!(ends.count() <= 1, "{id} ended twice: {events:?}");
        let record = stage.record(id);
        let may_stay =
            record.disposition() == RecoveryDisposition::OwnerBound && record.first_started.is_some();
        assert!(record.is_terminal() || may_stay, "{id} was left behind");
        assert!(!record.is_terminal() || record.wait.is_none(), "{id} has ended and waits");
        if record.disposition() == RecoveryDisposition::OwnerBound {
            assert!(stage.bodies_begun(id) <= 1, "{id} began twice");
            assert!(stage.bodies_begun(id) == 0 || record.first_started.is_some());
        }
        let progress = events.iter().filter(|name| *name == "progress").count();
        assert!(progress <= 3 * stage.bodies_begun(id), "{id} has more events than its bodies emitted");
    }
    let of = |id: &str| {
        let taken = stage.ledger.taken_of(id);
        assert!(taken.windows(2).all(|pair| pair[0] <= pair[1]), "effects of {id} out of order: {taken:?}");
    };
    ids.iter().for_each(|id| of(id));
    std::mem::take(&mut *tally.lock().unwrap())
}

#[test]
fn random_interleavings_keep_one_outcome_no_stale_write_and_one_owner_bound_start() {
    let total = std::cell::RefCell::new(Tally::new());
    let config = ProptestConfig {
        cases: 400,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(0x1ea5e),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let ran = TestRunner::new(config).run(&steps(), |steps| {
        for (outcome, times) in play(steps) {
            *total.borrow_mut().entry(outcome).or_insert(0) += times;
        }
        Ok(())
    });
    if let Err(failure) = ran {
        panic!("{failure}");
    }
    let total = total.into_inner();
    for outcome in ["accepted", "repeated", "refused a stale grant"] {
        assert!(total.contains_key(outcome), "never met: {outcome}; met: {total:?}");
    }
}
