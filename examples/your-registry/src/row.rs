//! One process, from its start to its end: who may write what, in the order of checks that the contract fixes. A row
//! that workers run takes the writes of its execution only from its live grant, looked at in the step that writes.
//! Every refusal comes before the first change. Read next: `lease.rs`, `log.rs`.

use std::collections::BTreeSet;
use std::sync::Arc;

use fencepost::RegistryError;
use fencepost::model::event::{ProcessEvent, lifecycle};
use fencepost::model::lease::{Grant, ProcessLease, same_incarnation};
use fencepost::model::process::{
    AbandonRequest, AbandonWriter, FirstStart, ProcessAwaitOutput, ProcessExternalRef, ProcessRecord,
    ProcessRegistration, ProcessStarted, ProcessStatus, RecoveryDisposition, WaitState,
};
use serde::Serialize;
use serde_json::Value;

pub type Answer<T> = Result<T, RegistryError>;

pub struct Row {
    pub record: ProcessRecord,
    pub log: Vec<ProcessEvent>,
    pub acked: BTreeSet<u64>,
    pub lease: Option<ProcessLease>,
    pub reached: Reached,
    started_by: Option<Grant>,
    ended_by: Option<Grant>,
}

/// How far an id has come, in all its lives: an old writer may outlive a prune.
#[derive(Clone, Copy, Default)]
pub struct Reached {
    pub fence: u64,
    pub sequence: u64,
}

/// The proof that a worker must present to end a process.
#[derive(Clone, Copy)]
pub enum EndNeeds {
    LiveGrant,
    /// The bug of the broken variant: whoever was not yet superseded may write, however late.
    StoredGrant,
}

impl Row {
    pub fn new(registration: ProcessRegistration, hash: String, reached: Reached, now_ms: u64) -> Self {
        let record = ProcessRecord {
            registration: Arc::new(registration),
            registration_hash: hash,
            created_at_ms: now_ms,
            updated_at_ms: now_ms,
            external_ref: None,
            first_started: None,
            abandon_request: None,
            wait: None,
            status: ProcessStatus::Running,
        };
        let (log, acked) = (Vec::new(), BTreeSet::new());
        Self { record, log, acked, lease: None, reached, started_by: None, ended_by: None }
    }

    pub fn end(
        &mut self,
        by: Option<&ProcessLease>,
        output: ProcessAwaitOutput,
        needs: EndNeeds,
        now_ms: u64,
    ) -> Answer<ProcessRecord> {
        let is_settlement = matches!(&output, ProcessAwaitOutput::Abandoned { evidence }
            if evidence.writer == AbandonWriter::ReconciledRequest);
        if !(by.is_some() && is_settlement) {
            self.must_be_addressed_rightly(by, true)?;
        }
        // A retry of what was applied and not heard. It presents a lease that the end itself took away.
        let by_grant = by.map(ProcessLease::grant);
        let is_retry = by.is_none() || self.ended_by == by_grant;
        if is_retry && self.record.status.output() == Some(&output) {
            return Ok(self.record.clone());
        }
        self.must_run()?;
        match (by, needs) {
            (Some(presented), EndNeeds::LiveGrant) => self.must_hold(presented, now_ms)?,
            (Some(presented), EndNeeds::StoredGrant) => drop(self.must_be_stored(presented)?),
            (None, _) => {}
        }
        self.must_be_licensed(&output)?;
        let event_type = match output {
            ProcessAwaitOutput::Success { .. } => lifecycle::COMPLETED,
            ProcessAwaitOutput::Failure { .. } => lifecycle::FAILED,
            ProcessAwaitOutput::Cancelled { .. } => lifecycle::CANCELLED,
            ProcessAwaitOutput::Abandoned { .. } => lifecycle::ABANDONED,
        };
        self.write(event_type, json(&output)?, None, None, now_ms)?;
        self.record.status = ProcessStatus::ended(output);
        self.record.wait = None;
        self.lease = None;
        self.ended_by = by_grant;
        Ok(self.record.clone())
    }

    /// The first writer wins. "Already yours" is the same grant, not the same incarnation, which may have come back.
    pub fn start(
        &mut self,
        by: Option<&ProcessLease>,
        started: ProcessStarted,
        now_ms: u64,
    ) -> Answer<FirstStart> {
        // Without a lease shown, a start is its starter's who holds the live one.
        let holder = self.live_lease(now_ms).filter(|held| same_incarnation(&held.owner, &started.owner));
        let by_grant = by.or(holder).map(ProcessLease::grant);
        self.must_be_addressed_rightly(by, holder.is_none())?;
        self.must_run()?;
        if let Some(presented) = by {
            self.must_hold(presented, now_ms)?;
        }
        if self.record.first_started.is_some() {
            let is_same = by_grant.is_some() && by_grant == self.started_by;
            let answer = if is_same { FirstStart::AlreadyYours } else { FirstStart::AlreadyStarted };
            return Ok(answer(self.record.clone()));
        }
        self.write(lifecycle::STARTED, json(&started)?, None, None, now_ms)?;
        self.record.first_started = Some(started);
        self.started_by = by_grant;
        Ok(FirstStart::Started(self.record.clone()))
    }

    /// Sets a wait, or with none clears the one there is.
    pub fn wait(
        &mut self,
        by: Option<&ProcessLease>,
        wanted: Option<WaitState>,
        now_ms: u64,
    ) -> Answer<ProcessRecord> {
        self.must_be_addressed_rightly(by, true)?;
        self.must_run()?;
        if let Some(presented) = by {
            self.must_hold(presented, now_ms)?;
        }
        if self.record.wait != wanted {
            match &wanted {
                Some(wait) => self.write(lifecycle::WAITING, json(wait)?, None, None, now_ms)?,
                None => self.write(lifecycle::RESUMED, json(&self.record.wait)?, None, None, now_ms)?,
            };
            self.record.wait = wanted;
        }
        Ok(self.record.clone())
    }

    pub fn request_abandon(&mut self, request: AbandonRequest, now_ms: u64) -> Answer<ProcessRecord> {
        self.must_run()?;
        if self.record.abandon_request.is_none() {
            self.record.abandon_request = Some(request);
            self.record.updated_at_ms = now_ms;
        }
        Ok(self.record.clone())
    }

    pub fn refer_to(&mut self, wanted: ProcessExternalRef, now_ms: u64) -> Answer<ProcessRecord> {
        match &self.record.external_ref {
            Some(stored) if *stored != wanted => {
                return Err(RegistryError::ExternalRefConflict {
                    process_id: self.record.id().to_owned(),
                    stored: Box::new(stored.clone()),
                });
            }
            Some(_) => {}
            None => {
                self.record.external_ref = Some(wanted);
                self.record.updated_at_ms = now_ms;
            }
        }
        Ok(self.record.clone())
    }

    /// First in the order of checks, ended or not: writes of an execution come under a lease where workers run it, and
    /// without one where nobody here does.
    pub fn must_be_addressed_rightly(&self, by: Option<&ProcessLease>, is_execution: bool) -> Answer<()> {
        let process_id = || self.record.id().to_owned();
        match (self.record.disposition().is_worker_run(), by) {
            (true, None) if is_execution => Err(RegistryError::LeaseRequired { process_id: process_id() }),
            (false, Some(_)) => Err(RegistryError::invalid(
                "process_id",
                format!("`{}` is externally owned: use the method without a lease", process_id()),
            )),
            _ => Ok(()),
        }
    }

    pub fn must_run(&self) -> Answer<()> {
        match &self.record.status {
            ProcessStatus::Running => Ok(()),
            ended => Err(RegistryError::AlreadyTerminal {
                process_id: self.record.id().to_owned(),
                status: ended.clone(),
            }),
        }
    }

    /// A process is not abandoned merely because time has passed.
    fn must_be_licensed(&self, output: &ProcessAwaitOutput) -> Answer<()> {
        let ProcessAwaitOutput::Abandoned { evidence } = output else { return Ok(()) };
        let is_licensed = match evidence.writer {
            AbandonWriter::ReconciledRequest => self.record.abandon_request.is_some(),
            AbandonWriter::Sweep | AbandonWriter::OwnerDrain => {
                self.record.disposition() == RecoveryDisposition::OwnerBound
                    && self.record.first_started.is_some()
            }
        };
        if is_licensed {
            return Ok(());
        }
        Err(RegistryError::invalid("output", "nothing licenses this abandonment"))
    }
}

fn json(fact: &impl Serialize) -> Answer<Value> {
    serde_json::to_value(fact).map_err(|cause| RegistryError::backend("write a fact", cause))
}
