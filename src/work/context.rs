//! A body's view of its process: how it reads, appends, waits and has effects, all under one grant. When the lease is
//! lost the body is dropped where it stands; it never hears the answers of the calls it had begun.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::awaiter::ProcessAwaiter;
use crate::model::error::RegistryError;
use crate::model::event::{
    ProcessEvent, ProcessEventAppendRequest, ProcessEventAppendResult, SIGNAL_PREFIX, signal_name,
};
use crate::model::handle::SessionScope;
use crate::model::process::{ProcessAwaitOutput, ProcessRecord, ProcessRegistration, WaitKind, WaitState};
use crate::registry::ProcessRegistry;
use crate::rules::worker::is_loss;
use crate::work::cancellation::CancellationToken;
use crate::work::effect::Effects;
use crate::work::lease_belief::LeaseBelief;

/// Values that the caller of a run hands to its body.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProcessExecutionContext {
    /// The session for which the process runs.
    pub scope: Option<SessionScope>,
    pub attributes: BTreeMap<String, Value>,
}

/// A body's view of its process. Clones are the same view.
#[derive(Clone)]
pub struct ProcessContext<'a> {
    pub(crate) record: Arc<ProcessRecord>,
    pub(crate) registry: Arc<dyn ProcessRegistry>,
    pub(crate) awaiter: ProcessAwaiter,
    pub(crate) belief: LeaseBelief,
    pub(crate) effects: Effects<'a>,
    pub(crate) cancellation: CancellationToken,
    pub(crate) execution: Arc<ProcessExecutionContext>,
    pub(crate) progress: Arc<Mutex<BodyProgress>>,
    /// The lock that is held while the record's wait is written.
    wait_writes: Arc<tokio::sync::Mutex<()>>,
}

/// How far the body has come in its log.
pub(crate) struct BodyProgress {
    /// The last signal taken of each name: its sequence, and how many were taken.
    taken: BTreeMap<String, (u64, u64)>,
    appended: u64,
    /// Waits of this body that the record may show.
    waits: usize,
    /// True, if the record shows a wait of this attempt or an earlier one.
    shows_wait: bool,
}

impl<'a> ProcessContext<'a> {
    pub(crate) fn new(
        record: ProcessRecord,
        registry: Arc<dyn ProcessRegistry>,
        awaiter: ProcessAwaiter,
        effects: Effects<'a>,
        execution: Arc<ProcessExecutionContext>,
    ) -> Self {
        let progress =
            BodyProgress { taken: BTreeMap::new(), appended: 0, waits: 0, shows_wait: record.wait.is_some() };
        Self {
            record: Arc::new(record),
            registry,
            awaiter,
            belief: effects.belief.clone(),
            effects,
            cancellation: CancellationToken::new(),
            execution,
            progress: Arc::new(Mutex::new(progress)),
            wait_writes: Arc::default(),
        }
    }

    fn progress(&self) -> MutexGuard<'_, BodyProgress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The record as it was when this attempt began its body.
    pub fn record(&self) -> &ProcessRecord {
        &self.record
    }

    pub fn registration(&self) -> &ProcessRegistration {
        &self.record.registration
    }

    pub fn process_id(&self) -> &str {
        self.record.id()
    }

    /// The fence of the grant this body runs under.
    pub fn fence(&self) -> u64 {
        self.belief.lease().fencing_token
    }

    pub fn execution(&self) -> &ProcessExecutionContext {
        &self.execution
    }

    /// Raised when somebody requests a cancel; what comes of it is for the body to decide.
    pub fn cancellation(&self) -> &CancellationToken {
        &self.cancellation
    }

    pub fn effects(&self) -> &Effects<'a> {
        &self.effects
    }

    /// Appends an event that the process declares. An append whose answer was lost is repeated and stored once: one
    /// without a replay key is given a key of this grant's.
    pub async fn emit(
        &self,
        mut request: ProcessEventAppendRequest,
    ) -> Result<ProcessEventAppendResult, RegistryError> {
        if request.replay.is_none() {
            let mut progress = self.progress();
            progress.appended += 1;
            request.replay = Some(format!("grant {} event {}", self.fence(), progress.appended));
        }
        self.until_known(|| self.registry.append_event_with_lease(self.belief.lease(), request.clone())).await
    }

    /// Waits for a signal: the Nth wait of this attempt on a name takes the Nth such signal of the log. The wait is
    /// shown in the record while it lasts, and does not count against the worker's bound.
    pub async fn wait_for_signal(&self, name: &str) -> Result<ProcessEvent, RegistryError> {
        let event_type = format!("{SIGNAL_PREFIX}{name}");
        if signal_name(&event_type).is_none() {
            return Err(RegistryError::invalid("name", "a signal's name is letters, digits, `_` and `-`"));
        }
        loop {
            let (after, taken) = self.progress().taken.get(name).copied().unwrap_or_default();
            let history = self.until_known(|| self.registry.events_after(self.process_id(), after)).await?;
            let in_history = history.into_iter().find(|event| event.event_type == event_type);
            let event = match in_history {
                Some(event) => event,
                None => self.wait_in_record(name, &event_type, after, taken + 1).await?,
            };
            // Before it is taken: whoever drops this wait while it is cleared has not taken the signal.
            self.show_no_wait().await?;
            // Another wait of this body on the same name may have taken it meanwhile.
            if self.progress().take(name, event.sequence) {
                return Ok(event);
            }
        }
    }

    async fn wait_in_record(
        &self,
        name: &str,
        event_type: &str,
        after: u64,
        ordinal: u64,
    ) -> Result<ProcessEvent, RegistryError> {
        let wait = WaitState {
            kind: WaitKind::Signal {
                name: name.to_owned(),
                event_type: event_type.to_owned(),
                key: format!("{name}#{ordinal}"),
                ordinal,
            },
            since_ms: self.belief.environment().now_epoch_ms(),
        };
        let _waiting = ShownWait::begin(&self.progress);
        {
            let _one_at_a_time = self.wait_writes.lock().await;
            self.progress().shows_wait = true;
            let lease = self.belief.lease();
            self.until_known(|| self.registry.set_process_wait_with_lease(lease, wait.clone())).await?;
        }
        let waited = self.awaiter.await_event(self.process_id(), event_type, after);
        self.belief.while_idle(waited).await
    }

    /// True if the record shows a wait that this body is not in: an earlier attempt's, or one it gave up.
    pub(crate) fn shows_stale_wait(&self) -> bool {
        let progress = self.progress();
        progress.shows_wait && progress.waits == 0
    }

    /// Clears the record's wait, unless this body is in one.
    pub(crate) async fn show_no_wait(&self) -> Result<(), RegistryError> {
        let _one_at_a_time = self.wait_writes.lock().await;
        if !self.shows_stale_wait() {
            return Ok(());
        }
        let lease = self.belief.lease();
        let cleared = self.until_known(|| self.registry.clear_process_wait_with_lease(lease)).await;
        // Once it is known, and not before; a refusal would only be repeated.
        self.progress().shows_wait = false;
        cleared.map(drop)
    }

    /// Waits for another process to end; does not count against the worker's bound meanwhile, and neither does what
    /// else the body does beside the wait.
    pub async fn await_process(&self, process_id: &str) -> Result<ProcessAwaitOutput, RegistryError> {
        self.belief.wait_forever_if_lost().await;
        self.belief.while_idle(self.awaiter.await_terminal(process_id)).await
    }

    /// Makes a call under the grant until its answer is known. Once the lease is lost it makes none and never answers:
    /// the body is about to be dropped.
    async fn until_known<T, F>(&self, call: impl Fn() -> F) -> Result<T, RegistryError>
    where
        F: Future<Output = Result<T, RegistryError>>,
    {
        loop {
            self.belief.wait_forever_if_lost().await;
            match self.belief.patiently(call()).await {
                Err(error) if is_loss(&error) => {
                    self.belief.lose(&error.to_string());
                    std::future::pending::<()>().await;
                }
                Err(error) if !error.is_refusal() => {
                    self.belief.environment().sleep(Duration::from_millis(25)).await;
                }
                known => return known,
            }
        }
    }
}

impl BodyProgress {
    /// True if the signal was still there to take.
    fn take(&mut self, name: &str, sequence: u64) -> bool {
        let (last, count) = self.taken.get(name).copied().unwrap_or_default();
        let is_free = sequence > last;
        if is_free {
            self.taken.insert(name.to_owned(), (sequence, count + 1));
        }
        is_free
    }
}

/// One wait that the record may show, however it ends.
struct ShownWait<'a>(&'a Mutex<BodyProgress>);

impl<'a> ShownWait<'a> {
    fn begin(progress: &'a Mutex<BodyProgress>) -> Self {
        progress.lock().unwrap_or_else(PoisonError::into_inner).waits += 1;
        Self(progress)
    }
}

impl Drop for ShownWait<'_> {
    fn drop(&mut self) {
        let mut progress = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(progress.waits > 0, "a wait ends that never began");
        progress.waits -= 1;
    }
}
