//! The work driver: a watched registry, and the worker (or other run handle) that runs its rows. It has no polling
//! loop: hosts call [`ProcessWorkDriver::claim_and_run_pending`] when they have a reason. It also waits for outcomes
//! and events.

use std::sync::Arc;

use async_trait::async_trait;

use crate::awaiter::ProcessAwaiter;
use crate::environment::Environment;
use crate::model::error::RegistryError;
use crate::model::event::ProcessEvent;
use crate::model::process::{ProcessAwaitOutput, ProcessId};
use crate::registry::ProcessRegistry;
use crate::registry::change_hub::ProcessChangeHub;
use crate::registry::watched::{ProcessEventSink, watch_process_registry_with_sink};
use crate::worker::DurableProcessWorker;

/// Claims and runs the rows of the registry.
#[async_trait]
pub trait ProcessRunHandle: Send + Sync {
    async fn claim_and_run_pending(&self, reason: &str) -> Result<(), RegistryError>;

    /// Stops taking work, gives up the owner-bound work that runs here, and answers with what ended by that. None from a
    /// handle whose work cannot be drained, which changes nothing.
    async fn drain_owner_bound_work(&self) -> Option<Vec<ProcessId>> {
        None
    }

    /// The world that waits happen in.
    fn environment(&self) -> Arc<dyn Environment>;
}

/// A wait that something else can do better, such as the promise of a workflow engine. It owns the wait: its error is
/// the answer.
#[async_trait]
pub trait ProcessAttach: Send + Sync {
    async fn await_terminal(&self, process_id: &str) -> Result<ProcessAwaitOutput, RegistryError>;
}

/// A worker in this very process.
pub struct InlineProcessRunHandle {
    worker: DurableProcessWorker,
}

#[derive(Clone)]
pub struct ProcessWorkDriver {
    registry: Arc<dyn ProcessRegistry>,
    hub: ProcessChangeHub,
    run_handle: Arc<dyn ProcessRunHandle>,
    attach: Option<Arc<dyn ProcessAttach>>,
}

impl InlineProcessRunHandle {
    pub fn new(worker: DurableProcessWorker) -> Self {
        Self { worker }
    }
}

#[async_trait]
impl ProcessRunHandle for InlineProcessRunHandle {
    async fn claim_and_run_pending(&self, reason: &str) -> Result<(), RegistryError> {
        log::debug!("sweeping for pending processes: {reason}");
        self.worker.drive_pending_processes().await
    }

    async fn drain_owner_bound_work(&self) -> Option<Vec<ProcessId>> {
        Some(self.worker.drain_owner_bound_work().await)
    }

    fn environment(&self) -> Arc<dyn Environment> {
        Arc::clone(&self.worker.config().environment)
    }
}

impl ProcessWorkDriver {
    /// Watches the registry: writes made through [`Self::process_registry`] wake the waits of this driver.
    pub fn new(registry: Arc<dyn ProcessRegistry>, run_handle: Arc<dyn ProcessRunHandle>) -> Self {
        Self::new_with_sink(registry, run_handle, None)
    }

    /// As [`Self::new`]; the sink is handed what the log gains.
    pub fn new_with_sink(
        registry: Arc<dyn ProcessRegistry>,
        run_handle: Arc<dyn ProcessRunHandle>,
        sink: Option<Arc<dyn ProcessEventSink>>,
    ) -> Self {
        let (registry, hub) = watch_process_registry_with_sink(registry, sink, run_handle.environment());
        Self::from_watched(registry, hub, run_handle)
    }

    /// For a registry that is watched already, by the hub that hears its writes.
    pub fn from_watched(
        registry: Arc<dyn ProcessRegistry>,
        hub: ProcessChangeHub,
        run_handle: Arc<dyn ProcessRunHandle>,
    ) -> Self {
        Self { registry, hub, run_handle, attach: None }
    }

    /// Waits for outcomes through `attach` from now on.
    pub fn with_attach(self, attach: Arc<dyn ProcessAttach>) -> Self {
        Self { attach: Some(attach), ..self }
    }

    /// A driver and its worker in one process: the worker sweeps and writes through the watched registry, so that its
    /// writes wake the waits of this driver at once. It stays the same worker: a drain of either finds all of its work.
    pub fn inline(registry: Arc<dyn ProcessRegistry>, worker: DurableProcessWorker) -> Self {
        let environment = Arc::clone(&worker.config().environment);
        let (registry, hub) = watch_process_registry_with_sink(registry, None, environment);
        let worker = worker.through(Arc::clone(&registry), hub.clone());
        Self::from_watched(registry, hub, Arc::new(InlineProcessRunHandle::new(worker)))
    }

    /// See [`ProcessRunHandle::drain_owner_bound_work`].
    pub async fn drain_owner_bound_work(&self) -> Option<Vec<ProcessId>> {
        self.run_handle.drain_owner_bound_work().await
    }

    pub fn process_registry(&self) -> Arc<dyn ProcessRegistry> {
        Arc::clone(&self.registry)
    }

    pub fn change_hub(&self) -> ProcessChangeHub {
        self.hub.clone()
    }

    pub fn awaiter(&self) -> ProcessAwaiter {
        ProcessAwaiter::new(Arc::clone(&self.registry), self.hub.clone(), self.run_handle.environment())
    }

    /// The outcome of a process, once it has one. Callers bound the wait themselves: a process that never ends would
    /// hold them for ever.
    pub async fn await_terminal(&self, process_id: &str) -> Result<ProcessAwaitOutput, RegistryError> {
        let Some(attach) = &self.attach else {
            return self.awaiter().await_terminal(process_id).await;
        };
        match self.registry.read_process(process_id).await {
            Ok(None) => return Err(RegistryError::unknown(process_id)),
            Err(error) if error.is_refusal() => return Err(error),
            Ok(Some(record)) => {
                if let Some(output) = record.status.output() {
                    return Ok(output.clone());
                }
            }
            Err(_) => {}
        }
        attach.await_terminal(process_id).await
    }

    /// The first event of a type after a cursor, history included; see [`ProcessAwaiter::await_event`].
    pub async fn await_event(
        &self,
        process_id: &str,
        event_type: &str,
        after_sequence: u64,
    ) -> Result<ProcessEvent, RegistryError> {
        self.awaiter().await_event(process_id, event_type, after_sequence).await
    }

    /// Has the run handle sweep the registry once. `reason` is for the log.
    pub async fn claim_and_run_pending(&self, reason: &str) -> Result<(), RegistryError> {
        self.run_handle.claim_and_run_pending(reason).await
    }
}
