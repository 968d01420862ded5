//! A place for a worker: the registry to call, the time and machine it lives on, and the bodies to run.

use std::sync::Arc;

use async_trait::async_trait;
use fencepost::ProcessRegistry;
use fencepost::environment::Environment;
use fencepost::model::event::ProcessEventAppendRequest;
use fencepost::model::lease::LeaseOwnerLiveness;
use fencepost::model::lease_timings::LeaseTimings;
use fencepost::model::process::{ProcessAwaitOutput, ProcessRecord};
use fencepost::rules::worker::WorkerRules;
use fencepost::work::cancellation::CancellationToken;
use fencepost::work::effect::EffectController;
use fencepost::work::engine::{Engines, InputKind, ProcessEngine};
use fencepost::worker::{DurableProcessWorker, DurableProcessWorkerConfig};

/// Everything a worker is made from.
pub struct Workplace {
    pub registry: Arc<dyn ProcessRegistry>,
    pub environment: Arc<dyn Environment>,
    pub timings: LeaseTimings,
    /// Names the worker over its restarts; each attempt should be an incarnation of its own.
    pub owner_id: String,
    pub liveness: Arc<LeaseOwnerLiveness>,
    /// How many bodies may run at once.
    pub bound: usize,
    /// The ledger outside, which takes the effects of our own worker's bodies.
    pub effects: Arc<dyn EffectController>,
    pub(crate) attempt_rules: WorkerRules,
    pub(crate) bodies: Arc<dyn Bodies>,
}

/// The bodies of a plan's processes, as one node runs them.
#[async_trait]
pub(crate) trait Bodies: Send + Sync {
    /// Runs the body of the process under the grant of this fence; `None` when the infrastructure failed.
    async fn run(
        &self,
        record: &ProcessRecord,
        fence: u64,
        actions: &dyn BodyActions,
    ) -> Option<ProcessAwaitOutput>;

    /// The engine that runs them for our own worker.
    fn engine(&self) -> Arc<dyn ProcessEngine>;
}

/// The actions of a body that its worker carries out. Each one under a lost lease is recorded, and held against the worker.
#[async_trait]
pub trait BodyActions: Send + Sync {
    async fn emit(&self, request: ProcessEventAppendRequest) -> Result<(), String>;
    async fn wait_for_signal(&self, name: &str) -> Result<(), String>;
    async fn await_process(&self, process_id: &str) -> Result<(), String>;
    fn cancellation(&self) -> &CancellationToken;
}

impl Workplace {
    /// Our own worker, at this place.
    pub fn worker(self) -> DurableProcessWorker {
        let mut engines = Engines::new();
        engines.insert(InputKind::Engine("script".into()), self.bodies.engine());
        let mut config =
            DurableProcessWorkerConfig::new(self.registry, engines, self.environment, self.owner_id);
        config.timings = self.timings;
        config.liveness = self.liveness;
        config.max_concurrent_runs = self.bound;
        config.effects = self.effects;
        config.rules = self.attempt_rules;
        DurableProcessWorker::new(config)
    }

    /// Runs the body of the process under the grant of this fence, as the plan has it. `None` when the infrastructure failed, and
    /// the process should stay claimable. Dropped, it stops where it stands.
    pub async fn run(
        &self,
        record: &ProcessRecord,
        fence: u64,
        actions: &dyn BodyActions,
    ) -> Option<ProcessAwaitOutput> {
        self.bodies.run(record, fence, actions).await
    }
}
