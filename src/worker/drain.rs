//! The drain: stop taking work, and give up the owner-bound processes that this worker started.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::environment::before;
use crate::model::error::RegistryError;
use crate::model::process::{ProcessId, ProcessRecord};
use crate::work::cancellation::CancellationToken;
use crate::work::effect::ScopedEffectController;
use crate::worker::attempt::{Attempt, AttemptProgress};
use crate::worker::attempt_end::{AttemptPurpose, PAUSE, is_owner_drain};
use crate::worker::context::WorkerContext;
use crate::worker::durable_worker::DurableProcessWorker;
use crate::worker::state::RunningAttempt;

impl DurableProcessWorker {
    /// Stops taking work, gives up the owner-bound processes that this worker started, and answers with those that
    /// its own writes ended.
    pub async fn drain_owner_bound_work(&self) -> Vec<ProcessId> {
        self.context.state.begin_drain();
        let environment = self.context.config.environment.as_ref();
        let started = self.context.state.started();
        let mut running: Vec<(ProcessId, RunningAttempt)> = Vec::new();
        for process_id in started {
            if let Some(here) = self.context.state.running_attempt(&process_id) {
                here.drain.cancel();
                running.push((process_id, here));
            }
        }
        // By then each of them has ended or given up, unless nobody polls it any more.
        let patience = Duration::from_millis(self.context.config.timings.ttl_ms());
        let until = environment.monotonic().saturating_add(patience);
        let mut drained = BTreeSet::new();
        for (process_id, here) in running {
            if before(until, environment, here.ended_as_drain.wait()).await == Some(true) {
                drained.insert(process_id);
            }
        }
        for process_id in self.context.state.started() {
            if self.context.drain_lapsed(&process_id).await {
                drained.insert(process_id);
            }
        }
        drained.into_iter().collect()
    }
}

impl WorkerContext {
    /// Ends a process whose attempt of ours lost its lease, if it is free now. True when this write ended it.
    async fn drain_lapsed(&self, process_id: &str) -> bool {
        let record = match self.read_for_drain(process_id).await {
            Ok(Some(record)) => record,
            Ok(None) => {
                self.state.forget_start(process_id);
                return false;
            }
            Err(error) => {
                log::warn!("process `{process_id}` could not be drained: {error}");
                return false;
            }
        };
        if let Some(output) = record.status.output() {
            // Ours alone say `OwnerDrain` of a starter of ours, also one whose answer was lost.
            let is_our_write = is_owner_drain(output) && self.state.is_starter(&record);
            self.state.forget_start(process_id);
            return is_our_write;
        }
        let attempt = Attempt {
            worker: self,
            purpose: AttemptPurpose::Drain,
            owner: self.fresh_incarnation(),
            record,
            effects: ScopedEffectController::Shared(Arc::clone(&self.config.effects)),
            execution: Arc::default(),
            cancellation: CancellationToken::new(),
            drain: CancellationToken::new(),
            permit: None,
            progress: AttemptProgress::default(),
        };
        // There is no body to lose: a settlement that is not made in a ttl is left to whoever comes.
        let environment = self.config.environment.as_ref();
        let patience = Duration::from_millis(self.config.timings.ttl_ms());
        let until = environment.monotonic().saturating_add(patience);
        let made = before(until, environment, attempt.make()).await;
        if made.is_some_and(|end| end.is_owner_drain()) {
            return true;
        }
        // The outcome may be stored although its answer is lost, so read the row.
        match self.read_for_drain(process_id).await {
            Ok(Some(record)) => {
                record.status.output().is_some_and(is_owner_drain) && self.state.is_starter(&record)
            }
            _ => false,
        }
    }

    /// Reads the row, and tries again while no answer comes, for at most one ttl.
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
}
