//! Waits: for outcomes, for events, through a driver, beside a sink.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use fencepost::driver::{InlineProcessRunHandle, ProcessAttach, ProcessRunHandle, ProcessWorkDriver};
use fencepost::environment::Environment;
use fencepost::model::event::{CANCEL_REQUESTED, ProcessEvent, ProcessEventAppendRequest};
use fencepost::model::process::*;
use fencepost::registry::watched::{ProcessEventSink, watch_process_registry_with_sink};
use fencepost::testing::block_on;
use fencepost::{ProcessRegistry, RegistryError};
use serde_json::json;

use crate::stage::*;

type Heard<T> = Arc<Mutex<Option<(u64, Result<T, RegistryError>)>>>;

/// Waits in a task of its own; holds the answer and the millisecond it came in.
fn outcome_of(stage: &Stage, driver: &ProcessWorkDriver, id: &'static str) -> Heard<ProcessAwaitOutput> {
    let heard: Heard<ProcessAwaitOutput> = Arc::default();
    let (driver, environment, answer) = (driver.clone(), stage.environment.clone(), Arc::clone(&heard));
    stage.environment.spawn(Box::pin(async move {
        let output = driver.await_terminal(id).await;
        *answer.lock().unwrap() = Some((environment.now_epoch_ms(), output));
    }));
    stage.environment.settle();
    heard
}

fn driver(stage: &Stage) -> ProcessWorkDriver {
    let (worker, _) = stage.worker("ann");
    ProcessWorkDriver::new(Arc::clone(&stage.registry), Arc::new(InlineProcessRunHandle::new(worker)))
}

fn external(stage: &Stage, id: &str) {
    stage.register(id, RecoveryDisposition::ExternallyOwned, nothing());
}

fn ended() -> ProcessAwaitOutput {
    ProcessAwaitOutput::Success { value: json!(1) }
}

#[test]
fn await_returns_at_once_for_a_finished_process() {
    let stage = Stage::new();
    external(&stage, "x");
    block_on(stage.registry.complete_process("x", ended())).unwrap();
    let heard = outcome_of(&stage, &driver(&stage), "x");
    assert_eq!(*heard.lock().unwrap(), Some((1_000_000, Ok(ended()))));
}

#[test]
fn a_waiter_on_the_writers_own_hub_answers_in_the_millisecond_of_the_tick() {
    let stage = Stage::new();
    external(&stage, "x");
    let driver = driver(&stage);
    let heard = outcome_of(&stage, &driver, "x");
    stage.pass_ms(777);
    block_on(driver.process_registry().complete_process("x", ended())).unwrap();
    stage.environment.settle();
    assert_eq!(*heard.lock().unwrap(), Some((1_000_777, Ok(ended()))));
}

#[test]
fn a_missed_tick_costs_a_second_at_most() {
    let stage = Stage::new();
    external(&stage, "x");
    let heard = outcome_of(&stage, &driver(&stage), "x");
    stage.pass_ms(60_000);
    block_on(stage.registry.complete_process("x", ended())).unwrap();
    stage.environment.settle();
    assert_eq!(*heard.lock().unwrap(), None, "the write was elsewhere: no tick");
    stage.pass_ms(1_000);
    assert!(heard.lock().unwrap().is_some());
}

#[test]
fn a_wait_reads_at_25_ms_doubling_to_a_second_and_again_after_a_tick() {
    let stage = Stage::new();
    external(&stage, "x");
    let (worker, director) = stage.worker("ann");
    let watched: Arc<dyn ProcessRegistry> = Arc::new(fencepost::registry::calls::Facade(director.clone()));
    let driver = ProcessWorkDriver::new(watched, Arc::new(InlineProcessRunHandle::new(worker)));
    outcome_of(&stage, &driver, "x");
    let mut read_at = Vec::new();
    let mut count = director.made("read_process");
    for ms in 1..=4_000_u64 {
        stage.pass_ms(1);
        if ms == 2_000 {
            driver.change_hub().tick("x");
            stage.environment.settle();
        }
        if director.made("read_process") > count {
            count = director.made("read_process");
            read_at.push(ms);
        }
    }
    assert_eq!(read_at, [25, 75, 175, 375, 775, 1_575, 2_000, 2_025, 2_075, 2_175, 2_375, 2_775, 3_575]);
}

#[test]
fn an_unknown_process_is_an_error_and_a_waiter_of_a_pruned_one_gets_it_too() {
    let stage = Stage::new();
    let driver = driver(&stage);
    let heard = outcome_of(&stage, &driver, "nobody");
    assert!(matches!(*heard.lock().unwrap(), Some((_, Err(RegistryError::UnknownProcess { .. })))));
    external(&stage, "x");
    let heard = outcome_of(&stage, &driver, "x");
    stage.pass_ms(5_000);
    block_on(stage.registry.complete_process("x", ended())).unwrap();
    block_on(stage.registry.prune_terminal_processes(u64::MAX)).unwrap();
    stage.pass_ms(1_100);
    assert!(matches!(*heard.lock().unwrap(), Some((_, Err(RegistryError::UnknownProcess { .. })))));
}

#[test]
fn a_read_that_failed_is_a_reason_to_wait() {
    let stage = Stage::new();
    external(&stage, "x");
    block_on(stage.registry.complete_process("x", ended())).unwrap();
    let (worker, director) = stage.worker("ann");
    director.plan("read_process", 1, Fault::Fails);
    director.plan("read_process", 2, Fault::LostBefore);
    let registry: Arc<dyn ProcessRegistry> = Arc::new(fencepost::registry::calls::Facade(director));
    let driver = ProcessWorkDriver::new(registry, Arc::new(InlineProcessRunHandle::new(worker)));
    let heard = outcome_of(&stage, &driver, "x");
    stage.pass_ms(1_000);
    assert_eq!(*heard.lock().unwrap(), Some((1_000_075, Ok(ended()))));
}

#[test]
fn await_event_takes_the_first_after_the_cursor_history_included() {
    let stage = Stage::new();
    external(&stage, "x");
    for name in ["signal.a", "signal.b", "signal.a"] {
        block_on(stage.registry.append_event("x", ProcessEventAppendRequest::new(name, json!(1)))).unwrap();
    }
    let driver = driver(&stage);
    let sequence = |name: &str, after| {
        let found = stage.environment.run(driver.await_event("x", name, after)).expect("it is in the log");
        found.map(|event| event.sequence)
    };
    assert_eq!(sequence("signal.a", 0), Ok(1));
    assert_eq!(sequence("signal.a", 1), Ok(3));
    assert_eq!(sequence("signal.b", 0), Ok(2));
    assert_eq!(stage.environment.monotonic(), Duration::ZERO, "history is answered at once");
    block_on(stage.registry.complete_process("x", ended())).unwrap();
    assert_eq!(sequence("process.completed", 0), Ok(4));
    assert!(matches!(sequence("signal.c", 0), Err(RegistryError::AlreadyTerminal { .. })));
    assert!(matches!(sequence("signal.a", 3), Err(RegistryError::AlreadyTerminal { .. })));
}

#[test]
fn nobody_who_has_stopped_waiting_is_kept_in_the_hub() {
    let stage = Stage::new();
    external(&stage, "x");
    let driver = driver(&stage);
    let first = driver.change_hub().subscribe("x");
    let second = driver.change_hub().subscribe("x");
    assert_eq!(driver.change_hub().watched_processes(), 1);
    drop(first);
    assert_eq!(driver.change_hub().watched_processes(), 1);
    drop(second);
    assert_eq!(driver.change_hub().watched_processes(), 0);
}

#[test]
fn an_inline_driver_hears_its_own_worker() {
    let stage = Stage::new();
    stage.rerunnable("p", steps(1, 300));
    let (worker, _) = stage.worker("ann");
    let driver = ProcessWorkDriver::inline(Arc::clone(&stage.registry), worker);
    let heard = outcome_of(&stage, &driver, "p");
    stage.environment.run(driver.claim_and_run_pending("a test")).unwrap().unwrap();
    stage.pass_ms(2_000);
    let done = ProcessAwaitOutput::Success { value: json!({"by fence": 1}) };
    assert_eq!(*heard.lock().unwrap(), Some((1_000_300, Ok(done))));
}

#[test]
fn what_is_written_through_a_driver_reaches_its_workers_bodies_in_the_same_instant() {
    let stage = Stage::new();
    stage.rerunnable("p", json!({"do": "until cancelled"}));
    let (worker, _) = stage.worker("ann");
    let driver = ProcessWorkDriver::inline(Arc::clone(&stage.registry), worker);
    stage.environment.run(driver.claim_and_run_pending("a test")).unwrap().unwrap();
    stage.pass_ms(10_000);
    let request = ProcessEventAppendRequest::new(CANCEL_REQUESTED, json!({})).with_replay("once");
    block_on(driver.process_registry().append_event("p", request)).unwrap();
    stage.environment.settle();
    assert_eq!(stage.record("p").status.name(), "cancelled");
}

/// Answers every wait with a refusal of its own.
struct Elsewhere;

#[async_trait]
impl ProcessAttach for Elsewhere {
    async fn await_terminal(&self, _: &str) -> Result<ProcessAwaitOutput, RegistryError> {
        Err(RegistryError::unavailable("attach", "the engine is away"))
    }
}

#[test]
fn an_attach_owns_the_wait_of_what_has_not_ended() {
    let stage = Stage::new();
    external(&stage, "x");
    let driver = driver(&stage).with_attach(Arc::new(Elsewhere));
    let waits =
        |id: &'static str| outcome_of(&stage, &driver, id).lock().unwrap().clone().map(|(_, answer)| answer);
    assert!(matches!(waits("x"), Some(Err(RegistryError::Unavailable { .. }))));
    assert!(matches!(waits("nobody"), Some(Err(RegistryError::UnknownProcess { .. }))));
    block_on(stage.registry.complete_process("x", ended())).unwrap();
    assert_eq!(waits("x"), Some(Ok(ended())));
}

#[derive(Clone, Default)]
struct Sink {
    taken: Arc<Mutex<Vec<(String, u64)>>>,
    panics: Arc<AtomicBool>,
    hangs: Arc<AtomicBool>,
}

#[async_trait]
impl ProcessEventSink for Sink {
    async fn deliver(&self, event: ProcessEvent) {
        if self.panics.swap(false, Ordering::Relaxed) {
            panic!("the sink gave up");
        }
        if self.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        self.taken.lock().unwrap().push((event.event_type, event.sequence));
    }
}

fn with_sink(stage: &Stage, sink: &Sink) -> ProcessWorkDriver {
    let (worker, _) = stage.worker("ann");
    let handle = Arc::new(InlineProcessRunHandle::new(worker));
    ProcessWorkDriver::new_with_sink(Arc::clone(&stage.registry), handle, Some(Arc::new(sink.clone())))
}

#[test]
fn a_sink_is_handed_each_event_once_and_in_order_lifecycle_included() {
    let stage = Stage::new();
    let sink = Sink::default();
    let driver = with_sink(&stage, &sink);
    let registry = driver.process_registry();
    external(&stage, "x");
    let go = || ProcessEventAppendRequest::new("signal.go", json!(1)).with_replay("k");
    block_on(registry.append_event("x", go())).unwrap();
    block_on(registry.append_event("x", go())).unwrap();
    let started = ProcessStarted {
        owner: fencepost::model::lease::LeaseOwnerIdentity::opaque("a", "1"),
        started_at_ms: 1,
    };
    block_on(registry.record_first_started("x", started.clone())).unwrap();
    block_on(registry.record_first_started("x", started)).unwrap();
    block_on(registry.append_event("x", ProcessEventAppendRequest::new("progress", json!(1)))).unwrap();
    block_on(registry.complete_process("x", ended())).unwrap();
    // Calls after the end add nothing to the log.
    block_on(registry.complete_process("x", ended())).unwrap();
    let reference = ProcessExternalRef { backend: "b".into(), id: "i".into(), metadata: json!(1) };
    block_on(registry.set_external_ref("x", reference)).unwrap();
    let again = registration("x", RecoveryDisposition::ExternallyOwned, nothing());
    block_on(registry.register_process(again)).unwrap();
    stage.environment.settle();
    let expected = [("signal.go", 1), ("process.started", 2), ("progress", 3), ("process.completed", 4)];
    assert_eq!(*sink.taken.lock().unwrap(), expected.map(|(name, sequence)| (name.to_owned(), sequence)));
}

#[test]
fn a_sink_that_panics_loses_no_write_and_hears_the_next_event() {
    let stage = Stage::new();
    let sink = Sink::default();
    sink.panics.store(true, Ordering::Relaxed);
    let driver = with_sink(&stage, &sink);
    external(&stage, "x");
    let heard = outcome_of(&stage, &driver, "x");
    let registry = driver.process_registry();
    block_on(registry.append_event("x", ProcessEventAppendRequest::new("signal.go", json!(1)))).unwrap();
    stage.environment.settle();
    block_on(registry.complete_process("x", ended())).unwrap();
    stage.environment.settle();
    assert_eq!(*sink.taken.lock().unwrap(), [("process.completed".to_owned(), 2)]);
    assert!(heard.lock().unwrap().is_some(), "the waiter is woken whatever the sink does");
}

#[test]
fn a_sink_that_hangs_blocks_no_writer() {
    let stage = Stage::new();
    let sink = Sink::default();
    sink.hangs.store(true, Ordering::Relaxed);
    let driver = with_sink(&stage, &sink);
    external(&stage, "x");
    let registry = driver.process_registry();
    for number in 0..3_000 {
        let request = ProcessEventAppendRequest::new("signal.go", json!(number));
        block_on(registry.append_event("x", request)).unwrap();
        stage.environment.settle();
    }
    let heard = outcome_of(&stage, &driver, "x");
    block_on(registry.complete_process("x", ended())).unwrap();
    stage.environment.settle();
    assert!(heard.lock().unwrap().is_some());
    assert_eq!(block_on(stage.registry.count_events_through("x", "signal.go", u64::MAX)), Ok(3_000));
}

#[test]
fn a_read_for_the_sink_that_hangs_blocks_no_writer_and_loses_no_later_event() {
    let stage = Stage::new();
    external(&stage, "x");
    let (worker, director) = stage.worker("ann");
    let sink = Sink::default();
    let watched = Arc::clone(&worker.config().registry);
    let handle = Arc::new(InlineProcessRunHandle::new(worker));
    let driver = ProcessWorkDriver::new_with_sink(watched, handle, Some(Arc::new(sink.clone())));
    director.plan("events_after", 1, Fault::HangsBefore);
    let go = || ProcessEventAppendRequest::new("signal.go", json!(1));
    let registry = driver.process_registry();
    for _ in 0..3 {
        block_on(registry.append_event("x", go())).unwrap();
    }
    assert!(sink.taken.lock().unwrap().is_empty());
    stage.pass_ms(2_000);
    block_on(registry.append_event("x", go())).unwrap();
    stage.environment.settle();
    let sequences: Vec<u64> = sink.taken.lock().unwrap().iter().map(|(_, sequence)| *sequence).collect();
    assert_eq!(sequences.last(), Some(&4));
    assert!(sequences.is_sorted());
}

#[test]
fn a_wait_outlives_a_read_that_hangs() {
    let stage = Stage::new();
    external(&stage, "x");
    let (worker, director) = stage.worker("ann");
    director.plan("read_process", 1, Fault::HangsBefore);
    let watched = Arc::clone(&worker.config().registry);
    let driver = ProcessWorkDriver::new(watched, Arc::new(InlineProcessRunHandle::new(worker)));
    let heard = outcome_of(&stage, &driver, "x");
    block_on(stage.registry.complete_process("x", ended())).unwrap();
    stage.pass_ms(31_000);
    assert_eq!(heard.lock().unwrap().clone().map(|(_, outcome)| outcome), Some(Ok(ended())));
}

#[test]
fn a_write_with_an_unknown_outcome_ticks_too_and_a_refused_one_does_not() {
    let stage = Stage::new();
    external(&stage, "x");
    let (_, director) = stage.worker("ann");
    director.plan("complete_process", 1, Fault::LostAfter);
    let inner: Arc<dyn ProcessRegistry> = Arc::new(fencepost::registry::calls::Facade(director));
    let (watched, hub) = watch_process_registry_with_sink(inner, None, Arc::new(stage.environment.clone()));
    let mut subscription = hub.subscribe("x");
    let ticked = |subscription: &mut fencepost::registry::change_hub::Subscription| {
        let mut tick = Box::pin(subscription.ticked());
        tick.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_ready()
    };
    assert!(block_on(watched.append_event("x", ProcessEventAppendRequest::new("nope", json!(1)))).is_err());
    assert!(!ticked(&mut subscription));
    assert!(block_on(watched.complete_process("x", ended())).is_err());
    assert!(ticked(&mut subscription));
    assert!(!ticked(&mut subscription));
}

/// The wrapper forwards every method: it is a `Facade` over one `Submit`, and this test shows that it stays one.
#[test]
fn the_watched_registry_forwards_every_method() {
    let calls: Vec<fencepost::registry::calls::Call> =
        serde_json::from_str(include_str!("../registry/every_call.json")).unwrap();
    for call in calls {
        let stage = Stage::new();
        let (_, director) = stage.worker("ann");
        let inner: Arc<dyn ProcessRegistry> = Arc::new(fencepost::registry::calls::Facade(director.clone()));
        let (watched, _) = watch_process_registry_with_sink(inner, None, Arc::new(stage.environment.clone()));
        drop(block_on(fencepost::registry::calls::dispatch(watched.as_ref(), &call)));
        assert_eq!(director.all_made(), [call.method()]);
    }
}

#[test]
fn a_driver_from_a_watched_registry_uses_its_hub() {
    let stage = Stage::new();
    external(&stage, "x");
    let environment = Arc::new(stage.environment.clone());
    let (watched, hub) = watch_process_registry_with_sink(Arc::clone(&stage.registry), None, environment);
    let (worker, _) = stage.worker("ann");
    let handle: Arc<dyn ProcessRunHandle> = Arc::new(InlineProcessRunHandle::new(worker));
    let driver = ProcessWorkDriver::from_watched(Arc::clone(&watched), hub, handle);
    let heard = outcome_of(&stage, &driver, "x");
    stage.environment.pass(Duration::from_millis(3));
    block_on(watched.complete_process("x", ended())).unwrap();
    stage.environment.settle();
    assert_eq!(heard.lock().unwrap().as_ref().map(|(at, _)| *at), Some(1_000_003));
}
