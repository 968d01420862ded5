//! Log messages of the worker: each loss of a lease is logged once, with its reason.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fencepost::model::process::ProcessAwaitOutput;
use fencepost::testing::block_on;
use fencepost::testing::manual_environment::HandEnvironment;
use fencepost::work::engine::{InfrastructureFailure, InputKind, ProcessContext, ProcessEngine};
use serde_json::json;

use crate::stage::*;

thread_local! {
    /// Each test runs on a thread of its own, with everything it stages.
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

struct Listener;

impl log::Log for Listener {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Warn
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            TOLD.with_borrow_mut(|told| told.push(record.args().to_string()));
        }
    }

    fn flush(&self) {}
}

/// Messages about lost leases that this thread logged since the last call.
fn losses_told() -> Vec<String> {
    let told = TOLD.with_borrow_mut(std::mem::take);
    told.into_iter().filter(|line| line.contains("is lost")).collect()
}

fn listen() {
    static LISTENER: Listener = Listener;
    // Set before, by another test: it is the same one.
    drop(log::set_logger(&LISTENER));
    log::set_max_level(log::LevelFilter::Warn);
    losses_told();
}

#[test]
fn a_lease_that_was_not_extended_in_time_is_told_once() {
    listen();
    let stage = Stage::new();
    stage.rerunnable("p", steps(100, 100));
    let (worker, director) = stage.worker("ann");
    for nth in 1..100 {
        director.plan("renew_process_lease", nth, Fault::LostBefore);
    }
    stage.sweep(&worker);
    stage.pass_ms(TTL_MS - 1);
    assert_eq!(losses_told(), Vec::<String>::new(), "it is still held");
    stage.pass_ms(10 * TTL_MS);
    let expected = "the lease of process `p` under fence 1 is lost: it was not extended in time";
    assert_eq!(losses_told(), [expected]);
}

#[test]
fn a_lease_that_a_call_was_refused_under_is_told_once_with_the_refusal() {
    listen();
    for input in [json!({"do": "emit"}), steps(100, 100)] {
        let stage = Stage::new();
        stage.rerunnable("p", input);
        let (worker, _) = stage.worker("ann");
        stage.sweep(&worker);
        let held = stage.lease("p").unwrap();
        block_on(stage.registry.complete_process_lease(&held.completion())).unwrap();
        stage.pass_ms(10 * TTL_MS);
        let told = losses_told();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("superseded or released"), "{told:?}");
    }
}

/// Computes for longer than its lease lasts, without an await, and then acts.
struct OutlastsItsLease(HandEnvironment);

#[async_trait]
impl ProcessEngine for OutlastsItsLease {
    async fn run(&self, context: ProcessContext<'_>) -> Result<ProcessAwaitOutput, InfrastructureFailure> {
        self.0.advance(Duration::from_millis(TTL_MS));
        let answer = context.effects().perform("mail", json!(null)).await;
        Err(InfrastructureFailure(format!("the effect was answered with {answer:?}")))
    }
}

#[test]
fn a_lease_that_ran_out_within_a_poll_starts_nothing_and_is_told_once() {
    listen();
    let stage = Stage::new();
    stage.rerunnable("p", nothing());
    let (worker, _) = stage.worker_with("ann", |config| {
        let engine = OutlastsItsLease(stage.environment.clone());
        config.engines.insert(InputKind::Engine("body".into()), Arc::new(engine));
    });
    stage.sweep(&worker);
    stage.pass_ms(10 * TTL_MS);
    assert_eq!((losses_told().len(), stage.ledger.taken()), (1, vec![]));
}
