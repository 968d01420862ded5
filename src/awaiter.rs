//! Waiting for an outcome or an event: read, then wait for a tick of the hub or a backoff, and read again. Every wait
//! subscribes before its first read, so that nothing falls between the two; a read that failed is a reason to wait,
//! never an answer.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::environment::{Environment, before};
use crate::model::error::RegistryError;
use crate::model::event::ProcessEvent;
use crate::model::process::ProcessAwaitOutput;
use crate::registry::ProcessRegistry;
use crate::registry::change_hub::{ProcessChangeHub, Subscription};

const SHORTEST_WAIT: Duration = Duration::from_millis(25);
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// Far above the deadlines of calls that have their own: this is for reads that have none.
const LONGEST_READ: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub struct ProcessAwaiter {
    registry: Arc<dyn ProcessRegistry>,
    hub: ProcessChangeHub,
    environment: Arc<dyn Environment>,
}

/// One wait: what wakes it, and how long it sleeps when nothing does.
pub struct Watch {
    subscription: Subscription,
    environment: Arc<dyn Environment>,
    next_wait: Duration,
}

impl ProcessAwaiter {
    pub fn new(
        registry: Arc<dyn ProcessRegistry>,
        hub: ProcessChangeHub,
        environment: Arc<dyn Environment>,
    ) -> Self {
        Self { registry, hub, environment }
    }

    /// The outcome, once there is one. An unknown process, also one that is pruned meanwhile, is an error. Callers
    /// bound the wait themselves.
    pub async fn await_terminal(&self, process_id: &str) -> Result<ProcessAwaitOutput, RegistryError> {
        let mut watch = self.watch(process_id);
        loop {
            match self.patiently(self.registry.read_process(process_id)).await {
                Ok(None) => return Err(RegistryError::unknown(process_id)),
                Ok(Some(record)) => {
                    if let Some(output) = record.status.output() {
                        return Ok(output.clone());
                    }
                }
                Err(error) if error.is_refusal() => return Err(error),
                Err(_) => {}
            }
            watch.wait().await;
        }
    }

    /// The first event of the type after the cursor, history included. A process that ended without it answers already
    /// terminal.
    pub async fn await_event(
        &self,
        process_id: &str,
        event_type: &str,
        after_sequence: u64,
    ) -> Result<ProcessEvent, RegistryError> {
        let mut watch = self.watch(process_id);
        loop {
            match self.patiently(self.look_for_event(process_id, event_type, after_sequence)).await {
                Ok(Some(event)) => return Ok(event),
                Err(error) if error.is_refusal() => return Err(error),
                _ => watch.wait().await,
            }
        }
    }

    /// A read that hangs is as good as failed: the next one may fare better.
    async fn patiently<T>(
        &self,
        read: impl Future<Output = Result<T, RegistryError>>,
    ) -> Result<T, RegistryError> {
        let until = self.environment.monotonic().saturating_add(LONGEST_READ);
        let no_answer = || RegistryError::unavailable("wait for the registry", "it did not answer");
        before(until, self.environment.as_ref(), read).await.unwrap_or_else(|| Err(no_answer()))
    }

    /// Subscribes; what is read afterwards and found wanting can be waited for.
    pub fn watch(&self, process_id: &str) -> Watch {
        Watch {
            subscription: self.hub.subscribe(process_id),
            environment: Arc::clone(&self.environment),
            next_wait: SHORTEST_WAIT,
        }
    }

    /// The record first: an event appended between the two reads is then found, and never taken for missing.
    async fn look_for_event(
        &self,
        process_id: &str,
        event_type: &str,
        after_sequence: u64,
    ) -> Result<Option<ProcessEvent>, RegistryError> {
        let record = self.registry.read_process(process_id).await?;
        let record = record.ok_or_else(|| RegistryError::unknown(process_id))?;
        let events = self.registry.events_after(process_id, after_sequence).await?;
        match events.into_iter().find(|event| event.event_type == event_type) {
            Some(event) => Ok(Some(event)),
            None if record.is_terminal() => {
                let process_id = process_id.to_owned();
                Err(RegistryError::AlreadyTerminal { process_id, status: record.status })
            }
            None => Ok(None),
        }
    }
}

impl Watch {
    /// Until a tick, or until the backoff is over: 25 ms, doubling to a second, and 25 again after a tick.
    pub async fn wait(&mut self) {
        let mut backoff = self.environment.sleep(self.next_wait);
        let mut ticked = pin!(self.subscription.ticked());
        let was_ticked = poll_fn(|context| {
            if ticked.as_mut().poll(context).is_ready() {
                Poll::Ready(true)
            } else {
                backoff.as_mut().poll(context).map(|()| false)
            }
        })
        .await;
        self.next_wait = if was_ticked { SHORTEST_WAIT } else { (self.next_wait * 2).min(LONGEST_WAIT) };
    }
}
