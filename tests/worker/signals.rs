//! Bodies that wait: for signals, for other processes, and without a permit meanwhile.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fencepost::environment::{Environment, before};
use fencepost::model::process::*;
use fencepost::testing::block_on;
use fencepost::testing::manual_environment::HandEnvironment;
use fencepost::work::engine::{InfrastructureFailure, InputKind, ProcessContext, ProcessEngine};
use serde_json::json;

use crate::stage::*;

#[test]
pub fn a_parent_that_awaits_its_child_does_not_block_it_with_a_bound_of_one() {
    let stage = Stage::new();
    stage.rerunnable("a parent", json!({"do": "await child", "child": "b child"}));
    stage.rerunnable("b child", nothing());
    let (worker, _) = stage.worker_with("ann", |config| config.max_concurrent_runs = 1);
    stage.sweep(&worker);
    stage.pass_ms(2_000);
    let child = ProcessAwaitOutput::Success { value: json!("done") };
    assert_eq!(stage.output("a parent"), success(json!({ "child": child })));
}

#[test]
pub fn a_parent_keeps_its_lease_while_it_waits() {
    let stage = Stage::new();
    stage.rerunnable("parent", json!({"do": "await child", "child": "child"}));
    stage.register("child", RecoveryDisposition::ExternallyOwned, nothing());
    let (worker, _) = stage.worker_with("ann", |config| config.max_concurrent_runs = 1);
    stage.sweep(&worker);
    stage.pass_ms(5 * TTL_MS);
    assert_eq!(stage.lease("parent").unwrap().fencing_token, 1);
    let output = ProcessAwaitOutput::Success { value: json!(7) };
    block_on(stage.registry.complete_process("child", output.clone())).unwrap();
    stage.pass_ms(1_100);
    assert_eq!(stage.output("parent"), success(json!({ "child": output })));
}

#[test]
pub fn the_nth_wait_on_a_name_takes_the_nth_signal() {
    let stage = Stage::new();
    stage.rerunnable("p", json!({"do": "two signals"}));
    let signal = |payload| {
        let request = fencepost::model::event::ProcessEventAppendRequest::new("signal.go", payload);
        block_on(stage.registry.append_event("p", request)).unwrap();
    };
    signal(json!("first"));
    let (worker, _) = stage.worker("ann");
    stage.sweep(&worker);
    let wait = stage.record("p").wait.expect("it waits for the second");
    let WaitKind::Signal { name, ordinal, event_type, .. } = wait.kind;
    assert_eq!((name.as_str(), ordinal, event_type.as_str()), ("go", 2, "signal.go"));
    stage.pass_ms(10_000);
    assert!(stage.lease("p").is_some(), "it keeps its lease while it waits");
    signal(json!("second"));
    stage.pass_ms(1_100);
    assert_eq!(stage.output("p"), success(json!(["first", "second"])));
    assert_eq!(stage.record("p").wait, None);
    let expected = [
        "signal.go",
        "process.started",
        "process.waiting",
        "signal.go",
        "process.resumed",
        "process.completed",
    ];
    assert_eq!(stage.events("p"), expected);
}

#[test]
pub fn a_body_that_gives_up_on_a_wait_goes_on_only_within_the_bound() {
    let stage = Stage::new();
    stage.register("never", RecoveryDisposition::ExternallyOwned, nothing());
    stage.rerunnable("a", json!({"do": "wait briefly"}));
    stage.rerunnable("b", steps(3, 400));
    let (worker, _) = stage.worker_with("ann", |config| config.max_concurrent_runs = 1);
    stage.sweep(&worker);
    assert_eq!((stage.bodies_begun("a"), stage.bodies_begun("b")), (1, 1), "a waits, so b may run");
    stage.pass_ms(1_150);
    assert_eq!(stage.output("a"), None, "its own second was over at 1,100, but b still ran");
    stage.pass_ms(100);
    assert!(stage.output("b").is_some());
    assert_eq!(stage.output("a"), success(json!("went on")));
}

#[test]
pub fn a_wait_that_an_earlier_attempt_left_is_not_shown_once_its_signal_is_found() {
    let stage = Stage::new();
    stage.rerunnable("p", json!({"do": "signal then sleep"}));
    let (gone, _) = stage.worker("gone");
    stage.sweep(&gone);
    assert!(stage.record("p").wait.is_some());
    stage.environment.drop_tasks();
    let request = fencepost::model::event::ProcessEventAppendRequest::new("signal.go", json!(1));
    block_on(stage.registry.append_event("p", request)).unwrap();
    stage.sleep_through_ms(TTL_MS);
    let (worker, _) = stage.worker("ann");
    stage.sweep(&worker);
    assert_eq!((stage.output("p"), stage.record("p").wait), (None, None), "it goes on, and waits for nobody");
    stage.pass_ms(1_000);
    assert_eq!(stage.output("p"), success(json!("went on")));
}

#[test]
pub fn two_waits_at_once_on_one_name_take_two_signals() {
    for before in [0, 1, 2] {
        let stage = Stage::new();
        stage.rerunnable("p", json!({"do": "two signals at once"}));
        let signal = |number: u64| {
            let request = fencepost::model::event::ProcessEventAppendRequest::new("signal.go", json!(number));
            block_on(stage.registry.append_event("p", request)).unwrap();
        };
        (1..=before).for_each(signal);
        let (worker, _) = stage.worker("ann");
        stage.sweep(&worker);
        for number in before + 1..=2 {
            assert_eq!(stage.output("p"), None);
            assert!(stage.record("p").wait.is_some(), "one of them still waits");
            signal(number);
            stage.pass_ms(1_100);
        }
        assert_eq!(stage.output("p"), success(json!([1, 2])), "{before} were there before");
        assert_eq!(stage.record("p").wait, None);
    }
}

/// Gives up on a signal, and ticks on.
struct TicksOn(HandEnvironment);

#[async_trait]
impl ProcessEngine for TicksOn {
    async fn run(&self, context: ProcessContext<'_>) -> Result<ProcessAwaitOutput, InfrastructureFailure> {
        let until = self.0.monotonic() + Duration::from_millis(200);
        drop(before(until, &self.0, context.wait_for_signal("go")).await);
        for _ in 0..20 {
            self.0.sleep(Duration::from_millis(100)).await;
        }
        Ok(ProcessAwaitOutput::Success { value: json!("ticked on") })
    }
}

#[test]
fn a_wait_that_was_given_up_is_cleared_by_one_call_however_long_it_takes() {
    let stage = Stage::new();
    stage.rerunnable("p", nothing());
    let (worker, director) = stage.worker_with("ann", |config| {
        let ticks_on = TicksOn(stage.environment.clone());
        config.engines.insert(InputKind::Engine("body".into()), Arc::new(ticks_on));
    });
    director.plan("clear_process_wait_with_lease", 1, Fault::AnswersAfter(750));
    stage.sweep(&worker);
    stage.pass_ms(5_000);
    assert_eq!((stage.output("p"), stage.record("p").wait), (success(json!("ticked on")), None));
    assert_eq!(director.made("clear_process_wait_with_lease"), 1);
}

/// Nobody is given a permit any more, so nobody has to wait for one.
#[test]
fn a_body_whose_wait_ends_while_its_worker_drains_goes_on() {
    let stage = Stage::new();
    stage.rerunnable("parent", json!({"do": "await child", "child": "child"}));
    stage.register("child", RecoveryDisposition::ExternallyOwned, nothing());
    let (worker, _) = stage.worker_with("ann", |config| config.max_concurrent_runs = 1);
    stage.sweep(&worker);
    assert_eq!(stage.environment.run(worker.drain_owner_bound_work()), Some(vec![]));
    let output = ProcessAwaitOutput::Success { value: json!(7) };
    block_on(stage.registry.complete_process("child", output.clone())).unwrap();
    stage.pass_ms(1_100);
    assert_eq!(stage.output("parent"), success(json!({ "child": output })));
}
