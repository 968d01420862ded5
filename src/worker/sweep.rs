//! The sweep: list the rows that have not ended, and make one attempt on each in a task of its own.

use std::sync::Arc;

use crate::model::error::RegistryError;
use crate::model::process::ProcessRecord;
use crate::rules::worker::NextStep;
use crate::work::cancellation::CancellationToken;
use crate::work::effect::ScopedEffectController;
use crate::worker::attempt_end::AttemptEnd;
use crate::worker::durable_worker::DurableProcessWorker;
use crate::worker::state::AttemptSlot;

impl DurableProcessWorker {
    /// Lists the rows that have not ended and hands each to a task of its own; returns then. Only a list that failed is
    /// an error: what goes wrong with a row is logged, and the row stays for the next sweep.
    pub async fn drive_pending_processes(&self) -> Result<(), RegistryError> {
        if self.context.state.is_draining() {
            return Ok(());
        }
        let started_before = self.context.state.owner_bound_not_running();
        let listed = self.context.config.registry.list_non_terminal().await?;
        self.context.state.forget_ended(started_before, &listed);
        for record in listed {
            if (self.context.config.rules.after_list)(&record) == NextStep::Leave {
                continue;
            }
            let Some(slot) = self.context.state.enter(record.id()) else {
                continue;
            };
            let worker = self.clone();
            self.context.config.environment.spawn(Box::pin(async move {
                worker.attempt_listed(record, slot).await;
            }));
        }
        Ok(())
    }

    async fn attempt_listed(&self, record: ProcessRecord, slot: AttemptSlot) {
        let effects = ScopedEffectController::Shared(Arc::clone(&self.context.config.effects));
        let process_id = record.id().to_owned();
        let cancellation = CancellationToken::new();
        let end = self.context.attempt(record, effects, Arc::default(), cancellation, slot).await;
        if let AttemptEnd::Left(Some(error)) = end {
            // A refusal is common: another worker was first.
            let level = if error.is_refusal() { log::Level::Debug } else { log::Level::Warn };
            log::log!(level, "process `{process_id}` is left for a later sweep: {error}");
        }
    }
}
