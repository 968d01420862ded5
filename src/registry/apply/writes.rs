//! Carrying out what `rules/writes.rs` decides. A fact and its event are written together.

use std::sync::Arc;

use serde::Serialize;

use crate::model::error::{RegistryError, RegistryResult};
use crate::model::event::{ProcessEvent, lifecycle};
use crate::model::lease::ProcessLease;
use crate::model::process::{
    AbandonRequest, FirstStart, ProcessAwaitOutput, ProcessExternalRef, ProcessRecord, ProcessRegistration,
    ProcessStarted, ProcessStatus, WaitState,
};
use crate::model::row::{GrantProvenance, Life, ProcessRow, Tenure};
use crate::registry::apply::step::Step;
use crate::rules::leases::live_lease;
use crate::rules::writes::{Admission, Authority, ExecutionWrite, StartDecision};

/// What a change writes into the log.
struct Fact {
    event_type: &'static str,
    payload: serde_json::Value,
}

impl Fact {
    fn new(event_type: &'static str, payload: &impl Serialize) -> RegistryResult<Self> {
        let payload = serde_json::to_value(payload)
            .map_err(|cause| RegistryError::backend("write a lifecycle event", cause))?;
        Ok(Self { event_type, payload })
    }
}

impl Step<'_> {
    pub(super) fn register(&mut self, registration: ProcessRegistration) -> RegistryResult<ProcessRecord> {
        let registration_hash = registration.content_hash();
        let stored = self.rows.life(&registration.id)?;
        let stored = stored.as_ref().map(|life| &life.row.record);
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
        let life = self.life(process_id)?;
        if !(self.rules.set_external_ref)(&life.row.record, &wanted)? {
            return Ok(life.row.record.clone());
        }
        self.change(&life, None, |row| row.record.external_ref = Some(wanted))
    }

    pub(super) fn first_start(
        &mut self,
        process_id: &str,
        authority: Authority<'_>,
        started: ProcessStarted,
    ) -> RegistryResult<FirstStart> {
        let life = self.life(process_id)?;
        (self.rules.admit)(self.rules, &life, authority, ExecutionWrite::Start(&started), self.now_ms)?;
        let by = match authority {
            Authority::Fenced(presented) => Some(presented.grant()),
            // Admitted unfenced, a worker-run process is started by whoever holds its live lease, an externally owned
            // one by nobody's grant.
            Authority::Unfenced if life.row.record.disposition().is_worker_run() => {
                live_lease(self.rules, &life.tenure, self.now_ms).map(ProcessLease::grant)
            }
            Authority::Unfenced => None,
        };
        match (self.rules.first_start)(&life.row, by.as_ref()) {
            StartDecision::AlreadyYours => Ok(FirstStart::AlreadyYours(life.row.record.clone())),
            StartDecision::AlreadyStarted => Ok(FirstStart::AlreadyStarted(life.row.record.clone())),
            StartDecision::Record => {
                let fact = Fact::new(lifecycle::STARTED, &started)?;
                self.change(&life, Some(fact), |row| {
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
        let life = self.life(process_id)?;
        (self.rules.admit)(self.rules, &life, authority, ExecutionWrite::Wait, self.now_ms)?;
        if !(self.rules.wait_changes)(&life.row.record, wanted.as_ref()) {
            return Ok(life.row.record.clone());
        }
        let fact = match &wanted {
            Some(wait) => Fact::new(lifecycle::WAITING, wait)?,
            None => Fact::new(lifecycle::RESUMED, &life.row.record.wait)?,
        };
        self.change(&life, Some(fact), |row| row.record.wait = wanted)
    }

    pub(super) fn complete(
        &mut self,
        process_id: &str,
        authority: Authority<'_>,
        output: ProcessAwaitOutput,
    ) -> RegistryResult<ProcessRecord> {
        let life = self.life(process_id)?;
        let write = ExecutionWrite::End(&output);
        if (self.rules.admit)(self.rules, &life, authority, write, self.now_ms)? == Admission::AlreadyApplied
        {
            return Ok(life.row.record.clone());
        }
        let event_type = match &output {
            ProcessAwaitOutput::Success { .. } => lifecycle::COMPLETED,
            ProcessAwaitOutput::Failure { .. } => lifecycle::FAILED,
            ProcessAwaitOutput::Cancelled { .. } => lifecycle::CANCELLED,
            ProcessAwaitOutput::Abandoned { .. } => lifecycle::ABANDONED,
        };
        let fact = Fact::new(event_type, &output)?;
        let ended_by = match authority {
            Authority::Fenced(presented) => Some(presented.grant()),
            Authority::Unfenced => None,
        };
        let record = self.change(&life, Some(fact), |row| {
            row.record.wait = None;
            row.record.status = ProcessStatus::ended(output);
            row.provenance.ended_by = ended_by;
        })?;
        if life.tenure.lease.is_some() {
            self.rows.put_tenure(process_id, &Tenure { lease: None, ..life.tenure })?;
        }
        Ok(record)
    }

    pub(super) fn request_abandon(
        &mut self,
        process_id: &str,
        request: AbandonRequest,
    ) -> RegistryResult<ProcessRecord> {
        let life = self.life(process_id)?;
        if !(self.rules.request_abandon)(&life.row.record)? {
            return Ok(life.row.record.clone());
        }
        self.change(&life, None, |row| row.record.abandon_request = Some(request))
    }

    /// Writes a changed row, and its event in the same step.
    fn change(
        &mut self,
        life: &Life,
        fact: Option<Fact>,
        edit: impl FnOnce(&mut ProcessRow),
    ) -> RegistryResult<ProcessRecord> {
        let event = match fact {
            None => None,
            Some(Fact { event_type, payload }) => Some(ProcessEvent {
                process_id: life.row.record.id().to_owned(),
                sequence: (self.rules.next_sequence)(life.highest_sequence)?,
                event_type: event_type.to_owned(),
                payload,
                replay_key: None,
                wake: None,
                occurred_at_ms: self.now_ms,
            }),
        };
        let mut row = ProcessRow::clone(&life.row);
        edit(&mut row);
        row.record.updated_at_ms = self.now_ms;
        let record = row.record.clone();
        self.rows.put_row(Some(&life.row), Arc::new(row))?;
        if let Some(event) = event {
            self.rows.push_event(event)?;
        }
        Ok(record)
    }
}
