//! Starts, waits, requests and outcomes, and who may write them. Each fact is written with its event.

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::error::{RegistryError, RegistryResult};
use crate::model::lease::ProcessLease;
use crate::model::process::{
    AbandonRequest, AbandonWriter, ProcessAwaitOutput, ProcessStarted, ProcessStatus, RecoveryDisposition,
    WaitState,
};

use super::arguments::invalid;
use super::claims::{same_grant, same_owner};
use super::expected::{Expected, StartAnswer};
use super::{Latitude, ModelledProcess, ReferenceModel};

impl ModelledProcess {
    pub(super) fn is_worker_run(&self) -> bool {
        self.record.registration.disposition != RecoveryDisposition::ExternallyOwned
    }

    pub(super) fn must_be_open(&self) -> RegistryResult<()> {
        if !self.record.is_terminal() {
            return Ok(());
        }
        let process_id = self.record.id().to_owned();
        Err(RegistryError::AlreadyTerminal { process_id, status: self.record.status.clone() })
    }

    pub(super) fn lease_required(&self) -> RegistryError {
        RegistryError::LeaseRequired { process_id: self.record.id().to_owned() }
    }

    /// True, if an execution may make a write other than its outcome under this lease, or under none.
    pub(super) fn admit(
        &self,
        lease: Option<&ProcessLease>,
        reached_fence: u64,
        now_ms: u64,
    ) -> RegistryResult<()> {
        match lease {
            None if self.is_worker_run() => Err(self.lease_required()),
            Some(_) if !self.is_worker_run() => Err(invalid()),
            None => self.must_be_open(),
            Some(lease) => {
                self.must_be_open()?;
                self.check_grant(lease, reached_fence, now_ms)
            }
        }
    }
}

impl ReferenceModel {
    pub(super) fn request_abandon(
        &mut self,
        process_id: &str,
        request: &AbandonRequest,
        now_ms: u64,
    ) -> RegistryResult<Expected<'_>> {
        let process = self.process(process_id)?;
        process.must_be_open()?;
        if process.record.abandon_request.is_none() {
            process.record.abandon_request = Some(request.clone());
            process.record.updated_at_ms = now_ms;
        }
        Ok(Expected::Record(&process.record))
    }

    /// In the name of the holder of the live lease, on a process that workers run.
    pub(super) fn unfenced_start(
        &mut self,
        process_id: &str,
        started: &ProcessStarted,
        now_ms: u64,
    ) -> RegistryResult<Expected<'_>> {
        let process = self.process(process_id)?;
        let is_worker_run = process.is_worker_run();
        let holder = process.live(now_ms).filter(|_| is_worker_run).cloned();
        let is_holders = holder.as_ref().is_some_and(|held| same_owner(&held.owner, &started.owner));
        if is_worker_run && !is_holders {
            return Err(process.lease_required());
        }
        process.must_be_open()?;
        self.start(process_id, holder.as_ref(), started, now_ms)?;
        Ok(Expected::Record(&self.process(process_id)?.record))
    }

    pub(super) fn fenced_start(
        &mut self,
        lease: &ProcessLease,
        started: &ProcessStarted,
        now_ms: u64,
    ) -> RegistryResult<Expected<'_>> {
        let process_id = &lease.process_id;
        let reached = self.highest_fence(process_id);
        self.process(process_id)?.admit(Some(lease), reached, now_ms)?;
        let answer = self.start(process_id, Some(lease), started, now_ms)?;
        Ok(Expected::FirstStart(answer, &self.process(process_id)?.record))
    }

    /// The first writer wins.
    fn start(
        &mut self,
        process_id: &str,
        by: Option<&ProcessLease>,
        started: &ProcessStarted,
        now_ms: u64,
    ) -> RegistryResult<StartAnswer> {
        let process = self.process(process_id)?;
        if process.record.first_started.is_some() {
            return Ok(match (&process.starter, by) {
                (Some(starter), Some(by)) if same_grant(starter, by) => StartAnswer::AlreadyYours,
                _ => StartAnswer::AlreadyStarted,
            });
        }
        process.record.first_started = Some(started.clone());
        process.starter = by.cloned();
        self.write_fact(process_id, now_ms, "process.started", started)?;
        Ok(StartAnswer::Started)
    }

    /// Sets a wait, or clears the one there is.
    pub(super) fn change_wait(
        &mut self,
        process_id: &str,
        lease: Option<&ProcessLease>,
        wanted: Option<&WaitState>,
        now_ms: u64,
    ) -> RegistryResult<Expected<'_>> {
        let reached = self.highest_fence(process_id);
        let process = self.process(process_id)?;
        process.admit(lease, reached, now_ms)?;
        if process.record.wait.as_ref() != wanted {
            let before = std::mem::replace(&mut process.record.wait, wanted.cloned());
            match wanted {
                Some(wait) => self.write_fact(process_id, now_ms, "process.waiting", wait)?,
                None => self.write_fact(process_id, now_ms, "process.resumed", &before)?,
            }
        }
        Ok(Expected::Record(&self.process(process_id)?.record))
    }

    pub(super) fn complete(
        &mut self,
        process_id: &str,
        lease: Option<&ProcessLease>,
        output: &ProcessAwaitOutput,
        now_ms: u64,
    ) -> RegistryResult<Expected<'_>> {
        let reached = self.highest_fence(process_id);
        let writer = match output {
            ProcessAwaitOutput::Abandoned { evidence } => Some(evidence.writer),
            _ => None,
        };
        let process = self.process(process_id)?;
        match lease {
            None if process.is_worker_run() => return Err(process.lease_required()),
            Some(_) if !process.is_worker_run() && writer != Some(AbandonWriter::ReconciledRequest) => {
                return Err(invalid());
            }
            _ => {}
        }
        let is_ender = match (lease, &process.ender) {
            (None, _) => true,
            (Some(lease), Some(ender)) => same_grant(lease, ender),
            (Some(_), None) => false,
        };
        let is_applied = process.record.status.output() == Some(output) && is_ender;
        if !is_applied {
            process.must_be_open()?;
            if let Some(lease) = lease {
                process.check_grant(lease, reached, now_ms)?;
            }
            process.must_be_licensed(writer)?;
            process.lease = None;
            process.ender = lease.cloned();
            process.record.wait = None;
            process.record.status = ProcessStatus::ended(output.clone());
            let event_type = match output {
                ProcessAwaitOutput::Success { .. } => "process.completed",
                ProcessAwaitOutput::Failure { .. } => "process.failed",
                ProcessAwaitOutput::Cancelled { .. } => "process.cancelled",
                ProcessAwaitOutput::Abandoned { .. } => "process.abandoned",
            };
            self.write_fact(process_id, now_ms, event_type, output)?;
        }
        Ok(Expected::Record(&self.process(process_id)?.record))
    }

    fn write_fact(
        &mut self,
        process_id: &str,
        now_ms: u64,
        event_type: &str,
        fact: &impl Serialize,
    ) -> RegistryResult<()> {
        let payload = match self.latitude {
            Latitude::Fencepost => json!(fact),
            Latitude::Contract => Value::Null,
        };
        self.push_event(process_id, now_ms, event_type, payload, None, None).map(drop)
    }
}

impl ModelledProcess {
    /// Giving up needs a recorded request, or an owner-bound process that has started.
    fn must_be_licensed(&self, writer: Option<AbandonWriter>) -> RegistryResult<()> {
        let is_started_owner_bound = self.record.disposition() == RecoveryDisposition::OwnerBound
            && self.record.first_started.is_some();
        let is_licensed = match writer {
            None => true,
            Some(AbandonWriter::ReconciledRequest) => self.record.abandon_request.is_some(),
            Some(AbandonWriter::Sweep | AbandonWriter::OwnerDrain) => is_started_owner_bound,
        };
        if is_licensed { Ok(()) } else { Err(invalid()) }
    }
}
