//! Registrations, starts, waits and outcomes, as `rules/writes.rs` decides them. A row and its event are written
//! together.

use std::sync::Arc;

use serde::Serialize;

use crate::model::error::{RegistryError, RegistryResult};
use crate::model::event::{ProcessEvent, lifecycle};
use crate::model::lease::ProcessLease;
use crate::model::process::{
    AbandonRequest, FirstStart, ProcessAwaitOutput, ProcessExternalRef, ProcessRecord, ProcessRegistration,
    ProcessStarted, ProcessStatus, WaitState,
};
use crate::model::row::{GrantProvenance, ProcessRow, StoredProcess, Tenure};
use crate::registry::apply::step::AtomicStep;
use crate::rules::leases::live_lease;
use crate::rules::writes::{Admission, Authority, ExecutionWrite, StartDecision};

/// The event that a change writes into the log.
struct LifecycleFact {
    event_type: &'static str,
    payload: serde_json::Value,
}

impl LifecycleFact {
    fn new(event_type: &'static str, payload: &impl Serialize) -> RegistryResult<Self> {
        let payload = serde_json::to_value(payload)
            .map_err(|cause| RegistryError::backend("write a lifecycle event", cause))?;
        Ok(Self { event_type, payload })
    }
}

impl AtomicStep<'_> {
    pub(super) fn register(&mut self, registration: ProcessRegistration) -> RegistryResult<ProcessRecord> {
        let registration_hash = registration.content_hash();
        let stored = self.rows.stored_process(&registration.id)?;
        let stored = stored.as_ref().map(|process| &process.row.record);
        if !(self.rules.register)(stored, &registration.id, &registration_hash)?
            && let Some(record) = stored
        {
            return Ok(record.clone());
        }
        let record = ProcessRecord {
            registration: Arc::new(registration),
            registration_hash,
            created_at_ms: self.now_ms,
            updated_at_ms: self.now_ms,
            external_ref: None,
            first_started: None,
            abandon_request: None,
            wait: None,
            status: ProcessStatus::Running,
        };
        let row = ProcessRow { record: record.clone(), provenance: GrantProvenance::default() };
        self.rows.put_row(None, Arc::new(row))?;
        Ok(record)
    }

    pub(super) fn set_external_ref(
        &mut self,
        process_id: &str,
        wanted: ProcessExternalRef,
    ) -> RegistryResult<ProcessRecord> {
        let process = self.stored_process(process_id)?;
        if !(self.rules.set_external_ref)(&process.row.record, &wanted)? {
            return Ok(process.row.record.clone());
        }
        self.change(&process, None, |row| row.record.external_ref = Some(wanted))
    }

    pub(super) fn first_start(
        &mut self,
        process_id: &str,
        authority: Authority<'_>,
        started: ProcessStarted,
    ) -> RegistryResult<FirstStart> {
        let process = self.stored_process(process_id)?;
        (self.rules.admit)(self.rules, &process, authority, ExecutionWrite::Start(&started), self.now_ms)?;
        let by = match authority {
            Authority::Fenced(presented) => Some(presented.grant()),
            // Admitted unfenced, a worker-run process is started by whoever holds its live lease, an externally owned
            // one by nobody's grant.
            Authority::Unfenced if process.row.record.disposition().is_worker_run() => {
                live_lease(self.rules, &process.tenure, self.now_ms).map(ProcessLease::grant)
            }
            Authority::Unfenced => None,
        };
        match (self.rules.first_start)(&process.row, by.as_ref()) {
            StartDecision::AlreadyYours => Ok(FirstStart::AlreadyYours(process.row.record.clone())),
            StartDecision::AlreadyStarted => Ok(FirstStart::AlreadyStarted(process.row.record.clone())),
            StartDecision::Record => {
                let fact = LifecycleFact::new(lifecycle::STARTED, &started)?;
                self.change(&process, Some(fact), |row| {
                    row.record.first_started = Some(started);
                    row.provenance.started_by = by;
                })
                .map(FirstStart::Started)
            }
        }
    }

    /// Sets a wait, or clears the one there is.
    pub(super) fn change_wait(
        &mut self,
        process_id: &str,
        authority: Authority<'_>,
        wanted: Option<WaitState>,
    ) -> RegistryResult<ProcessRecord> {
        let process = self.stored_process(process_id)?;
        (self.rules.admit)(self.rules, &process, authority, ExecutionWrite::Wait, self.now_ms)?;
        if !(self.rules.wait_changes)(&process.row.record, wanted.as_ref()) {
            return Ok(process.row.record.clone());
        }
        let fact = match &wanted {
            Some(wait) => LifecycleFact::new(lifecycle::WAITING, wait)?,
            None => LifecycleFact::new(lifecycle::RESUMED, &process.row.record.wait)?,
        };
        self.change(&process, Some(fact), |row| row.record.wait = wanted)
    }

    pub(super) fn complete(
        &mut self,
        process_id: &str,
        authority: Authority<'_>,
        output: ProcessAwaitOutput,
    ) -> RegistryResult<ProcessRecord> {
        let process = self.stored_process(process_id)?;
        let write = ExecutionWrite::End(&output);
        if (self.rules.admit)(self.rules, &process, authority, write, self.now_ms)?
            == Admission::AlreadyApplied
        {
            return Ok(process.row.record.clone());
        }
        let event_type = match &output {
            ProcessAwaitOutput::Success { .. } => lifecycle::COMPLETED,
            ProcessAwaitOutput::Failure { .. } => lifecycle::FAILED,
            ProcessAwaitOutput::Cancelled { .. } => lifecycle::CANCELLED,
            ProcessAwaitOutput::Abandoned { .. } => lifecycle::ABANDONED,
        };
        let fact = LifecycleFact::new(event_type, &output)?;
        let ended_by = match authority {
            Authority::Fenced(presented) => Some(presented.grant()),
            Authority::Unfenced => None,
        };
        let record = self.change(&process, Some(fact), |row| {
            row.record.wait = None;
            row.record.status = ProcessStatus::ended(output);
            row.provenance.ended_by = ended_by;
        })?;
        if process.tenure.lease.is_some() {
            self.rows.put_tenure(process_id, &Tenure { lease: None, ..process.tenure })?;
        }
        Ok(record)
    }

    pub(super) fn request_abandon(
        &mut self,
        process_id: &str,
        request: AbandonRequest,
    ) -> RegistryResult<ProcessRecord> {
        let process = self.stored_process(process_id)?;
        if !(self.rules.request_abandon)(&process.row.record)? {
            return Ok(process.row.record.clone());
        }
        self.change(&process, None, |row| row.record.abandon_request = Some(request))
    }

    /// Writes a changed row, and its event in the same step.
    fn change(
        &mut self,
        process: &StoredProcess,
        fact: Option<LifecycleFact>,
        edit: impl FnOnce(&mut ProcessRow),
    ) -> RegistryResult<ProcessRecord> {
        let event = match fact {
            None => None,
            Some(LifecycleFact { event_type, payload }) => Some(ProcessEvent {
                process_id: process.row.record.id().to_owned(),
                sequence: (self.rules.next_sequence)(process.highest_sequence)?,
                event_type: event_type.to_owned(),
                payload,
                replay_key: None,
                wake: None,
                occurred_at_ms: self.now_ms,
            }),
        };
        let mut row = ProcessRow::clone(&process.row);
        edit(&mut row);
        row.record.updated_at_ms = self.now_ms;
        let record = row.record.clone();
        self.rows.put_row(Some(&process.row), Arc::new(row))?;
        if let Some(event) = event {
            self.rows.push_event(event)?;
        }
        Ok(record)
    }
}
