//! Running one process in the caller's own task.

use std::sync::Arc;

use crate::model::error::RegistryError;
use crate::model::process::{ProcessAwaitOutput, ProcessRegistration, RecoveryDisposition};
use crate::work::cancellation::CancellationToken;
use crate::work::effect::ScopedEffectController;
use crate::work::engine::ProcessExecutionContext;
use crate::worker::attempt_end::{AttemptEnd, draining};
use crate::worker::durable_worker::DurableProcessWorker;

impl DurableProcessWorker {
    /// Runs one process in the caller's own task, registering it if it is unknown. One that has ended answers its
    /// stored outcome; one that is held elsewhere is refused.
    pub async fn run_process(
        &self,
        registration: ProcessRegistration,
        execution_context: ProcessExecutionContext,
        cancellation: CancellationToken,
    ) -> Result<ProcessAwaitOutput, RegistryError> {
        let effects = ScopedEffectController::Shared(Arc::clone(&self.context.config.effects));
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
        let record = self.context.config.registry.register_process(registration).await?;
        if let Some(output) = record.status.output() {
            return Ok(output.clone());
        }
        let is_busy = || RegistryError::LeaseSuperseded {
            process_id: process_id.clone(),
            presented_fence: 0,
            current_fence: 0,
        };
        if self.context.state.is_draining() {
            return Err(draining());
        }
        let slot = self.context.state.enter(&process_id).ok_or_else(is_busy)?;
        let execution = Arc::new(execution_context);
        let end = self.context.attempt(record, scoped_effect_controller, execution, cancellation, slot).await;
        let refusal = match end {
            AttemptEnd::Ended(output) => return Ok(*output),
            AttemptEnd::Left(refusal) => refusal.map_or_else(is_busy, |refusal| *refusal),
        };
        // Somebody else may have ended it meanwhile; that outcome is as good as ours.
        match self.context.config.registry.read_process(&process_id).await {
            Ok(Some(record)) => record.status.output().cloned().ok_or(refusal),
            _ => Err(refusal),
        }
    }
}
