//! Watching a registry: after each write that happened, or may have, the hub is ticked and a sink is handed what the
//! log gained. The tick comes first and depends on nothing. The sink is best effort: a task of its own reads the log
//! for it, so that a sink or a read that hangs holds up no writer, and one that panics loses no write. The log is the
//! truth.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::environment::{Environment, before};
use crate::model::error::RegistryError;
use crate::model::event::{ProcessEvent, lifecycle};
use crate::model::process::{DurabilityTier, FirstStart, ProcessId};
use crate::panics::catch_panic;
use crate::registry::ProcessRegistry;
use crate::registry::calls::{Answer, Call, Facade, Reply, Submit, dispatch};
use crate::registry::change_hub::ProcessChangeHub;

/// Is handed events after they are durable: each sequence at most once, in order, replays not. Some may be missing.
#[async_trait]
pub trait ProcessEventSink: Send + Sync {
    async fn deliver(&self, event: ProcessEvent);
}

/// Processes whose log is to be read next; past this a process waits for its next write.
const QUEUED_READS: usize = 16_384;

/// A read of the log that takes longer is given up, and made once more after as long again.
const PATIENCE: Duration = Duration::from_secs(1);

/// How far back the event of a write is looked for when its process is met for the first time.
const FIRST_READ: usize = 64;

/// Processes whose place in the log is remembered; one that was forgotten starts again at its newest event.
const REMEMBERED_CURSORS: usize = 16_384;

/// The registry, watched, and the hub that hears of its writes.
pub fn watch_process_registry_with_sink(
    registry: Arc<dyn ProcessRegistry>,
    sink: Option<Arc<dyn ProcessEventSink>>,
    environment: Arc<dyn Environment>,
) -> (Arc<dyn ProcessRegistry>, ProcessChangeHub) {
    let hub = ProcessChangeHub::new();
    let feed = sink.map(|sink| {
        Arc::new(SinkFeed { registry: Arc::clone(&registry), sink, environment, state: Mutex::default() })
    });
    (Arc::new(Facade(WatchedRegistry { registry, hub: hub.clone(), feed })), hub)
}

/// Wraps [`Submit`], so that no method can be missed.
struct WatchedRegistry {
    registry: Arc<dyn ProcessRegistry>,
    hub: ProcessChangeHub,
    feed: Option<Arc<SinkFeed>>,
}

/// Ticks when it is dropped: a caller that gave up on a write does not know whether it happened either.
struct TickOnDrop<'a> {
    hub: &'a ProcessChangeHub,
    process_id: Option<ProcessId>,
}

impl Drop for TickOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(process_id) = &self.process_id {
            self.hub.tick(process_id);
        }
    }
}

#[async_trait]
impl Submit for WatchedRegistry {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        if call.is_read() {
            return dispatch(self.registry.as_ref(), &call).await;
        }
        let process_id = process_written_by(&call);
        let event_types = event_types_of(&call);
        let mut tick = TickOnDrop { hub: &self.hub, process_id: process_id.clone() };
        let answer = dispatch(self.registry.as_ref(), &call).await;
        if matches!(&answer, Err(error) if !error.outcome_is_unknown()) {
            tick.process_id = None;
            return answer;
        }
        drop(tick);
        if let (Some(feed), Some(process_id), Some(types)) = (&self.feed, process_id, event_types) {
            match answer.as_deref() {
                Ok(Reply::Appended(appended)) if appended.replayed => {}
                // Nothing was written: a rerun's start is an earlier attempt's.
                Ok(Reply::FirstStart(FirstStart::AlreadyStarted(_))) => {}
                Ok(Reply::Appended(appended)) => {
                    feed.follow(process_id, ReadFrom::Sequence(appended.event.sequence))
                }
                Ok(_) => feed.follow(process_id, ReadFrom::Newest(types)),
                // Unknown: where the log was read before, it is read on.
                Err(_) => feed.follow_known(process_id),
            }
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

/// The types of event that a call may add to the log: `None` for no event, none listed if the answer carries the event.
fn event_types_of(call: &Call) -> Option<&'static [&'static str]> {
    match call {
        Call::AppendEvent { .. } | Call::AppendEventWithLease { .. } => Some(&[]),
        Call::RecordFirstStarted { .. } | Call::RecordFirstStartedWithLease { .. } => {
            Some(&[lifecycle::STARTED])
        }
        Call::SetProcessWait { .. } | Call::SetProcessWaitWithLease { .. } => Some(&[lifecycle::WAITING]),
        Call::ClearProcessWait { .. } | Call::ClearProcessWaitWithLease { .. } => Some(&[lifecycle::RESUMED]),
        Call::CompleteProcess { .. } | Call::CompleteProcessWithLease { .. } => {
            Some(&[lifecycle::COMPLETED, lifecycle::FAILED, lifecycle::CANCELLED, lifecycle::ABANDONED])
        }
        Call::GetProcess { .. }
        | Call::ReadProcess { .. }
        | Call::ListProcesses { .. }
        | Call::ListNonTerminal { .. }
        | Call::ListHandleGrants { .. }
        | Call::ListLiveHandleGrants { .. }
        | Call::HasHandleGrant { .. }
        | Call::HandleGrantsForProcess { .. }
        | Call::EventsAfter { .. }
        | Call::WakeEventsAfter { .. }
        | Call::CountEventsThrough { .. }
        | Call::RecentEvents { .. }
        | Call::GetProcessLease { .. }
        | Call::RegisterProcess { .. }
        | Call::SetExternalRef { .. }
        | Call::GrantHandle { .. }
        | Call::RevokeHandle { .. }
        | Call::TransferHandleGrants { .. }
        | Call::DeleteSessionProcessState { .. }
        | Call::AckWake { .. }
        | Call::RequestProcessAbandon { .. }
        | Call::ClaimProcessLease { .. }
        | Call::ReclaimProcessLease { .. }
        | Call::RenewProcessLease { .. }
        | Call::CompleteProcessLease { .. }
        | Call::PruneTerminalProcesses { .. } => None,
    }
}

/// Where the log begins for a watcher that meets a process for the first time; what came before is for others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ReadFrom {
    Sequence(u64),
    /// The newest event of one of these types.
    Newest(&'static [&'static str]),
    /// It is not met for the first time.
    Known,
}

/// The way from the log to a sink.
struct SinkFeed {
    registry: Arc<dyn ProcessRegistry>,
    sink: Arc<dyn ProcessEventSink>,
    environment: Arc<dyn Environment>,
    state: Mutex<FeedState>,
}

#[derive(Default)]
struct FeedState {
    /// The last sequence handed on, by process.
    handed_on: BTreeMap<ProcessId, Cursor>,
    /// The same processes, by when they were last handed anything.
    by_age: BTreeMap<u64, ProcessId>,
    handed: u64,
    /// Processes that were written to since their log was last read, in that order.
    queued: VecDeque<(ProcessId, ReadFrom)>,
    /// The same processes.
    due: BTreeSet<ProcessId>,
    is_reading: bool,
}

struct Cursor {
    sequence: u64,
    /// Its place in `by_age`.
    handed: u64,
}

impl FeedState {
    fn hand_on(&mut self, process_id: &str, sequence: u64) {
        self.handed += 1;
        let handed = self.handed;
        if let Some(last) = self.handed_on.insert(process_id.to_owned(), Cursor { sequence, handed }) {
            self.by_age.remove(&last.handed);
        }
        self.by_age.insert(handed, process_id.to_owned());
        if self.handed_on.len() > REMEMBERED_CURSORS
            && let Some((_, longest_silent)) = self.by_age.pop_first()
        {
            self.handed_on.remove(&longest_silent);
        }
        assert!(
            self.by_age.len() == self.handed_on.len(),
            "every remembered cursor has its one place by age"
        );
    }
}

impl SinkFeed {
    fn state(&self) -> MutexGuard<'_, FeedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the log read, soon and elsewhere.
    fn follow(self: &Arc<Self>, process_id: ProcessId, since: ReadFrom) {
        let mut state = self.state();
        if state.queued.len() == QUEUED_READS || !state.due.insert(process_id.clone()) {
            return;
        }
        state.queued.push_back((process_id, since));
        if !std::mem::replace(&mut state.is_reading, true) {
            drop(state);
            let feed = Arc::clone(self);
            self.environment.spawn(Box::pin(async move { feed.read_queued().await }));
        }
    }

    fn follow_known(self: &Arc<Self>, process_id: ProcessId) {
        if self.state().handed_on.contains_key(&process_id) {
            self.follow(process_id, ReadFrom::Known);
        }
    }

    async fn read_queued(self: Arc<Self>) {
        loop {
            let (process_id, since, handed_on) = {
                let mut state = self.state();
                let Some((process_id, since)) = state.queued.pop_front() else {
                    state.is_reading = false;
                    return;
                };
                state.due.remove(&process_id);
                let handed_on = state.handed_on.get(&process_id).map(|cursor| cursor.sequence);
                (process_id, since, handed_on)
            };
            let mut gained = self.gained(&process_id, since, handed_on).await;
            if gained.is_err() {
                self.environment.sleep(PATIENCE).await;
                gained = self.gained(&process_id, since, handed_on).await;
            }
            match gained {
                Ok(events) => self.deliver(&process_id, events).await,
                Err(error) => log::warn!("the log of `{process_id}` could not be read for its sink: {error}"),
            }
        }
    }

    async fn gained(
        &self,
        process_id: &str,
        since: ReadFrom,
        handed_on: Option<u64>,
    ) -> Result<Vec<ProcessEvent>, RegistryError> {
        let until = self.environment.monotonic().saturating_add(PATIENCE);
        let reading = async {
            match (handed_on, since) {
                (Some(last), _) => self.registry.events_after(process_id, last).await,
                (None, ReadFrom::Sequence(first)) => {
                    self.registry.events_after(process_id, first.saturating_sub(1)).await
                }
                (None, ReadFrom::Newest(_)) => self.registry.recent_events(process_id, FIRST_READ).await,
                (None, ReadFrom::Known) => Ok(Vec::new()),
            }
        };
        let no_answer = || RegistryError::unavailable("read the log", "it did not answer");
        let mut events =
            before(until, self.environment.as_ref(), reading).await.unwrap_or_else(|| Err(no_answer()))?;
        if let (None, ReadFrom::Newest(types)) = (handed_on, since) {
            let newest = events.iter().rposition(|event| types.contains(&event.event_type.as_str()));
            events.drain(..newest.unwrap_or(events.len()));
        }
        Ok(events)
    }

    async fn deliver(&self, process_id: &str, events: Vec<ProcessEvent>) {
        for event in events {
            let sequence = event.sequence;
            self.state().hand_on(process_id, sequence);
            if let Err(panic) = catch_panic(async { self.sink.deliver(event).await }).await {
                log::warn!("an event sink panicked at event {sequence} of process `{process_id}`: {panic}");
            }
        }
    }
}
