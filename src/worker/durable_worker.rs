//! The worker: sweeps the registry for rows that need running and makes one attempt on each, as many at a time as its
//! bound allows. What an attempt does is in `attempt.rs`; here is who starts one, who may stop it, and what a worker
//! remembers of the owner-bound work it began.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::awaiter::ProcessAwaiter;
use crate::environment::{Environment, before};
use crate::model::error::RegistryError;
use crate::model::event::{CANCEL_REQUESTED, ProcessEventAppendRequest};
use crate::model::lease::{LeaseOwnerIdentity, LeaseOwnerLiveness, LeaseTimings};
use crate::model::process::{
    ProcessAwaitOutput, ProcessId, ProcessRecord, ProcessRegistration, RecoveryDisposition,
};
use crate::registry::ProcessRegistry;
use crate::registry::change_hub::ProcessChangeHub;
use crate::rules::worker::{AttemptRules, Next};
use crate::work::cancellation::CancellationToken;
use crate::work::effect::{EffectController, NoEffects, ScopedEffectController};
use crate::work::engine::{Engines, ProcessExecutionContext};
use crate::work::latch::Latch;
use crate::worker::attempt::{Attempt, AttemptEnd, PAUSE, Progress, Purpose, draining, is_owner_drain};

/// Everything a worker is made of.
#[derive(Clone)]
pub struct DurableProcessWorkerConfig {
    pub registry: Arc<dyn ProcessRegistry>,
    pub engines: Engines,
    pub environment: Arc<dyn Environment>,
    pub timings: LeaseTimings,
    /// Names the worker over its restarts; each attempt is an incarnation of it.
    pub owner_id: String,
    /// What others can ask once this worker no longer answers.
    pub liveness: LeaseOwnerLiveness,
    /// How many bodies run at once; at least one.
    pub max_concurrent_runs: usize,
    pub effects: Arc<dyn EffectController>,
    /// Where writers on this node tell waiters of changes.
    pub hub: ProcessChangeHub,
    pub rules: AttemptRules,
}

/// Clones are the same worker.
#[derive(Clone)]
pub struct DurableProcessWorker {
    inner: Arc<Inner>,
}

/// A worker's life, seen through one registry.
pub(crate) struct Inner {
    pub(crate) config: DurableProcessWorkerConfig,
    pub(crate) awaiter: ProcessAwaiter,
    pub(crate) life: Arc<Life>,
}

/// What a worker knows of its own work, from its making to its drain.
pub(crate) struct Life {
    owner_id: String,
    pub(crate) permits: Arc<Semaphore>,
    running: Mutex<BTreeMap<ProcessId, Running>>,
    /// The incarnations of this worker life that may have started an owner-bound process.
    starters: Mutex<BTreeMap<ProcessId, BTreeSet<String>>>,
    is_draining: AtomicBool,
}

/// How to stop an attempt, and how to hear what its own write ended.
#[derive(Clone)]
struct Running {
    drain: CancellationToken,
    /// Whether it ended as a drain.
    end: Latch<bool>,
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
            liveness: LeaseOwnerLiveness::Opaque,
            max_concurrent_runs: 4,
            effects: Arc::new(NoEffects),
            hub: ProcessChangeHub::new(),
            rules: AttemptRules::LAWFUL,
        }
    }
}

impl DurableProcessWorker {
    pub fn new(config: DurableProcessWorkerConfig) -> Self {
        // Tokio's semaphore has an upper bound of its own.
        let permits = config.max_concurrent_runs.clamp(1, Semaphore::MAX_PERMITS);
        let life = Arc::new(Life {
            owner_id: config.owner_id.clone(),
            permits: Arc::new(Semaphore::new(permits)),
            running: Mutex::default(),
            starters: Mutex::default(),
            is_draining: AtomicBool::new(false),
        });
        Self::living(config, life)
    }

    fn living(config: DurableProcessWorkerConfig, life: Arc<Life>) -> Self {
        let awaiter = ProcessAwaiter::new(
            Arc::clone(&config.registry),
            config.hub.clone(),
            Arc::clone(&config.environment),
        );
        Self { inner: Arc::new(Inner { config, awaiter, life }) }
    }

    /// The same worker, that calls the registry through this view of it and hears this hub.
    pub(crate) fn through(&self, registry: Arc<dyn ProcessRegistry>, hub: ProcessChangeHub) -> Self {
        let config = DurableProcessWorkerConfig { registry, hub, ..self.inner.config.clone() };
        Self::living(config, Arc::clone(&self.inner.life))
    }

    pub fn config(&self) -> &DurableProcessWorkerConfig {
        &self.inner.config
    }

    /// Lists the rows that have not ended and hands each to a task of its own; returns then. Only a list that failed is
    /// an error: what goes wrong with a row is logged, and the row stays for the next sweep.
    pub async fn drive_pending_processes(&self) -> Result<(), RegistryError> {
        if self.inner.life.is_draining() {
            return Ok(());
        }
        let started_before = self.inner.life.owner_bound_not_running();
        let listed = self.inner.config.registry.list_non_terminal().await?;
        self.inner.life.forget_ended(started_before, &listed);
        for record in listed {
            if (self.inner.config.rules.after_list)(&record) == Next::Leave {
                continue;
            }
            let Some(ticket) = self.inner.life.enter(record.id()) else {
                continue;
            };
            let worker = self.clone();
            self.inner.config.environment.spawn(Box::pin(async move {
                worker.attempt_listed(record, ticket).await;
            }));
        }
        Ok(())
    }

    async fn attempt_listed(&self, record: ProcessRecord, ticket: Ticket) {
        let effects = ScopedEffectController::Shared(Arc::clone(&self.inner.config.effects));
        let process_id = record.id().to_owned();
        let cancellation = CancellationToken::new();
        let end = self.inner.attempt(record, effects, Arc::default(), cancellation, ticket).await;
        if let AttemptEnd::Left(Some(error)) = end {
            // Refusals are everyday: another worker was first.
            let level = if error.is_refusal() { log::Level::Debug } else { log::Level::Warn };
            log::log!(level, "process `{process_id}` is left for a later sweep: {error}");
        }
    }

    /// Runs one process in the caller's own task, registering it if it is unknown. One that has ended answers its stored
    /// outcome; one that is held elsewhere is refused.
    pub async fn run_process(
        &self,
        registration: ProcessRegistration,
        execution_context: ProcessExecutionContext,
        cancellation: CancellationToken,
    ) -> Result<ProcessAwaitOutput, RegistryError> {
        let effects = ScopedEffectController::Shared(Arc::clone(&self.inner.config.effects));
        self.run_process_with_scoped_effect_controller(registration, execution_context, effects, cancellation)
            .await
    }

    /// As [`Self::run_process`], with an effect controller for this run alone.
    pub async fn run_process_with_scoped_effect_controller(
        &self,
        registration: ProcessRegistration,
        execution_context: ProcessExecutionContext,
        scoped_effect_controller: ScopedEffectController<'_>,
        cancellation: CancellationToken,
    ) -> Result<ProcessAwaitOutput, RegistryError> {
        let process_id = registration.id.clone();
        if registration.disposition == RecoveryDisposition::ExternallyOwned {
            let why = format!("`{process_id}` is externally owned: no worker runs it");
            return Err(RegistryError::invalid("registration.disposition", why));
        }
        let record = self.inner.config.registry.register_process(registration).await?;
        if let Some(output) = record.status.output() {
            return Ok(output.clone());
        }
        let is_busy = || RegistryError::LeaseSuperseded {
            process_id: process_id.clone(),
            presented_fence: 0,
            current_fence: 0,
        };
        if self.inner.life.is_draining() {
            return Err(draining());
        }
        let ticket = self.inner.life.enter(&process_id).ok_or_else(is_busy)?;
        let execution = Arc::new(execution_context);
        let end = self.inner.attempt(record, scoped_effect_controller, execution, cancellation, ticket).await;
        let refusal = match end {
            AttemptEnd::Ended(output) => return Ok(*output),
            AttemptEnd::Left(refusal) => refusal.map_or_else(is_busy, |refusal| *refusal),
        };
        // Somebody else may have ended it meanwhile; that outcome is as good as ours.
        match self.inner.config.registry.read_process(&process_id).await {
            Ok(Some(record)) => record.status.output().cloned().ok_or(refusal),
            _ => Err(refusal),
        }
    }

    /// Asks the process to stop. The same reason twice is one request.
    pub async fn request_process_cancel(
        &self,
        process_id: &str,
        reason: Option<String>,
    ) -> Result<(), RegistryError> {
        let digest = Sha256::digest(reason.as_deref().unwrap_or_default().as_bytes());
        let key: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let kind = if reason.is_some() { "reason" } else { "none" };
        let request = ProcessEventAppendRequest::new(CANCEL_REQUESTED, json!({ "reason": reason }))
            .with_replay(format!("cancel {kind} {key}"));
        self.inner.config.registry.append_event(process_id, request).await?;
        self.inner.config.hub.tick(process_id);
        Ok(())
    }

    /// Stops taking work, gives up the owner-bound processes that this worker life started, and answers with those that
    /// its own writes ended.
    pub async fn drain_owner_bound_work(&self) -> Vec<ProcessId> {
        self.inner.life.is_draining.store(true, Ordering::SeqCst);
        self.inner.life.permits.close();
        let environment = self.inner.config.environment.as_ref();
        let started: Vec<ProcessId> = self.inner.life.starters().keys().cloned().collect();
        let mut running: Vec<(ProcessId, Running)> = Vec::new();
        for process_id in started {
            let here = self.inner.life.running().get(&process_id).cloned();
            if let Some(here) = here {
                here.drain.cancel();
                running.push((process_id, here));
            }
        }
        // By then each of them has ended or given up, unless nobody polls it any more.
        let patience = Duration::from_millis(self.inner.config.timings.ttl_ms());
        let until = environment.monotonic().saturating_add(patience);
        let mut drained = BTreeSet::new();
        for (process_id, here) in running {
            if before(until, environment, here.end.wait()).await == Some(true) {
                drained.insert(process_id);
            }
        }
        // Not in the loop's head, where the lock would be held for the whole loop.
        let left: Vec<ProcessId> = self.inner.life.starters().keys().cloned().collect();
        for process_id in left {
            if self.inner.drain_lapsed(&process_id).await {
                drained.insert(process_id);
            }
        }
        drained.into_iter().collect()
    }
}

/// A place in the table of what runs here, given up however the attempt ends: by being dropped unpolled, too.
struct Ticket {
    life: Arc<Life>,
    process_id: ProcessId,
    drain: CancellationToken,
    end: Latch<bool>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.life.running().remove(&self.process_id);
        // Of an attempt that was dropped nobody knows; the row is looked at.
        self.end.set(false);
    }
}

impl Life {
    fn running(&self) -> MutexGuard<'_, BTreeMap<ProcessId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn starters(&self) -> MutexGuard<'_, BTreeMap<ProcessId, BTreeSet<String>>> {
        self.starters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None` when the process runs here already, or nothing is taken any more.
    fn enter(self: &Arc<Self>, process_id: &str) -> Option<Ticket> {
        if self.is_draining() {
            return None;
        }
        match self.running().entry(process_id.to_owned()) {
            Entry::Occupied(_) => None,
            Entry::Vacant(free) => {
                let (drain, end) = (CancellationToken::new(), Latch::new());
                free.insert(Running { drain: drain.clone(), end: end.clone() });
                Some(Ticket { life: Arc::clone(self), process_id: process_id.to_owned(), drain, end })
            }
        }
    }

    /// Whether this worker life may have started the process as it stands.
    pub(crate) fn is_starter(&self, record: &ProcessRecord) -> bool {
        record.first_started.as_ref().is_some_and(|started| {
            started.owner.owner_id == self.owner_id
                && self
                    .starters()
                    .get(record.id())
                    .is_some_and(|ours| ours.contains(&started.owner.incarnation_id))
        })
    }

    /// Asked before a first start: none once the worker drains. An owner-bound one is remembered, so that a drain finds
    /// it; the drain raises its flag before it looks here, so no start falls between the two.
    pub(crate) fn may_start(&self, record: &ProcessRecord, owner: &LeaseOwnerIdentity) -> bool {
        let mut starters = self.starters();
        if self.is_draining() {
            return false;
        }
        if record.disposition() == RecoveryDisposition::OwnerBound {
            starters.entry(record.id().to_owned()).or_default().insert(owner.incarnation_id.clone());
        }
        true
    }

    pub(crate) fn forget_start(&self, process_id: &str) {
        self.starters().remove(process_id);
    }

    fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::SeqCst)
    }

    /// Started here, and no attempt of ours is at it now.
    fn owner_bound_not_running(&self) -> Vec<ProcessId> {
        let running = self.running();
        self.starters().keys().filter(|process_id| !running.contains_key(*process_id)).cloned().collect()
    }

    /// Of those that were started before the list was read, the ones it no longer shows have ended.
    fn forget_ended(&self, started_before: Vec<ProcessId>, listed: &[ProcessRecord]) {
        // A drain still needs to know its own.
        if started_before.is_empty() || self.is_draining() {
            return;
        }
        let listed: BTreeSet<&str> = listed.iter().map(ProcessRecord::id).collect();
        for process_id in started_before {
            if !listed.contains(process_id.as_str()) {
                self.forget_start(&process_id);
            }
        }
    }
}

impl Inner {
    /// A permit before the claim: a lease is never held while its work waits for its turn.
    async fn attempt(
        &self,
        record: ProcessRecord,
        effects: ScopedEffectController<'_>,
        execution: Arc<ProcessExecutionContext>,
        cancellation: CancellationToken,
        ticket: Ticket,
    ) -> AttemptEnd {
        let Ok(permit) = Arc::clone(&self.life.permits).acquire_owned().await else {
            return AttemptEnd::refused(draining());
        };
        let attempt = Attempt {
            worker: self,
            purpose: Purpose::Run,
            owner: self.fresh_incarnation(),
            record,
            effects,
            execution,
            cancellation,
            drain: ticket.drain.clone(),
            permit: Some(permit),
            progress: Progress::default(),
        };
        let end = attempt.make().await;
        ticket.end.set(end.is_owner_drain());
        end
    }

    /// Ends a process whose attempt of ours lost its lease, if it is free now. True when this write ended it.
    async fn drain_lapsed(&self, process_id: &str) -> bool {
        let record = match self.read_for_drain(process_id).await {
            Ok(Some(record)) => record,
            Ok(None) => {
                self.life.forget_start(process_id);
                return false;
            }
            Err(error) => {
                log::warn!("process `{process_id}` could not be drained: {error}");
                return false;
            }
        };
        if let Some(output) = record.status.output() {
            // Ours alone say `OwnerDrain` of a starter of ours, also one whose answer was lost.
            let is_our_write = is_owner_drain(output) && self.life.is_starter(&record);
            self.life.forget_start(process_id);
            return is_our_write;
        }
        let attempt = Attempt {
            worker: self,
            purpose: Purpose::Drain,
            owner: self.fresh_incarnation(),
            record,
            effects: ScopedEffectController::Shared(Arc::clone(&self.config.effects)),
            execution: Arc::default(),
            cancellation: CancellationToken::new(),
            drain: CancellationToken::new(),
            permit: None,
            progress: Progress::default(),
        };
        // There is no body to lose: a settlement that is not made in a ttl is left to whoever comes.
        let environment = self.config.environment.as_ref();
        let patience = Duration::from_millis(self.config.timings.ttl_ms());
        let until = environment.monotonic().saturating_add(patience);
        let made = before(until, environment, attempt.make()).await;
        if made.is_some_and(|end| end.is_owner_drain()) {
            return true;
        }
        // It may have been written all the same: the row tells.
        match self.read_for_drain(process_id).await {
            Ok(Some(record)) => {
                record.status.output().is_some_and(is_owner_drain) && self.life.is_starter(&record)
            }
            _ => false,
        }
    }

    /// Again while the answer fails to come, for a ttl at most.
    async fn read_for_drain(&self, process_id: &str) -> Result<Option<ProcessRecord>, RegistryError> {
        let environment = self.config.environment.as_ref();
        let patience = Duration::from_millis(self.config.timings.ttl_ms());
        let until = environment.monotonic().saturating_add(patience);
        let mut failure = RegistryError::unavailable("read a process", "no answer came in time");
        let reading = before(until, environment, async {
            loop {
                match self.config.registry.read_process(process_id).await {
                    Err(error) if !error.is_refusal() => failure = error,
                    known => return known,
                }
                environment.sleep(PAUSE).await;
            }
        });
        reading.await.unwrap_or(Err(failure))
    }

    fn fresh_incarnation(&self) -> LeaseOwnerIdentity {
        let mut entropy = [0; 16];
        self.config.environment.fill_entropy(&mut entropy);
        LeaseOwnerIdentity {
            owner_id: self.config.owner_id.clone(),
            incarnation_id: (self.config.rules.incarnation)(entropy),
            liveness: self.config.liveness.clone(),
        }
    }
}
