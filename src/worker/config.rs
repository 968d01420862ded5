//! The parts a worker is made of.

use std::sync::Arc;

use crate::environment::Environment;
use crate::model::lease::LeaseOwnerLiveness;
use crate::model::lease_timings::LeaseTimings;
use crate::registry::ProcessRegistry;
use crate::registry::change_hub::ProcessChangeHub;
use crate::rules::worker::WorkerRules;
use crate::work::effect::{EffectController, NoEffects};
use crate::work::engine::Engines;

/// Everything a worker is made of.
#[derive(Clone)]
pub struct DurableProcessWorkerConfig {
    pub registry: Arc<dyn ProcessRegistry>,
    pub engines: Engines,
    pub environment: Arc<dyn Environment>,
    pub timings: LeaseTimings,
    /// Names the worker over its restarts; each attempt is an incarnation of it.
    pub owner_id: String,
    /// Evidence by which others can tell that this worker is dead.
    pub liveness: Arc<LeaseOwnerLiveness>,
    /// How many bodies run at once; at least one.
    pub max_concurrent_runs: usize,
    pub effects: Arc<dyn EffectController>,
    /// Where writers on this node tell waiters of changes.
    pub hub: ProcessChangeHub,
    pub rules: WorkerRules,
}

impl DurableProcessWorkerConfig {
    /// A worker with no effects, the default timings and four runs at once.
    pub fn new(
        registry: Arc<dyn ProcessRegistry>,
        engines: Engines,
        environment: Arc<dyn Environment>,
        owner_id: impl Into<String>,
    ) -> Self {
        Self {
            registry,
            engines,
            environment,
            timings: LeaseTimings::default(),
            owner_id: owner_id.into(),
            liveness: Arc::default(),
            max_concurrent_runs: 4,
            effects: Arc::new(NoEffects),
            hub: ProcessChangeHub::new(),
            rules: WorkerRules::LAWFUL,
        }
    }
}
