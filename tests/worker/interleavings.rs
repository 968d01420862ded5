//! Three workers, one registry, and calls that fail, vanish, hang or take their time as chance has it, clocks of bodies
//! and sweeps interleaved. What must hold is judged from the outside: every write the registry accepted is compared
//! with the lease that stood stored at that instant.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use fencepost::call::Call;
use fencepost::lease::ProcessLease;
use fencepost::process::*;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, RngSeed, TestRunner};

use crate::stage::*;

#[derive(Debug, Clone)]
enum Step {
    Sweep(usize),
    Pass(u64),
    SleepThrough(u64),
    Plan { worker: usize, method: usize, nth: usize, fault: usize },
    Kill,
}

const METHODS: [&str; 7] = [
    "claim_process_lease",
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
        1 => Just(Step::Kill),
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
    let ids = ["rerunnable-1", "rerunnable-2", "bound-1", "bound-2"];
    stage.rerunnable(ids[0], crate::stage::steps(4, 400));
    stage.rerunnable(ids[1], serde_json::json!({"do": "emit"}));
    stage.owner_bound(ids[2], crate::stage::steps(4, 400));
    stage.owner_bound(ids[3], serde_json::json!({"do": "emit"}));
    let workers: Vec<_> = ["ann", "bob", "cy"].into_iter().map(|name| stage.worker(name)).collect();
    for step in steps {
        match step {
            Step::Sweep(worker) => stage.sweep(&workers[worker].0),
            Step::Pass(by_ms) => stage.pass_ms(by_ms),
            Step::SleepThrough(by_ms) => stage.sleep_through_ms(by_ms),
            Step::Plan { worker, method, nth, fault: number } => {
                workers[worker].1.plan(METHODS[method], nth, fault(number));
            }
            Step::Kill => stage.environment.drop_tasks(),
        }
    }
    // Calm: nothing more goes wrong, and whoever can finish does.
    for (_, director) in &workers {
        director.forgive();
    }
    for _ in 0..3 {
        stage.pass_ms(2 * TTL_MS);
        stage.sweep(&workers[0].0);
        stage.pass_ms(2 * TTL_MS);
    }
    for id in ids {
        let events = stage.events(id);
        let ends =
            events.iter().filter(|name| ["process.completed", "process.failed"].contains(&name.as_str()));
        assert!(ends.count() <= 1, "{id} ended twice: {events:?}");
        let record = stage.record(id);
        let may_stay =
            record.disposition() == RecoveryDisposition::OwnerBound && record.first_started.is_some();
        assert!(record.is_terminal() || may_stay, "{id} was left behind");
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
