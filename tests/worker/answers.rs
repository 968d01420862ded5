//! The worker's reaction to each answer that a registry may give: to refusals it cannot mend, of failures that are
//! nobody's word, and of the difference between the two.

use std::future::Future;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use fencepost::RegistryError;
use fencepost::environment::Environment;
use fencepost::model::event::ProcessEventAppendRequest;
use fencepost::model::handle::SessionScope;
use fencepost::model::process::*;
use fencepost::rules::worker::{self, BodyEnd, NextStep, WorkerRules};
use fencepost::testing::block_on;
use fencepost::testing::manual_environment::HandEnvironment;
use fencepost::work::cancellation::CancellationToken;
use fencepost::work::effect::{EffectController, EffectError, NoEffects};
use fencepost::work::engine::{
    InfrastructureFailure, InputKind, ProcessContext, ProcessEngine, ProcessExecutionContext,
};
use serde_json::json;

use crate::stage::*;
use crate::stories::{request_abandon, run};

fn not_storable() -> Fault {
    Fault::Answers(RegistryError::invalid("output.value", "nothing of the kind is stored here"))
}

#[test]
fn a_claim_that_failed_is_left_to_the_next_sweep() {
    let stage = Stage::new();
    stage.rerunnable("p", nothing());
    let (worker, director) = stage.worker("ann");
    director.plan("claim_process_lease", 1, Fault::Fails);
    stage.sweep(&worker);
    stage.pass_ms(2 * TTL_MS);
    assert_eq!((director.made("claim_process_lease"), stage.output("p")), (1, None));
    stage.sweep(&worker);
    assert_eq!(stage.output("p"), success(json!("done")));
}

/// The second time it is the worker's own words that were refused: there is nothing left to say.
#[test]
fn an_outcome_that_is_refused_twice_is_not_sent_a_third_time() {
    let stage = Stage::new();
    stage.rerunnable("p", nothing());
    let (worker, director) = stage.worker("ann");
    director.plan("complete_process_with_lease", 1, not_storable());
    director.plan("complete_process_with_lease", 2, not_storable());
    stage.sweep(&worker);
    stage.pass_ms(TTL_MS - 1);
    assert_eq!((director.made("complete_process_with_lease"), stage.output("p")), (2, None));
    assert_eq!(director.made("complete_process_lease"), 0, "its body had an outcome");
}

#[test]
fn a_settlement_that_cannot_be_stored_is_no_failure_and_leaves_the_row_free() {
    let stage = Stage::new();
    stage.register("x", RecoveryDisposition::ExternallyOwned, nothing());
    request_abandon(&stage, "x");
    let (worker, director) = stage.worker("ann");
    director.plan("complete_process_with_lease", 1, not_storable());
    stage.sweep(&worker);
    assert_eq!((stage.output("x"), director.made("complete_process_with_lease")), (None, 1));
    assert_eq!(stage.lease("x"), None);
}

/// An outcome is worth any patience; a settlement anybody can make, later.
#[test]
fn a_settlement_whose_store_fails_for_a_ttl_is_left_to_others() {
    let stage = Stage::new();
    stage.register("x", RecoveryDisposition::ExternallyOwned, nothing());
    request_abandon(&stage, "x");
    let (worker, director) = stage.worker("ann");
    for nth in 1..1_000 {
        director.plan("complete_process_with_lease", nth, Fault::Fails);
    }
    stage.sweep(&worker);
    stage.pass_ms(TTL_MS - 1);
    assert!(stage.lease("x").is_some(), "it tries for a ttl");
    stage.pass_ms(RENEW_MS);
    assert_eq!((stage.lease("x"), director.made("complete_process_lease")), (None, 1));
    let tried = director.made("complete_process_with_lease");
    stage.pass_ms(10 * TTL_MS);
    assert_eq!(director.made("complete_process_with_lease"), tried);
}

#[test]
fn run_process_says_why_a_first_start_failed() {
    let stage = Stage::new();
    let (worker, director) = stage.worker("ann");
    director.plan("record_first_started_with_lease", 1, Fault::Fails);
    let answer = run(&stage, "p", &worker);
    assert!(matches!(answer, Err(RegistryError::Backend { .. })), "{answer:?}");
    assert_eq!((stage.bodies_begun("p"), stage.lease("p")), (0, None));
}

/// An outcome that was never sent is not unknown, whatever became of the first start.
#[test]
fn run_process_calls_nothing_unknown_that_it_did_not_send() {
    let stage = Stage::new();
    let (worker, director) = stage.worker("ann");
    for nth in 1..1_000 {
        director.plan("record_first_started_with_lease", nth, Fault::LostBefore);
        director.plan("renew_process_lease", nth, Fault::LostBefore);
    }
    let answer = run(&stage, "p", &worker);
    assert!(matches!(answer, Err(RegistryError::LeaseSuperseded { .. })), "{answer:?}");
}

#[test]
fn run_process_answers_with_what_somebody_else_made_of_it_meanwhile() {
    let stage = Stage::new();
    let (worker, director) = stage.worker("ann");
    director.plan("complete_process_with_lease", 1, Fault::First(overtaken_by_bob(&stage)));
    assert_eq!(run(&stage, "p", &worker).ok(), success(json!("bob's")));
}

/// Refused calls reach the body that made them; it is the failures that are tried again.
struct EmitsWhatIsNotDeclared;

#[async_trait]
impl ProcessEngine for EmitsWhatIsNotDeclared {
    async fn run(&self, context: ProcessContext<'_>) -> Result<ProcessAwaitOutput, InfrastructureFailure> {
        let refused = context.emit(ProcessEventAppendRequest::new("undeclared", json!(1))).await;
        let value = json!(matches!(refused, Err(RegistryError::UndeclaredEventType { .. })));
        Ok(ProcessAwaitOutput::Success { value })
    }
}

#[test]
fn a_body_hears_of_a_refusal_and_not_of_a_failure() {
    let stage = Stage::new();
    stage.rerunnable("p", nothing());
    let (worker, director) = stage.worker_with("ann", |config| {
        config.engines.insert(InputKind::Engine("body".into()), Arc::new(EmitsWhatIsNotDeclared));
    });
    director.plan("append_event_with_lease", 1, Fault::Fails);
    stage.sweep(&worker);
    stage.pass_ms(1_000);
    assert_eq!(stage.output("p"), success(json!(true)));
    assert_eq!(director.made("append_event_with_lease"), 2);
}

#[test]
fn a_look_for_a_cancel_request_that_failed_is_made_again() {
    for fault in [Fault::Fails, Fault::LostBefore, Fault::HangsBefore] {
        let stage = Stage::new();
        stage.rerunnable("p", json!({"do": "until cancelled"}));
        let (worker, director) = stage.worker("ann");
        director.plan("events_after", 1, fault);
        stage.sweep(&worker);
        block_on(worker.request_process_cancel("p", None)).unwrap();
        stage.pass_ms(2_000);
        assert_eq!(stage.record("p").status.name(), "cancelled");
    }
}

#[test]
fn a_look_for_a_cancel_request_that_is_refused_is_the_last() {
    let stage = Stage::new();
    stage.rerunnable("p", steps(1, 10_000));
    let (worker, director) = stage.worker("ann");
    director.plan("events_after", 1, Fault::Answers(RegistryError::unknown("p")));
    stage.sweep(&worker);
    stage.pass_ms(9_000);
    assert_eq!(director.made("events_after"), 1);
}

/// The caller's values and the row, as the body sees them.
struct Describes;

#[async_trait]
impl ProcessEngine for Describes {
    async fn run(&self, context: ProcessContext<'_>) -> Result<ProcessAwaitOutput, InfrastructureFailure> {
        let scope = context.execution().scope.as_ref().map(|scope| scope.session_id.clone());
        let has_started = context.record().first_started.is_some();
        let value = json!([context.process_id(), context.fence(), scope, has_started]);
        Ok(ProcessAwaitOutput::Success { value })
    }
}

#[test]
fn a_body_sees_its_row_and_its_callers_context() {
    let stage = Stage::new();
    let (worker, _) = stage.worker_with("ann", |config| {
        config.engines.insert(InputKind::Engine("body".into()), Arc::new(Describes));
    });
    let context =
        ProcessExecutionContext { scope: Some(SessionScope::session("home")), ..Default::default() };
    let registration = registration("p", RecoveryDisposition::Rerunnable, nothing());
    let run = worker.run_process(registration, context, CancellationToken::new());
    let answer = stage.environment.run(run).expect("it ends");
    assert_eq!(answer.ok(), success(json!(["p", 1, "home", true])));
}

#[test]
fn a_worker_without_effects_refuses_each_by_name() {
    let effect = fencepost::work::effect::Effect {
        process_id: "p".into(),
        key: "mail".into(),
        fence: 1,
        payload: json!(null),
    };
    let refused = block_on(NoEffects.perform(effect));
    assert!(matches!(refused, Err(EffectError::Failed { key, .. }) if key == "mail"));
}

/// Which is how the harness's planted bugs come to be seen.
#[test]
fn rules_that_go_on_without_a_lease_are_carried_out() {
    for goes_on in [
        NextStep::End { output: ProcessAwaitOutput::Success { value: json!("late") } },
        NextStep::Settle { writer: AbandonWriter::Sweep },
    ] {
        let stage = Stage::new();
        stage.rerunnable("p", steps(1, 500));
        let (worker, director) = stage.worker_with("ann", |config| {
            let after_body = if matches!(goes_on, NextStep::End { .. }) { ends_late } else { settles_late };
            config.rules = WorkerRules { after_body, ..WorkerRules::LAWFUL };
        });
        stage.sweep(&worker);
        stage.environment.advance(Duration::from_millis(TTL_MS));
        stage.pass_ms(10 * TTL_MS);
        assert_eq!(director.made("complete_process_with_lease"), 1, "{goes_on:?}");
        assert_eq!(stage.output("p"), None, "and the registry refuses it");
    }
}

fn ends_late(end: BodyEnd) -> NextStep {
    match end {
        BodyEnd::LeaseLost => NextStep::End { output: ProcessAwaitOutput::Success { value: json!("late") } },
        end => worker::after_body(end),
    }
}

fn settles_late(end: BodyEnd) -> NextStep {
    match end {
        BodyEnd::LeaseLost => NextStep::Settle { writer: AbandonWriter::Sweep },
        end => worker::after_body(end),
    }
}

#[test]
fn a_row_that_ended_before_it_was_read_under_its_lease_is_not_started() {
    let stage = Stage::new();
    stage.rerunnable("p", nothing());
    let (worker, director) = stage.worker("ann");
    director.plan("read_process", 1, Fault::First(overtaken_by_bob(&stage)));
    stage.sweep(&worker);
    stage.pass_ms(TTL_MS);
    let calls = ["list_non_terminal", "claim_process_lease", "read_process"];
    assert_eq!((director.all_made(), stage.output("p")), (calls.to_vec(), success(json!("bob's"))));
}

/// A lease that a refusal says is gone is not released: the grant may be another's by now.
#[test]
fn a_read_that_answers_a_loss_releases_nothing() {
    let stage = Stage::new();
    stage.rerunnable("p", nothing());
    let (worker, director) = stage.worker("ann");
    director.plan("read_process", 1, Fault::Answers(RegistryError::unknown("p")));
    stage.sweep(&worker);
    assert_eq!((stage.bodies_begun("p"), director.made("complete_process_lease")), (0, 0));
}

#[test]
fn a_first_start_that_is_refused_is_not_asked_about_again_after_an_unknown_one() {
    let stage = Stage::new();
    stage.owner_bound("p", nothing());
    let (worker, director) = stage.worker("ann");
    director.plan("record_first_started_with_lease", 1, Fault::LostBefore);
    let refused = RegistryError::invalid("started.owner", "is nobody we know");
    director.plan("record_first_started_with_lease", 2, Fault::Answers(refused));
    stage.sweep(&worker);
    stage.pass_ms(TTL_MS - 1);
    assert_eq!((director.made("record_first_started_with_lease"), stage.bodies_begun("p")), (2, 0));
    assert_eq!(stage.lease("p"), None);
}

/// It is not the outcome that was refused: another one would be refused like it, and so would the same again.
#[test]
fn a_completion_that_is_refused_for_anything_but_its_outcome_is_sent_once() {
    for refused in [
        RegistryError::invalid("process_id", "is nothing we store"),
        RegistryError::LeaseRequired { process_id: "p".into() },
    ] {
        let stage = Stage::new();
        stage.rerunnable("p", nothing());
        let (worker, director) = stage.worker("ann");
        director.plan("complete_process_with_lease", 1, Fault::Answers(refused));
        stage.sweep(&worker);
        stage.pass_ms(TTL_MS - 1);
        assert_eq!((director.made("complete_process_with_lease"), stage.output("p")), (1, None));
    }
}

/// Told of the loss in the middle of a poll, goes on in it.
struct GoesOnInThePollOfItsLoss(HandEnvironment);

#[async_trait]
impl ProcessEngine for GoesOnInThePollOfItsLoss {
    async fn run(&self, context: ProcessContext<'_>) -> Result<ProcessAwaitOutput, InfrastructureFailure> {
        self.0.sleep(Duration::from_millis(100)).await;
        let mut emits = Box::pin(context.emit(ProcessEventAppendRequest::new("progress", json!(1))));
        let mut acts = Box::pin(context.effects().perform("mail", json!(null)));
        let mut waits = Box::pin(context.await_process("q"));
        std::future::poll_fn(|task| {
            drop((emits.as_mut().poll(task), acts.as_mut().poll(task), waits.as_mut().poll(task)));
            Poll::<()>::Pending
        })
        .await;
        Err(InfrastructureFailure("nobody goes on here".into()))
    }
}

#[test]
fn nothing_is_started_in_the_poll_that_was_told_of_the_loss() {
    let stage = Stage::new();
    stage.rerunnable("p", nothing());
    let (worker, director) = stage.worker_with("ann", |config| {
        let engine = GoesOnInThePollOfItsLoss(stage.environment.clone());
        config.engines.insert(InputKind::Engine("body".into()), Arc::new(engine));
    });
    stage.sweep(&worker);
    let held = stage.lease("p").unwrap();
    block_on(stage.registry.complete_process_lease(&held.completion())).unwrap();
    let reads = director.made("read_process");
    stage.pass_ms(500);
    assert_eq!(director.made("append_event_with_lease"), 1, "it was told");
    assert_eq!((stage.ledger.taken(), director.made("read_process")), (vec![], reads));
}
