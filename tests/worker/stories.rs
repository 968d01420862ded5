//! Stories of a worker, from its sweep to the stored outcome. Each test is one sentence.

use std::sync::Arc;

use fencepost::RegistryError;
use fencepost::model::lease::LeaseOwnerIdentity;
use fencepost::model::process::*;
use fencepost::rules::worker::WorkerRules;
use fencepost::testing::block_on;
use fencepost::testing::manual_environment::HandEnvironment;
use fencepost::work::cancellation::CancellationToken;
use fencepost::work::engine::ProcessExecutionContext;
use serde_json::json;

use crate::stage::*;

pub fn abandoned_by(stage: &Stage, id: &str) -> Option<AbandonWriter> {
    match stage.output(id) {
        Some(ProcessAwaitOutput::Abandoned { evidence }) => Some(evidence.writer),
        _ => None,
    }
}

fn failure_class(stage: &Stage, id: &str) -> String {
    match stage.output(id) {
        Some(ProcessAwaitOutput::Failure { class, .. }) => class,
        other => panic!("expected a failure, got {other:?}"),
    }
}

pub fn request_abandon(stage: &Stage, id: &str) {
    let request = AbandonRequest { requested_by: "host".into(), requested_at_ms: 0, reason: None };
    block_on(stage.registry.request_process_abandon(id, request)).unwrap();
}

#[test]
pub fn a_sweep_runs_what_is_pending_to_its_end() {
    let stage = Stage::new();
    stage.rerunnable("p", steps(2, 100));
    stage.owner_bound("q", nothing());
    let (worker, director) = stage.worker("ann");
    stage.sweep(&worker);
    stage.pass_ms(500);
    assert_eq!(stage.output("p"), success(json!({"by fence": 1})));
    assert_eq!(stage.output("q"), success(json!("done")));
    assert_eq!(stage.events("p"), ["process.started", "process.completed"]);
    assert_eq!(director.made("complete_process_lease"), 0, "a body that had an outcome is not released");
}

#[test]
pub fn a_worker_that_sleeps_through_its_lease_cannot_complete() {
    let stage = Stage::new();
    stage.rerunnable("p", steps(1, 500));
    let (worker, director) = stage.worker("ann");
    stage.sweep(&worker);
    stage.sleep_through_ms(TTL_MS);
    let bobs = stage.claim_as("p", "bob").expect("the lease has expired");
    stage.pass_ms(10_000);
    assert_eq!(stage.output("p"), None);
    assert_eq!(director.made("complete_process_with_lease"), 0);
    assert_eq!(director.made("renew_process_lease"), 0, "nothing is asked under a lease that is lost");
    assert_eq!(director.made("complete_process_lease"), 0, "not even a release");
    assert_eq!(stage.lease("p"), Some(bobs));
}

#[test]
pub fn a_worker_whose_completion_is_on_its_way_while_its_lease_passes_on_is_refused() {
    let stage = Stage::new();
    stage.rerunnable("p", nothing());
    let (worker, director) = stage.worker("ann");
    director.plan("complete_process_with_lease", 1, Fault::ArrivesAfter(TTL_MS + 1));
    stage.sweep(&worker);
    stage.sleep_through_ms(TTL_MS);
    stage.claim_as("p", "bob").expect("the lease has expired");
    stage.pass_ms(10_000);
    assert_eq!(stage.output("p"), None);
}

#[test]
pub fn an_emission_that_answers_superseded_ends_the_attempt_at_once() {
    let stage = Stage::new();
    stage.rerunnable("p", json!({"do": "emit"}));
    let (worker, director) = stage.worker("ann");
    stage.sweep(&worker);
    let held = stage.lease("p").unwrap();
    block_on(stage.registry.complete_process_lease(&held.completion())).unwrap();
    stage.pass_ms(5_000);
    assert_eq!(director.made("append_event_with_lease"), 2, "one before the loss, one that was told of it");
    assert_eq!((stage.output("p"), director.made("complete_process_with_lease")), (None, 0));
    assert_eq!((director.made("renew_process_lease"), director.made("complete_process_lease")), (0, 0));
}

#[test]
pub fn a_process_that_ended_between_list_and_claim_is_not_run() {
    let stage = Stage::new();
    stage.rerunnable("p", nothing());
    let (worker, director) = stage.worker("ann");
    let registry = Arc::clone(&stage.registry);
    let ends_it = move || {
        let owner = LeaseOwnerIdentity::opaque("bob", "bob-1");
        let claimed = block_on(registry.claim_process_lease("p", &owner, TTL_MS));
        let Ok(fencepost::model::lease::ProcessLeaseClaimOutcome::Acquired(lease)) = claimed else { return };
        let output = ProcessAwaitOutput::Success { value: json!("bob's") };
        block_on(registry.complete_process_with_lease(&lease, output)).unwrap();
    };
    director.plan("claim_process_lease", 1, Fault::First(Arc::new(ends_it)));
    stage.sweep(&worker);
    assert_eq!((stage.bodies_begun("p"), stage.output("p")), (0, success(json!("bob's"))));
    assert_eq!(director.made("read_process"), 0);
}

#[test]
pub fn an_owner_bound_process_that_started_between_list_and_claim_is_not_run_again() {
    let stage = Stage::new();
    stage.owner_bound("p", nothing());
    let (worker, director) = stage.worker("ann");
    let registry = Arc::clone(&stage.registry);
    let starts_it = move || {
        let owner = LeaseOwnerIdentity::opaque("bob", "bob-1");
        let claimed = block_on(registry.claim_process_lease("p", &owner, TTL_MS));
        let Ok(fencepost::model::lease::ProcessLeaseClaimOutcome::Acquired(lease)) = claimed else { return };
        let started = ProcessStarted { owner, started_at_ms: 0 };
        block_on(registry.record_first_started_with_lease(&lease, started)).unwrap();
        block_on(registry.complete_process_lease(&lease.completion())).unwrap();
    };
    director.plan("claim_process_lease", 1, Fault::First(Arc::new(starts_it)));
    stage.sweep(&worker);
    assert_eq!((stage.bodies_begun("p"), stage.output("p"), stage.lease("p")), (0, None, None));
}

#[test]
pub fn another_disposition_between_list_and_claim_is_obeyed() {
    let stage = Stage::new();
    stage.rerunnable("p", nothing());
    let (worker, director) = stage.worker("ann");
    let registry = Arc::clone(&stage.registry);
    let reborn = move || {
        let owner = LeaseOwnerIdentity::opaque("bob", "bob-1");
        let claimed = block_on(registry.claim_process_lease("p", &owner, TTL_MS));
        let Ok(fencepost::model::lease::ProcessLeaseClaimOutcome::Acquired(lease)) = claimed else { return };
        let output = ProcessAwaitOutput::Success { value: json!(1) };
        block_on(registry.complete_process_with_lease(&lease, output)).unwrap();
        block_on(registry.prune_terminal_processes(u64::MAX)).unwrap();
        let external = registration("p", RecoveryDisposition::ExternallyOwned, nothing());
        block_on(registry.register_process(external)).unwrap();
    };
    director.plan("claim_process_lease", 1, Fault::First(Arc::new(reborn)));
    stage.sweep(&worker);
    assert_eq!((stage.bodies_begun("p"), stage.lease("p")), (0, None));
}

#[test]
pub fn a_failed_read_after_the_claim_runs_nothing_and_leaves_the_row_free() {
    for fault in [Fault::Fails, Fault::LostBefore] {
        let stage = Stage::new();
        stage.rerunnable("p", nothing());
        let (worker, director) = stage.worker("ann");
        director.plan("read_process", 1, fault);
        stage.sweep(&worker);
        assert_eq!((stage.bodies_begun("p"), stage.lease("p")), (0, None));
        assert_eq!(director.made("record_first_started_with_lease"), 0);
        stage.sweep(&worker);
        assert_eq!(stage.output("p"), success(json!("done")));
    }
}

#[test]
pub fn an_unknown_first_start_is_settled_and_runs_an_owner_bound_body_once() {
    for fault in [Fault::LostAfter, Fault::LostBefore] {
        let stage = Stage::new();
        stage.owner_bound("p", nothing());
        let (worker, director) = stage.worker("ann");
        director.plan("record_first_started_with_lease", 1, fault);
        stage.sweep(&worker);
        stage.pass_ms(1_000);
        assert_eq!((stage.output("p"), stage.bodies_begun("p")), (success(json!("done")), 1));
    }
}

#[test]
pub fn an_infrastructure_failure_leaves_the_row_claimable() {
    for what in ["infrastructure", "fail to prepare"] {
        let stage = Stage::new();
        stage.rerunnable("p", json!({ "do": what }));
        let (worker, director) = stage.worker("ann");
        stage.sweep(&worker);
        assert_eq!((stage.output("p"), stage.lease("p")), (None, None));
        assert_eq!(
            (director.made("complete_process_lease"), director.made("complete_process_with_lease")),
            (1, 0)
        );
        assert!(stage.claim_as("p", "bob").is_some());
    }
}

#[test]
pub fn what_can_fail_without_the_work_comes_before_the_first_start() {
    let stage = Stage::new();
    stage.owner_bound("p", json!({"do": "fail to prepare"}));
    let mut unknown = registration("q", RecoveryDisposition::OwnerBound, nothing());
    unknown.input = ProcessInput::ToolCall { tool: "grep".into(), arguments: json!({}) };
    block_on(stage.registry.register_process(unknown)).unwrap();
    let (worker, director) = stage.worker("ann");
    stage.sweep(&worker);
    assert_eq!(director.made("record_first_started_with_lease"), 0);
    assert!(
        ["p", "q"].iter().all(|id| stage.record(id).first_started.is_none() && stage.lease(id).is_none())
    );
}

#[test]
pub fn a_body_that_panics_fails_and_so_does_one_that_calls_itself_abandoned() {
    let stage = Stage::new();
    stage.rerunnable("panics", json!({"do": "panic"}));
    stage.rerunnable("gives up", json!({"do": "abandon"}));
    let (worker, _) = stage.worker("ann");
    stage.sweep(&worker);
    assert_eq!(failure_class(&stage, "panics"), "panic");
    match stage.output("panics") {
        Some(ProcessAwaitOutput::Failure { message, .. }) => assert_eq!(message, "the body gave up"),
        other => panic!("{other:?}"),
    }
    assert_eq!(failure_class(&stage, "gives up"), "abandoned_by_body");
}

#[test]
pub fn an_outcome_that_cannot_be_stored_is_a_failure_that_says_so() {
    let stage = Stage::new();
    stage.rerunnable("p", json!({"do": "unstorable"}));
    let (worker, _) = stage.worker("ann");
    stage.sweep(&worker);
    assert_eq!(failure_class(&stage, "p"), "invalid_output");
}

#[test]
pub fn rows_run_side_by_side_up_to_the_bound() {
    let stage = Stage::new();
    for id in ["a", "b", "c", "d", "e"] {
        stage.rerunnable(id, steps(1, 1_000));
    }
    let (worker, director) = stage.worker_with("ann", |config| config.max_concurrent_runs = 3);
    stage.sweep(&worker);
    assert_eq!(stage.bodies_begun.lock().unwrap().len(), 3);
    assert_eq!(director.made("claim_process_lease"), 3, "no idle lease is held");
    stage.sweep(&worker);
    assert_eq!(director.made("claim_process_lease"), 3, "what waits for its turn is not swept twice");
    stage.pass_ms(2_500);
    assert!(["a", "b", "c", "d", "e"].iter().all(|id| stage.record(id).is_terminal()));
}

#[test]
pub fn emissions_whose_answers_are_lost_are_stored_once() {
    let stage = Stage::new();
    stage.rerunnable("p", json!({"do": "emit"}));
    let (worker, director) = stage.worker("ann");
    director.plan("append_event_with_lease", 1, Fault::LostAfter);
    director.plan("append_event_with_lease", 3, Fault::LostBefore);
    stage.sweep(&worker);
    stage.pass_ms(2_000);
    assert_eq!(stage.output("p"), success(json!("emitted")));
    assert_eq!(
        stage.events("p"),
        ["process.started", "progress", "progress", "progress", "process.completed"]
    );
}

/// Leaves an owner-bound process started by a worker that is gone; answers the starter.
fn started_and_gone(stage: &Stage) -> LeaseOwnerIdentity {
    stage.owner_bound("p", steps(1, 100_000));
    let (gone, _) = stage.worker("gone");
    stage.sweep(&gone);
    let starter = stage.record("p").first_started.expect("it started").owner;
    stage.environment.drop_tasks();
    starter
}

#[test]
pub fn a_started_owner_bound_row_with_a_dead_holder_is_abandoned_with_the_evidence() {
    for wait_ms in [0, TTL_MS + 1] {
        let stage = Stage::new();
        let starter = started_and_gone(&stage);
        stage.environment.declare_dead(&starter);
        stage.sleep_through_ms(wait_ms);
        let (worker, _) = stage.worker("ann");
        stage.sweep(&worker);
        match stage.output("p") {
            Some(ProcessAwaitOutput::Abandoned { evidence }) => {
                assert_eq!((evidence.writer, evidence.owner), (AbandonWriter::Sweep, Some(starter)));
            }
            other => panic!("swept {wait_ms} ms later: {other:?}"),
        }
        assert_eq!(stage.bodies_begun("p"), 1);
    }
}

#[test]
pub fn time_alone_abandons_nothing() {
    let stage = Stage::new();
    started_and_gone(&stage);
    let (worker, _) = stage.worker("ann");
    for _ in 0..10 {
        stage.pass_ms(10 * TTL_MS);
        stage.sweep(&worker);
    }
    assert_eq!((stage.output("p"), stage.lease("p"), stage.bodies_begun("p")), (None, None, 1));
}

#[test]
pub fn a_later_holders_death_proves_nothing_about_the_starter() {
    let stage = Stage::new();
    started_and_gone(&stage);
    stage.sleep_through_ms(TTL_MS);
    let later = stage.claim_as("p", "bob").unwrap();
    stage.environment.declare_dead(&later.owner);
    let (worker, director) = stage.worker("ann");
    stage.sweep(&worker);
    assert_eq!(director.made("reclaim_process_lease"), 1);
    assert_eq!((stage.output("p"), stage.lease("p")), (None, None));
}

#[test]
pub fn a_requested_abandonment_is_settled_once_the_lease_has_lapsed() {
    let stage = Stage::new();
    started_and_gone(&stage);
    request_abandon(&stage, "p");
    let (worker, _) = stage.worker("ann");
    stage.sweep(&worker);
    assert_eq!(abandoned_by(&stage, "p"), None, "the starter's lease still lives");
    stage.sleep_through_ms(TTL_MS);
    stage.sweep(&worker);
    assert_eq!(abandoned_by(&stage, "p"), Some(AbandonWriter::ReconciledRequest));
}

#[test]
pub fn an_externally_owned_row_is_claimed_only_to_settle_a_request() {
    let stage = Stage::new();
    stage.register("x", RecoveryDisposition::ExternallyOwned, nothing());
    let (worker, director) = stage.worker("ann");
    stage.sweep(&worker);
    assert_eq!(director.made("claim_process_lease"), 0);
    request_abandon(&stage, "x");
    stage.sweep(&worker);
    assert_eq!(abandoned_by(&stage, "x"), Some(AbandonWriter::ReconciledRequest));
    assert_eq!(stage.bodies_begun("x"), 0);
}

#[test]
pub fn a_live_holder_that_is_dead_is_reclaimed_and_a_busy_one_is_left() {
    let stage = Stage::new();
    stage.rerunnable("p", nothing());
    let held = stage.claim_as("p", "bob").unwrap();
    let (worker, director) = stage.worker("ann");
    stage.sweep(&worker);
    assert_eq!((stage.output("p"), director.made("reclaim_process_lease")), (None, 0));
    stage.environment.declare_dead(&held.owner);
    director.plan("reclaim_process_lease", 1, Fault::LostAfter);
    stage.sweep(&worker);
    stage.pass_ms(500);
    assert_eq!(stage.output("p"), success(json!("done")), "an unknown reclaim is asked for again as a claim");
    assert_eq!(director.made("reclaim_process_lease"), 1);
}

#[test]
pub fn every_attempt_is_an_incarnation_of_its_own() {
    let stage = Stage::new();
    stage.rerunnable("p", json!({"do": "infrastructure"}));
    let (worker, _) = stage.worker("ann");
    stage.sweep(&worker);
    let first = stage.record("p").first_started.unwrap().owner;
    stage.rerunnable("q", steps(1, 1_000));
    stage.sweep(&worker);
    let second = stage.lease("q").unwrap().owner;
    assert_eq!((first.owner_id.as_str(), second.owner_id.as_str()), ("ann", "ann"));
    assert_ne!(first.incarnation_id, second.incarnation_id);
}

#[test]
pub fn cancel_reaches_a_running_body_and_one_that_starts_later() {
    let stage = Stage::new();
    stage.rerunnable("running", json!({"do": "until cancelled"}));
    let (worker, _) = stage.worker("ann");
    stage.sweep(&worker);
    let cancel = |id: &str| block_on(worker.request_process_cancel(id, Some("enough".into()))).unwrap();
    cancel("running");
    stage.environment.settle();
    assert_eq!(stage.record("running").status.name(), "cancelled", "in the same instant, by the hub");
    stage.rerunnable("later", json!({"do": "until cancelled"}));
    cancel("later");
    cancel("later");
    assert_eq!(stage.events("later"), ["process.cancel_requested"], "one reason is one request");
    block_on(worker.request_process_cancel("later", None)).unwrap();
    assert_eq!(stage.events("later").len(), 2);
    stage.sweep(&worker);
    assert_eq!(stage.record("later").status.name(), "cancelled");
}

#[test]
pub fn a_cancel_by_another_node_reaches_the_body_by_backoff() {
    let stage = Stage::new();
    stage.rerunnable("p", json!({"do": "until cancelled"}));
    let (worker, _) = stage.worker("ann");
    stage.sweep(&worker);
    stage.pass_ms(10_000);
    let (elsewhere, _) = stage.worker("bob");
    block_on(elsewhere.request_process_cancel("p", None)).unwrap();
    stage.pass_ms(1_000);
    assert_eq!(stage.record("p").status.name(), "cancelled");
}

pub fn run(
    stage: &Stage,
    id: &str,
    worker: &fencepost::worker::DurableProcessWorker,
) -> Result<ProcessAwaitOutput, RegistryError> {
    let registration = registration(id, RecoveryDisposition::Rerunnable, nothing());
    let run = worker.run_process(registration, ProcessExecutionContext::default(), CancellationToken::new());
    stage.environment.run(run).expect("it ends")
}

#[test]
pub fn run_process_registers_runs_and_answers_the_stored_outcome_again() {
    let stage = Stage::new();
    let (worker, director) = stage.worker("ann");
    let done = ProcessAwaitOutput::Success { value: json!("done") };
    assert_eq!(run(&stage, "p", &worker), Ok(done.clone()));
    assert_eq!(run(&stage, "p", &worker), Ok(done));
    assert_eq!((stage.bodies_begun("p"), director.made("claim_process_lease")), (1, 1));
}

#[test]
pub fn run_process_of_a_held_row_answers_superseded() {
    let stage = Stage::new();
    stage.rerunnable("p", nothing());
    stage.claim_as("p", "bob").unwrap();
    let (worker, _) = stage.worker("ann");
    assert!(matches!(
        run(&stage, "p", &worker),
        Err(RegistryError::LeaseSuperseded { current_fence: 1, .. })
    ));
}

#[test]
pub fn run_process_of_an_externally_owned_row_is_an_error_and_registers_nothing() {
    let stage = Stage::new();
    let (worker, director) = stage.worker("ann");
    let external = registration("x", RecoveryDisposition::ExternallyOwned, nothing());
    let run = worker.run_process(external, ProcessExecutionContext::default(), CancellationToken::new());
    let refused = stage.environment.run(run).unwrap();
    assert!(matches!(refused, Err(RegistryError::InvalidArgument { .. })));
    assert_eq!(director.all_made(), Vec::<&str>::new());
}

#[test]
pub fn run_process_hands_the_callers_token_to_the_body() {
    let stage = Stage::new();
    let (worker, _) = stage.worker("ann");
    let token = CancellationToken::new();
    token.cancel();
    let registration = registration("p", RecoveryDisposition::Rerunnable, json!({"do": "until cancelled"}));
    let run = worker.run_process(registration, ProcessExecutionContext::default(), token);
    let ended = stage.environment.run(run).unwrap().unwrap();
    assert!(matches!(ended, ProcessAwaitOutput::Cancelled { .. }));
}

#[test]
pub fn a_run_that_is_dropped_leaves_no_trace_in_the_worker() {
    let stage = Stage::new();
    let (worker, _) = stage.worker_with("ann", |config| config.max_concurrent_runs = 1);
    {
        let registration = registration("p", RecoveryDisposition::Rerunnable, steps(1, 1_000));
        let mut run = Box::pin(worker.run_process(
            registration,
            ProcessExecutionContext::default(),
            CancellationToken::new(),
        ));
        let mut task = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(run.as_mut().poll(&mut task).is_pending());
    }
    stage.sleep_through_ms(TTL_MS);
    stage.sweep(&worker);
    stage.pass_ms(1_100);
    assert_eq!(stage.output("p"), success(json!({"by fence": 2})));
}

#[test]
pub fn an_effect_of_a_stale_attempt_is_refused_outside() {
    let stage = Stage::new();
    stage.rerunnable("p", steps(3, 100));
    // Two faults at once: this worker does not look at its deadline, and its renewals are lost.
    let careless = WorkerRules { may_act: |_, _, _| true, ..WorkerRules::LAWFUL };
    let (slow, director) = stage.worker_with("slow", |config| config.rules = careless);
    director.plan("renew_process_lease", 1, Fault::LostBefore);
    stage.sweep(&slow);
    stage.sleep_through_ms(TTL_MS);
    let (quick, _) = stage.worker("quick");
    stage.environment.run(quick.drive_pending_processes()).unwrap().unwrap();
    stage.pass_ms(5_000);
    let fences: Vec<u64> = stage.ledger.taken().iter().map(|(_, fence, _)| *fence).collect();
    assert!(fences.windows(2).all(|pair| pair[0] <= pair[1]), "{fences:?}");
    assert_eq!(stage.output("p"), success(json!({"by fence": 2})));
}

/// Two guards stand before a second owner-bound body: the read under the lease and the first start itself. This worker
/// leaves the first one out.
#[test]
pub fn a_first_start_that_was_taken_stops_an_owner_bound_body_by_itself() {
    let stage = Stage::new();
    started_and_gone(&stage);
    stage.sleep_through_ms(TTL_MS);
    let (hasty, _) = stage.worker_with("hasty", |config| {
        config.rules.after_claim =
            |answer, again, is_dead| match fencepost::rules::worker::after_claim(answer, again, is_dead) {
                fencepost::rules::worker::NextStep::Read => fencepost::rules::worker::NextStep::Start,
                next => next,
            };
    });
    stage.sweep(&hasty);
    assert_eq!((stage.bodies_begun("p"), stage.lease("p")), (1, None));
}

/// The registry's clock runs ahead: it passes the lease on while its holder, by its own clock, still holds it.
#[test]
pub fn a_first_start_that_is_refused_runs_nothing() {
    for disposition in [RecoveryDisposition::Rerunnable, RecoveryDisposition::OwnerBound] {
        let stage = Stage::new();
        stage.register("p", disposition, nothing());
        let (worker, director) = stage.worker("ann");
        let (environment, registry) = (stage.environment.clone(), Arc::clone(&stage.registry));
        let passes_on = move || {
            use fencepost::Environment;
            environment.set_wall(environment.now_epoch_ms() + TTL_MS);
            let bob = LeaseOwnerIdentity::opaque("bob", "bob-1");
            block_on(registry.claim_process_lease("p", &bob, TTL_MS)).unwrap();
        };
        director.plan("record_first_started_with_lease", 1, Fault::First(Arc::new(passes_on)));
        stage.sweep(&worker);
        assert_eq!(stage.bodies_begun("p"), 0);
        assert_eq!(director.made("complete_process_lease"), 0);
    }
}

/// The worker's probe and the registry's look from different machines.
#[test]
pub fn a_reclaim_that_the_registry_refuses_is_not_asked_for_again() {
    let stage = Stage::new();
    stage.rerunnable("p", nothing());
    let held = stage.claim_as("p", "bob").unwrap();
    let far = HandEnvironment::at_epoch_ms(1_000_000);
    far.declare_dead(&held.owner);
    let (worker, director) = stage.worker_with("ann", |config| config.environment = Arc::new(far.clone()));
    far.run(worker.drive_pending_processes()).unwrap().unwrap();
    far.pass(std::time::Duration::from_secs(1));
    assert_eq!(director.all_made(), ["list_non_terminal", "claim_process_lease", "reclaim_process_lease"]);
    assert_eq!(stage.lease("p"), Some(held));
}

#[test]
pub fn a_task_that_is_dropped_before_its_first_poll_leaves_its_row_to_the_next_sweep() {
    let stage = Stage::new();
    stage.rerunnable("p", nothing());
    let (worker, _) = stage.worker("ann");
    block_on(worker.drive_pending_processes()).unwrap();
    stage.environment.drop_tasks();
    stage.sweep(&worker);
    assert_eq!(stage.output("p"), success(json!("done")));
}

#[test]
pub fn an_engine_that_panics_in_prepare_leaves_the_row_free() {
    let stage = Stage::new();
    stage.rerunnable("p", json!({"do": "panic in prepare"}));
    let (worker, director) = stage.worker("ann");
    stage.sweep(&worker);
    assert_eq!((stage.output("p"), stage.lease("p")), (None, None));
    assert_eq!(director.made("record_first_started_with_lease"), 0);
}

#[test]
pub fn a_cancel_request_concerns_one_process_and_not_its_callers_other_runs() {
    let stage = Stage::new();
    let (worker, _) = stage.worker("ann");
    let token = CancellationToken::new();
    for id in ["p", "q"] {
        let registration =
            registration(id, RecoveryDisposition::Rerunnable, json!({"do": "until cancelled"}));
        let (worker, token) = (worker.clone(), token.clone());
        fencepost::Environment::spawn(
            &stage.environment,
            Box::pin(async move {
                drop(worker.run_process(registration, ProcessExecutionContext::default(), token).await);
            }),
        );
    }
    stage.environment.settle();
    block_on(worker.request_process_cancel("p", None)).unwrap();
    stage.environment.settle();
    assert_eq!((stage.record("p").status.name(), stage.record("q").status.name()), ("cancelled", "running"));
    assert!(!token.is_cancelled());
    token.cancel();
    stage.environment.settle();
    assert_eq!(stage.record("q").status.name(), "cancelled");
}

/// The licence that a settlement had when it was decided is gone when it arrives.
#[test]
pub fn a_settlement_that_is_refused_is_no_failure_of_the_process() {
    let stage = Stage::new();
    stage.register("x", RecoveryDisposition::ExternallyOwned, nothing());
    request_abandon(&stage, "x");
    let (worker, director) = stage.worker("ann");
    let registry = Arc::clone(&stage.registry);
    let reborn = move || {
        block_on(registry.complete_process("x", ProcessAwaitOutput::Success { value: json!(1) })).unwrap();
        block_on(registry.prune_terminal_processes(u64::MAX)).unwrap();
        let again = registration("x", RecoveryDisposition::ExternallyOwned, nothing());
        block_on(registry.register_process(again)).unwrap();
    };
    director.plan("complete_process_with_lease", 1, Fault::First(Arc::new(reborn)));
    stage.sweep(&worker);
    assert_eq!((stage.output("x"), director.made("complete_process_with_lease")), (None, 1));
}
