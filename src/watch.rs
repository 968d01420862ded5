//! Watching a registry: after each write that happened, or may have, the hub is ticked and a sink is handed what the log
//! gained. The tick comes first and depends on nothing. The sink is best effort: it has a queue and a task of its own,
//! so that one that hangs holds up no writer and one that panics loses no write. The log is the truth.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::call::{Call, Facade, Reply, Submit, dispatch};
use crate::environment::Environment;
use crate::error::RegistryError;
use crate::event::ProcessEvent;
use crate::hub::ProcessChangeHub;
use crate::process::{DurabilityTier, ProcessId};
use crate::registry::ProcessRegistry;
use crate::run::caught;

/// Is handed events after they are durable: each sequence at most once, in order, replays not. Some may be missing.
#[async_trait]
pub trait ProcessEventSink: Send + Sync {
    async fn deliver(&self, event: ProcessEvent);
}

/// Events a sink has not taken yet; past this the newest are dropped.
const QUEUE_LENGTH: usize = 1_024;

/// Processes whose place in the log is remembered; one that was forgotten starts again at its newest event.
const CURSORS: usize = 16_384;

/// The registry, watched, and the hub that hears of its writes.
pub fn watch_process_registry_with_sink(
    registry: Arc<dyn ProcessRegistry>,
    sink: Option<Arc<dyn ProcessEventSink>>,
    environment: Arc<dyn Environment>,
) -> (Arc<dyn ProcessRegistry>, ProcessChangeHub) {
    let hub = ProcessChangeHub::new();
    let feed = sink.map(|sink| Arc::new(Feed { sink, environment, state: Mutex::default() }));
    (Arc::new(Facade(Watched { registry, hub: hub.clone(), feed })), hub)
}

/// Wraps the waist, so that no method can be missed.
struct Watched {
    registry: Arc<dyn ProcessRegistry>,
    hub: ProcessChangeHub,
    feed: Option<Arc<Feed>>,
}

/// Ticks when it is dropped: a caller that gave up on a write does not know whether it happened either.
struct Tick<'a> {
    hub: &'a ProcessChangeHub,
    process_id: Option<ProcessId>,
}

impl Drop for Tick<'_> {
    fn drop(&mut self) {
        if let Some(process_id) = &self.process_id {
            self.hub.tick(process_id);
        }
    }
}

#[async_trait]
impl Submit for Watched {
    async fn submit(&self, call: Call) -> Result<Reply, RegistryError> {
        if call.is_read() {
            return dispatch(self.registry.as_ref(), call).await;
        }
        let process_id = process_written_by(&call);
        let writes_events = writes_events(&call);
        let mut tick = Tick { hub: &self.hub, process_id: process_id.clone() };
        let answer = dispatch(self.registry.as_ref(), call).await;
        if matches!(&answer, Err(error) if !error.outcome_is_unknown()) {
            tick.process_id = None;
            return answer;
        }
        drop(tick);
        if let (Some(feed), Some(process_id), Ok(reply), true) =
            (&self.feed, process_id, &answer, writes_events)
        {
            feed.follow(self.registry.as_ref(), &process_id, reply).await;
        }
        answer
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.registry.durability_tier()
    }
}

fn process_written_by(call: &Call) -> Option<ProcessId> {
    match call {
        Call::RegisterProcess { registration } => Some(registration.id.clone()),
        other => other.process_id().map(str::to_owned),
    }
}

fn writes_events(call: &Call) -> bool {
    matches!(
        call,
        Call::AppendEvent { .. }
            | Call::AppendEventWithLease { .. }
            | Call::RecordFirstStarted { .. }
            | Call::RecordFirstStartedWithLease { .. }
            | Call::SetProcessWait { .. }
            | Call::SetProcessWaitWithLease { .. }
            | Call::ClearProcessWait { .. }
            | Call::ClearProcessWaitWithLease { .. }
            | Call::CompleteProcess { .. }
            | Call::CompleteProcessWithLease { .. }
    )
}

/// The way from the log to a sink.
struct Feed {
    sink: Arc<dyn ProcessEventSink>,
    environment: Arc<dyn Environment>,
    state: Mutex<FeedState>,
}

#[derive(Default)]
struct FeedState {
    /// The last sequence handed on, by process.
    handed_on: BTreeMap<ProcessId, u64>,
    queue: VecDeque<ProcessEvent>,
    is_draining: bool,
}

impl Feed {
    fn state(&self) -> MutexGuard<'_, FeedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands on what a write added to the log. An append carries its event; for other writes the log is asked.
    async fn follow(self: &Arc<Self>, registry: &dyn ProcessRegistry, process_id: &str, reply: &Reply) {
        if matches!(reply, Reply::Appended(appended) if appended.replayed) {
            return;
        }
        let handed_on = self.state().handed_on.get(process_id).copied();
        let fresh = match (handed_on, reply) {
            // The first that this watcher sees of a process; what came before it belongs to earlier watchers.
            (None, Reply::Appended(appended)) => Ok(vec![appended.event.clone()]),
            (None, _) => registry.recent_events(process_id, 1).await,
            (Some(last), _) => registry.events_after(process_id, last).await,
        };
        self.hand_on(process_id, fresh.unwrap_or_default());
    }

    fn hand_on(self: &Arc<Self>, process_id: &str, events: Vec<ProcessEvent>) {
        let mut state = self.state();
        // Asked again under the lock: another write may have handed these on meanwhile.
        let mut last = state.handed_on.get(process_id).copied().unwrap_or_default();
        for event in events {
            if event.sequence > last {
                last = event.sequence;
                if state.queue.len() < QUEUE_LENGTH {
                    state.queue.push_back(event);
                }
            }
        }
        if last > 0 {
            state.handed_on.insert(process_id.to_owned(), last);
            if state.handed_on.len() > CURSORS {
                state.handed_on.pop_first();
            }
        }
        if !state.is_draining && !state.queue.is_empty() {
            state.is_draining = true;
            let feed = Arc::clone(self);
            self.environment.spawn(Box::pin(async move { feed.drain().await }));
        }
    }

    async fn drain(self: Arc<Self>) {
        loop {
            let event = {
                let mut state = self.state();
                match state.queue.pop_front() {
                    Some(event) => event,
                    None => {
                        state.is_draining = false;
                        return;
                    }
                }
            };
            let sequence = event.sequence;
            let process_id = event.process_id.clone();
            let delivered = caught(async { self.sink.deliver(event).await }).await;
            if let Err(panic) = delivered {
                log::warn!("an event sink panicked at event {sequence} of process `{process_id}`: {panic}");
            }
        }
    }
}
