//! Awkward code of others: bodies that poll their parts as they like, give up on
//! waits and meet failures in the poll of a loss; sinks that come late; transports that are slow.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use async_trait::async_trait;
use fencepost::driver::{InlineProcessRunHandle, ProcessWorkDriver};
use fencepost::environment::{Environment, before};
use fencepost::model::event::{ProcessEvent, ProcessEventAppendRequest};
use fencepost::model::process::*;
use fencepost::registry::watched::ProcessEventSink;
use fencepost::testing::block_on;
use fencepost::testing::manual_environment::HandEnvironment;
use fencepost::work::engine::{InfrastructureFailure, InputKind, ProcessContext, ProcessEngine};
use fencepost::worker::DurableProcessWorker;
use serde_json::json;

use crate::stage::*;

type Out = Result<ProcessAwaitOutput, InfrastructureFailure>;

fn with_engine(
    stage: &Stage,
    engine: Arc<dyn ProcessEngine>,
    bound: usize,
) -> (DurableProcessWorker, Director) {
    stage.worker_with("ann", |config| {
        config.max_concurrent_runs = bound;
        config.engines.insert(InputKind::Engine("body".into()), engine);
    })
}

/// Told of the loss, fails as infrastructure in the same poll.
struct LosesAndFails(HandEnvironment);
#[async_trait]
impl ProcessEngine for LosesAndFails {
    async fn run(&self, context: ProcessContext<'_>) -> Out {
        self.0.sleep(Duration::from_millis(100)).await;
        let mut emit = Box::pin(context.emit(ProcessEventAppendRequest::new("progress", json!(1))));
        std::future::poll_fn(|task| {
            let _ = emit.as_mut().poll(task);
            Poll::Ready(())
        })
        .await;
        Err(InfrastructureFailure("something beside it failed".into()))
    }
}

#[test]
fn a_body_that_is_told_of_its_loss_and_fails_in_the_same_poll_releases_nothing() {
    let stage = Stage::new();
    stage.rerunnable("p", nothing());
    let (worker, director) = with_engine(&stage, Arc::new(LosesAndFails(stage.environment.clone())), 4);
    stage.sweep(&worker);
    let held = stage.lease("p").unwrap();
    block_on(stage.registry.complete_process_lease(&held.completion())).unwrap();
    stage.pass_ms(500);
    assert_eq!(director.made("complete_process_lease"), 0);
}

/// Polls each wait only when its own waker was woken, as FuturesUnordered does.
struct Flag(AtomicBool, Mutex<Option<Waker>>);
impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
        if let Some(w) = self.1.lock().unwrap().take() {
            w.wake();
        }
    }
}
struct Unordered;
#[async_trait]
impl ProcessEngine for Unordered {
    async fn run(&self, context: ProcessContext<'_>) -> Out {
        let ProcessInput::Engine { payload, .. } = context.registration().input.clone() else { panic!() };
        if payload["do"] != "unordered" {
            return Ok(ProcessAwaitOutput::Success { value: json!("child") });
        }
        let mut waits: Vec<_> = ["b", "c"]
            .into_iter()
            .map(|id| {
                let flag = Arc::new(Flag(AtomicBool::new(true), Mutex::new(None)));
                (flag, Some(Box::pin(context.await_process(id)) as Pin<Box<dyn Future<Output = _> + Send>>))
            })
            .collect();
        std::future::poll_fn(|task| {
            for (flag, wait) in &mut waits {
                *flag.1.lock().unwrap() = Some(task.waker().clone());
                if wait.is_some() && flag.0.swap(false, Ordering::SeqCst) {
                    let waker = Waker::from(Arc::clone(flag));
                    let polled: Poll<Result<ProcessAwaitOutput, fencepost::RegistryError>> =
                        wait.as_mut().unwrap().as_mut().poll(&mut Context::from_waker(&waker));
                    if polled.is_ready() {
                        *wait = None;
                    }
                }
            }
            if waits.iter().all(|(_, wait)| wait.is_none()) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        Ok(ProcessAwaitOutput::Success { value: json!("both") })
    }
}

#[test]
fn a_body_whose_parts_are_polled_only_when_they_are_woken_goes_on_after_its_waits() {
    let stage = Stage::new();
    stage.rerunnable("a", json!({"do": "unordered"}));
    stage.rerunnable("b", nothing());
    stage.rerunnable("c", nothing());
    let (worker, _) = with_engine(&stage, Arc::new(Unordered), 1);
    stage.sweep(&worker);
    stage.pass_ms(60_000);
    assert!(stage.output("b").is_some() && stage.output("c").is_some());
    assert!(stage.output("a").is_some(), "it goes on");
}

/// Waits for the signal, but not longer than a while, again and again.
struct Patient(HandEnvironment);
#[async_trait]
impl ProcessEngine for Patient {
    async fn run(&self, context: ProcessContext<'_>) -> Out {
        loop {
            let until = self.0.monotonic() + Duration::from_millis(200);
            if let Some(Ok(event)) = before(until, &self.0, context.wait_for_signal("go")).await {
                return Ok(ProcessAwaitOutput::Success { value: event.payload });
            }
        }
    }
}

#[test]
fn a_signal_is_not_lost_by_a_wait_that_is_dropped_while_the_record_is_cleared() {
    let stage = Stage::new();
    stage.rerunnable("p", nothing());
    let (worker, director) = with_engine(&stage, Arc::new(Patient(stage.environment.clone())), 4);
    director.plan("clear_process_wait_with_lease", 1, Fault::AnswersAfter(500));
    stage.sweep(&worker);
    stage.pass_ms(10);
    block_on(stage.registry.append_event("p", ProcessEventAppendRequest::new("signal.go", json!(7))))
        .unwrap();
    stage.pass_ms(20_000);
    assert_eq!(stage.output("p"), success(json!(7)));
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<(String, u64)>>>);
#[async_trait]
impl ProcessEventSink for Sink {
    async fn deliver(&self, event: ProcessEvent) {
        self.0.lock().unwrap().push((event.process_id, event.sequence));
    }
}

#[test]
fn a_rerun_hands_a_new_watcher_nothing_of_the_past() {
    let stage = Stage::new();
    stage.rerunnable("p", json!({"do": "steps the second time", "steps": 1, "step_ms": 100_000}));
    let (worker, _) = stage.worker("old");
    stage.sweep(&worker);
    for n in 0..50 {
        block_on(stage.registry.append_event("p", ProcessEventAppendRequest::new("signal.go", json!(n))))
            .unwrap();
    }
    let sink = Sink::default();
    let (worker, _) = stage.worker("new");
    let handle = Arc::new(InlineProcessRunHandle::new(worker.clone()));
    let driver =
        ProcessWorkDriver::new_with_sink(Arc::clone(&stage.registry), handle, Some(Arc::new(sink.clone())));
    let (worker, _) = stage.worker_with("new", |config| config.registry = driver.process_registry());
    stage.sweep(&worker);
    stage.pass_ms(10);
    assert!(sink.0.lock().unwrap().is_empty(), "{} events of the past", sink.0.lock().unwrap().len());
}

#[test]
fn of_more_processes_than_are_remembered_the_longest_silent_is_forgotten() {
    let stage = Stage::new();
    let sink = Sink::default();
    let (worker, _) = stage.worker("new");
    let handle = Arc::new(InlineProcessRunHandle::new(worker));
    let driver =
        ProcessWorkDriver::new_with_sink(Arc::clone(&stage.registry), handle, Some(Arc::new(sink.clone())));
    let registry = driver.process_registry();
    let go = |n: u64| ProcessEventAppendRequest::new("signal.go", json!(n));
    for n in 0..16_384 {
        let id = format!("z{n}");
        stage.register(&id, RecoveryDisposition::ExternallyOwned, nothing());
        block_on(registry.append_event(&id, go(0))).unwrap();
        stage.environment.settle();
    }
    stage.register("a", RecoveryDisposition::ExternallyOwned, nothing());
    sink.0.lock().unwrap().clear();
    let end = ProcessAwaitOutput::Success { value: json!(1) };
    block_on(registry.complete_process("a", end.clone())).unwrap();
    stage.environment.settle();
    block_on(registry.complete_process("a", end)).unwrap();
    stage.environment.settle();
    assert_eq!(*sink.0.lock().unwrap(), [("a".to_owned(), 1)]);
}

#[test]
fn a_drain_ends_although_completions_fail() {
    let stage = Stage::new();
    stage.owner_bound("p", steps(1, 100_000));
    let (worker, director) = stage.worker("ann");
    stage.sweep(&worker);
    stage.sleep_through_ms(TTL_MS);
    stage.environment.settle();
    for nth in 1..20_000 {
        director.plan("complete_process_with_lease", nth, Fault::Fails);
    }
    let started = stage.environment.monotonic();
    stage.environment.run(worker.drain_owner_bound_work()).expect("it ends");
    let took = stage.environment.monotonic() - started;
    assert!(took < Duration::from_millis(10 * TTL_MS), "it took {took:?}");
}

#[test]
fn a_first_start_that_fails_leaves_the_row_free_and_the_permit_to_others() {
    let stage = Stage::new();
    stage.rerunnable("a", nothing());
    stage.rerunnable("b", nothing());
    let (worker, director) = stage.worker_with("ann", |config| config.max_concurrent_runs = 1);
    for nth in 1..20_000 {
        director.plan("record_first_started_with_lease", nth, Fault::Fails);
    }
    stage.sweep(&worker);
    stage.pass_ms(100 * TTL_MS);
    assert_eq!((stage.lease("a"), stage.output("b")), (None, None));
    director.forgive();
    stage.sweep(&worker);
    stage.pass_ms(100);
    assert!(stage.output("a").is_some() && stage.output("b").is_some());
}

#[test]
fn one_attempt_reclaims_once_from_a_holder_that_only_it_calls_dead() {
    let stage = Stage::new();
    stage.rerunnable("a", nothing());
    let holder = stage.claim_as("a", "bob").unwrap();
    stage.environment.declare_dead(&holder.owner);
    // The holder's lease stays live: a director that always loses reclaims, and somebody who renews.
    let registry = Arc::clone(&stage.registry);
    let environment = stage.environment.clone();
    let lease = holder.clone();
    stage.environment.spawn(Box::pin(async move {
        loop {
            registry.renew_process_lease(&lease, TTL_MS).await.unwrap();
            environment.sleep(Duration::from_millis(500)).await;
        }
    }));
    let (worker, director) = stage.worker("ann");
    for nth in 1..100_000 {
        director.plan("reclaim_process_lease", nth, Fault::LostBefore);
    }
    stage.sweep(&worker);
    stage.pass_ms(20 * TTL_MS);
    let tried = director.made("reclaim_process_lease");
    assert!(tried < 100, "{tried} reclaims in 20 ttls by one attempt");
}

/// Waits for a while, and then does something else.
struct GivesUp(HandEnvironment);
#[async_trait]
impl ProcessEngine for GivesUp {
    async fn run(&self, context: ProcessContext<'_>) -> Out {
        let until = self.0.monotonic() + Duration::from_millis(200);
        let _ = before(until, &self.0, context.wait_for_signal("go")).await;
        self.0.sleep(Duration::from_millis(10_000)).await;
        Ok(ProcessAwaitOutput::Success { value: json!(1) })
    }
}

#[test]
fn a_wait_that_was_given_up_is_not_shown() {
    let stage = Stage::new();
    stage.rerunnable("p", nothing());
    let (worker, _) = with_engine(&stage, Arc::new(GivesUp(stage.environment.clone())), 4);
    stage.sweep(&worker);
    stage.pass_ms(5_000);
    assert_eq!(stage.record("p").wait, None);
}

#[test]
fn a_look_that_failed_is_made_again_and_hands_on_the_first_event_too() {
    let stage = Stage::new();
    stage.register("x", RecoveryDisposition::ExternallyOwned, nothing());
    let sink = Sink::default();
    let (worker, director) = stage.worker("ann");
    let watched = Arc::clone(&worker.config().registry);
    let handle = Arc::new(InlineProcessRunHandle::new(worker));
    let driver = ProcessWorkDriver::new_with_sink(watched, handle, Some(Arc::new(sink.clone())));
    director.plan("events_after", 1, Fault::Fails);
    let registry = driver.process_registry();
    let go = || ProcessEventAppendRequest::new("signal.go", json!(1));
    block_on(registry.append_event("x", go())).unwrap();
    stage.environment.settle();
    block_on(registry.append_event("x", go())).unwrap();
    stage.environment.settle();
    stage.pass_ms(60_000);
    assert_eq!(*sink.0.lock().unwrap(), [("x".to_owned(), 1), ("x".to_owned(), 2)]);
}

use fencepost::registry::calls::{Answer, Call, Dispatch, Submit};
use fencepost::registry::remote::{
    RegistryServer, RemoteClient, RemoteOptions, Request, Response, Transport, TransportError,
};
use fencepost::{ProcessRegistry, RegistryError};

struct Slow {
    environment: HandEnvironment,
    server: Arc<RegistryServer<Counting>>,
    delay: Duration,
}
#[async_trait]
impl Transport for Slow {
    async fn exchange(&self, request: Request) -> Result<Response, TransportError> {
        self.environment.sleep(self.delay).await;
        self.server.handle(request).await.ok_or_else(|| TransportError("none".into()))
    }
}
struct Counting {
    inner: Dispatch,
    environment: HandEnvironment,
    takes: Duration,
    reads: Arc<Mutex<usize>>,
}
#[async_trait]
impl Submit for Counting {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        if call.is_read() {
            *self.reads.lock().unwrap() += 1;
        }
        self.environment.sleep(self.takes).await;
        self.inner.submit(call).await
    }
    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Inline
    }
}

fn remote(
    delay_ms: u64,
    takes_ms: u64,
    resend_ms: u64,
) -> (Result<Vec<ProcessRecord>, RegistryError>, usize) {
    let stage = Stage::new();
    let reads = Arc::new(Mutex::new(0));
    let counting = Counting {
        inner: Dispatch(Arc::clone(&stage.registry)),
        environment: stage.environment.clone(),
        takes: Duration::from_millis(takes_ms),
        reads: Arc::clone(&reads),
    };
    let server = Arc::new(RegistryServer::new(counting, &stage.environment));
    let slow =
        Slow { environment: stage.environment.clone(), server, delay: Duration::from_millis(delay_ms) };
    let options =
        RemoteOptions { resend_after: Duration::from_millis(resend_ms), ..RemoteOptions::default() };
    let client = RemoteClient::new(slow, Arc::new(stage.environment.clone()), options).registry();
    let answer = stage.environment.run(client.list_non_terminal()).unwrap();
    let reads = *reads.lock().unwrap();
    (answer, reads)
}

#[test]
fn a_slow_read_is_made_once_however_often_it_is_resent() {
    let (answer, reads) = remote(0, 3_900, 500);
    assert!(answer.is_ok());
    assert_eq!(reads, 1);
}

#[test]
fn a_round_trip_longer_than_many_resends_is_answered() {
    let (answer, _) = remote(600, 0, 50);
    assert!(answer.is_ok(), "{answer:?}");
}
