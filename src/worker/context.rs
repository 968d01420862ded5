//! A worker seen through one registry: what every attempt of it needs. Two contexts of one worker share its state, so
//! that a drain through either finds all of its work.

use std::sync::Arc;

use crate::awaiter::ProcessAwaiter;
use crate::model::lease::LeaseOwnerIdentity;
use crate::worker::config::DurableProcessWorkerConfig;
use crate::worker::state::WorkerState;

pub(super) struct WorkerContext {
    pub(super) config: DurableProcessWorkerConfig,
    pub(super) awaiter: ProcessAwaiter,
    pub(super) state: Arc<WorkerState>,
}

impl WorkerContext {
    pub(super) fn new(config: DurableProcessWorkerConfig, state: Arc<WorkerState>) -> Self {
        let awaiter = ProcessAwaiter::new(
            Arc::clone(&config.registry),
            config.hub.clone(),
            Arc::clone(&config.environment),
        );
        Self { config, awaiter, state }
    }

    /// The identity of one attempt: this worker, in an incarnation that was never used before.
    pub(super) fn fresh_incarnation(&self) -> LeaseOwnerIdentity {
        let mut entropy = [0; 16];
        self.config.environment.fill_entropy(&mut entropy);
        LeaseOwnerIdentity {
            owner_id: self.config.owner_id.clone(),
            incarnation_id: (self.config.rules.incarnation)(entropy),
            liveness: Arc::clone(&self.config.liveness),
        }
    }
}
