//! The worker that hosts hold. A sweep (`sweep.rs`) and a run of one process (`run_process.rs`) start attempts
//! (`attempt.rs`); a drain (`drain.rs`) stops them.

use std::sync::Arc;

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::model::error::RegistryError;
use crate::model::event::{CANCEL_REQUESTED, ProcessEventAppendRequest};
use crate::model::hex::to_hex;
use crate::registry::ProcessRegistry;
use crate::registry::change_hub::ProcessChangeHub;
use crate::worker::config::DurableProcessWorkerConfig;
use crate::worker::context::WorkerContext;
use crate::worker::state::WorkerState;

/// Clones are the same worker.
#[derive(Clone)]
pub struct DurableProcessWorker {
    pub(super) context: Arc<WorkerContext>,
}

impl DurableProcessWorker {
    pub fn new(config: DurableProcessWorkerConfig) -> Self {
        let state = Arc::new(WorkerState::new(config.owner_id.clone(), config.max_concurrent_runs));
        Self { context: Arc::new(WorkerContext::new(config, state)) }
    }

    /// The same worker, that calls the registry through this view of it and hears this hub.
    pub(crate) fn through(&self, registry: Arc<dyn ProcessRegistry>, hub: ProcessChangeHub) -> Self {
        let config = DurableProcessWorkerConfig { registry, hub, ..self.context.config.clone() };
        Self { context: Arc::new(WorkerContext::new(config, Arc::clone(&self.context.state))) }
    }

    pub fn config(&self) -> &DurableProcessWorkerConfig {
        &self.context.config
    }

    /// Asks the process to stop. The same reason twice is one request.
    pub async fn request_process_cancel(
        &self,
        process_id: &str,
        reason: Option<String>,
    ) -> Result<(), RegistryError> {
        let digest = Sha256::digest(reason.as_deref().unwrap_or_default().as_bytes());
        let key = to_hex(&digest);
        let kind = if reason.is_some() { "reason" } else { "none" };
        let request = ProcessEventAppendRequest::new(CANCEL_REQUESTED, json!({ "reason": reason }))
            .with_replay(format!("cancel {kind} {key}"));
        self.context.config.registry.append_event(process_id, request).await?;
        self.context.config.hub.tick(process_id);
        Ok(())
    }
}
