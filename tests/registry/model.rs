//! A second registry, written from the specification alone and as plainly as possible: no rules, no indexes, one match.
//! It exists to disagree. Errors are compared by name, so that it need not repeat their texts; a token is an input.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fencepost::model::event::{
    ProcessEvent, ProcessEventAppendRequest, ProcessEventAppendResult, ProcessWake, ProcessWakeDelivery,
    ProcessWakeInput,
};
use fencepost::model::handle::{ProcessHandleDescriptor, ProcessHandleGrant, SessionScope};
use fencepost::model::lease::{LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::*;
use fencepost::registry::calls::{Call, Reply};
use serde_json::{Value, json};

type Answer<T> = Result<T, &'static str>;

#[derive(Default)]
pub struct Model {
    processes: BTreeMap<String, Process>,
    /// The highest fence and sequence that each id ever reached.
    reached: BTreeMap<String, (u64, u64)>,
    handles: BTreeMap<(SessionScope, String), ProcessHandleDescriptor>,
    pub dead: BTreeSet<(String, String)>,
}

struct Process {
    record: ProcessRecord,
    as_registered: ProcessRegistration,
    lease: Option<ProcessLease>,
    starter: Option<ProcessLease>,
    ender: Option<ProcessLease>,
    events: Vec<ProcessEvent>,
    acked: BTreeSet<u64>,
}

/// One clock reading, and the token that the registry drew if it granted.
#[derive(Clone)]
pub struct Inputs {
    pub now: u64,
    pub token: Option<String>,
    pub hash: String,
}

fn blank(name: &str) -> Answer<()> {
    if name.trim().is_empty() || name.len() > 512 { Err("InvalidArgument") } else { Ok(()) }
}

fn blank_scope(scope: &SessionScope) -> Answer<()> {
    blank(&scope.session_id)?;
    if scope.agent_frame_id.is_empty() { Ok(()) } else { blank(&scope.agent_frame_id) }
}

fn blank_owner(owner: &LeaseOwnerIdentity) -> Answer<()> {
    blank(&owner.owner_id)?;
    blank(&owner.incarnation_id)
}

fn same_grant(a: &ProcessLease, b: &ProcessLease) -> bool {
    a.fencing_token == b.fencing_token && a.lease_token == b.lease_token && same_owner(&a.owner, &b.owner)
}

fn same_owner(a: &LeaseOwnerIdentity, b: &LeaseOwnerIdentity) -> bool {
    (&a.owner_id, &a.incarnation_id) == (&b.owner_id, &b.incarnation_id)
}

fn is_host_event(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    name == "process.cancel_requested"
        || name.strip_prefix("signal.").is_some_and(|rest| !rest.is_empty() && rest.chars().all(word))
}

fn truthy(value: &Value) -> bool {
    ![json!(null), json!(false), json!(""), json!([]), json!({})].contains(value)
}

impl Process {
    fn worker_run(&self) -> bool {
        self.record.registration.disposition != RecoveryDisposition::ExternallyOwned
    }

    fn open(&self) -> Answer<()> {
        if self.record.is_terminal() { Err("AlreadyTerminal") } else { Ok(()) }
    }

    fn live(&self, now: u64) -> Option<&ProcessLease> {
        self.lease.as_ref().filter(|lease| now < lease.expires_at_epoch_ms)
    }

    fn fence_check(&self, presented: &ProcessLease, now: u64) -> Answer<()> {
        match &self.lease {
            Some(held) if same_grant(held, presented) => {
                if now < held.expires_at_epoch_ms {
                    Ok(())
                } else {
                    Err("LeaseExpired")
                }
            }
            _ => Err("LeaseSuperseded"),
        }
    }

    /// A fenced write other than a completion.
    fn fenced(&self, presented: &ProcessLease, now: u64) -> Answer<()> {
        if !self.worker_run() {
            return Err("InvalidArgument");
        }
        self.open()?;
        self.fence_check(presented, now)
    }

    fn unfenced(&self) -> Answer<()> {
        if self.worker_run() { Err("LeaseRequired") } else { self.open() }
    }
}

impl Model {
    fn get(&mut self, id: &str) -> Answer<&mut Process> {
        self.processes.get_mut(id).ok_or("UnknownProcess")
    }

    fn log(&mut self, id: &str, now: u64, event_type: &str, payload: Value) -> Answer<()> {
        self.push(id, now, event_type, payload, None, None).map(drop)
    }

    fn push(
        &mut self,
        id: &str,
        now: u64,
        event_type: &str,
        payload: Value,
        replay_key: Option<String>,
        wake: Option<ProcessWake>,
    ) -> Answer<ProcessEvent> {
        let reached = self.reached.entry(id.to_owned()).or_default();
        reached.1 += 1;
        let event = ProcessEvent {
            process_id: id.to_owned(),
            sequence: reached.1,
            event_type: event_type.to_owned(),
            payload,
            replay_key,
            wake,
            occurred_at_ms: now,
        };
        let process = self.get(id)?;
        process.events.push(event.clone());
        process.record.updated_at_ms = now;
        Ok(event)
    }

    /// The holder of the process that a claim names, live at `now`.
    pub fn live_holder(&self, call: &Call, now: u64) -> Option<ProcessLease> {
        match call {
            Call::ClaimProcessLease { process_id, .. } | Call::ReclaimProcessLease { process_id, .. } => {
                self.processes.get(process_id)?.live(now).cloned()
            }
            _ => None,
        }
    }

    pub fn answer(&mut self, call: Call, inputs: &Inputs) -> Answer<Reply> {
        let now = inputs.now;
        match call {
            Call::RegisterProcess { registration } => self.register(registration, inputs),
            Call::SetExternalRef { process_id, external_ref } => {
                blank(&process_id)?;
                blank(&external_ref.backend)?;
                blank(&external_ref.id)?;
                let process = self.get(&process_id)?;
                match &process.record.external_ref {
                    Some(stored) if *stored != external_ref => return Err("ExternalRefConflict"),
                    Some(_) => {}
                    None => {
                        process.record.external_ref = Some(external_ref);
                        process.record.updated_at_ms = now;
                    }
                }
                Ok(Reply::Record(process.record.clone()))
            }
            Call::GetProcess { process_id } | Call::ReadProcess { process_id } => {
                blank(&process_id)?;
                Ok(Reply::MaybeRecord(self.processes.get(&process_id).map(|process| process.record.clone())))
            }
            Call::ListNonTerminal {} => Ok(Reply::Records(self.list(&ProcessListFilter::default()))),
            Call::ListProcesses { filter } => Ok(Reply::Records(self.list(&filter))),
            Call::PruneTerminalProcesses { cutoff_epoch_ms } => {
                Ok(Reply::Pruned(self.prune(cutoff_epoch_ms)))
            }

            Call::GrantHandle { session_scope, process_id, descriptor } => {
                blank(&process_id)?;
                blank_scope(&session_scope)?;
                blank(&descriptor.kind)?;
                self.get(&process_id)?;
                self.handles.insert((session_scope.clone(), process_id.clone()), descriptor.clone());
                Ok(Reply::Handle(grant(&session_scope, &process_id, &descriptor)))
            }
            Call::RevokeHandle { session_scope, process_id } => {
                blank(&process_id)?;
                blank_scope(&session_scope)?;
                self.handles.remove(&(session_scope, process_id));
                Ok(Reply::Done(()))
            }
            Call::TransferHandleGrants { from_scope, to_scope, process_ids } => {
                blank_scope(&from_scope)?;
                blank_scope(&to_scope)?;
                process_ids.iter().try_for_each(|id| blank(id))?;
                for id in &process_ids {
                    self.get(id)?;
                }
                for id in &process_ids {
                    if !self.handles.contains_key(&(from_scope.clone(), id.clone())) {
                        return Err("HandleMissing");
                    }
                }
                for id in process_ids {
                    if let Some(descriptor) = self.handles.remove(&(from_scope.clone(), id.clone())) {
                        self.handles.insert((to_scope.clone(), id), descriptor);
                    }
                }
                Ok(Reply::Done(()))
            }
            Call::ListHandleGrants { session_scope } => {
                blank_scope(&session_scope)?;
                Ok(Reply::HandleEntries(self.entries(&session_scope, true)))
            }
            Call::ListLiveHandleGrants { session_scope } => {
                blank_scope(&session_scope)?;
                Ok(Reply::HandleEntries(self.entries(&session_scope, false)))
            }
            Call::HasHandleGrant { session_scope, process_id } => {
                blank(&process_id)?;
                blank_scope(&session_scope)?;
                Ok(Reply::Truth(self.handles.contains_key(&(session_scope, process_id))))
            }
            Call::HandleGrantsForProcess { process_id } => {
                blank(&process_id)?;
                self.get(&process_id)?;
                let mut held: Vec<_> = self.handles.iter().filter(|((_, id), _)| *id == process_id).collect();
                held.sort_by_key(|((scope, _), _)| (scope.session_id.clone(), scope.id()));
                Ok(Reply::Handles(
                    held.into_iter().map(|((scope, id), descriptor)| grant(scope, id, descriptor)).collect(),
                ))
            }
            Call::DeleteSessionProcessState { session_id } => {
                blank(&session_id)?;
                Ok(Reply::SessionDeleted(self.delete_session(session_id, now)))
            }

            Call::AppendEvent { process_id, request } => {
                blank(&process_id)?;
                self.append(&process_id, None, request, now)
            }
            Call::AppendEventWithLease { lease, request } => {
                blank(&lease.process_id)?;
                self.append(&lease.process_id.clone(), Some(&lease), request, now)
            }
            Call::EventsAfter { process_id, after_sequence } => {
                blank(&process_id)?;
                let events = &self.get(&process_id)?.events;
                Ok(Reply::Events(events.iter().filter(|e| e.sequence > after_sequence).cloned().collect()))
            }
            Call::WakeEventsAfter { process_id, after_sequence } => {
                blank(&process_id)?;
                let process = self.get(&process_id)?;
                let pending = |e: &&ProcessEvent| {
                    e.sequence > after_sequence && e.wake.is_some() && !process.acked.contains(&e.sequence)
                };
                Ok(Reply::Events(process.events.iter().filter(pending).cloned().collect()))
            }
            Call::CountEventsThrough { process_id, event_type, up_to_sequence } => {
                blank(&process_id)?;
                blank(&event_type)?;
                let events = &self.get(&process_id)?.events;
                let counted =
                    events.iter().filter(|e| e.event_type == event_type && e.sequence <= up_to_sequence);
                Ok(Reply::Count(counted.count() as u64))
            }
            Call::RecentEvents { process_id, limit } => {
                blank(&process_id)?;
                let mut recent: Vec<_> =
                    self.get(&process_id)?.events.iter().rev().take(limit).cloned().collect();
                recent.reverse();
                Ok(Reply::Events(recent))
            }
            Call::AckWake { process_id, sequence } => {
                blank(&process_id)?;
                let process = self.get(&process_id)?;
                if !process.events.iter().any(|e| e.sequence == sequence && e.wake.is_some()) {
                    return Err("InvalidArgument");
                }
                process.acked.insert(sequence);
                Ok(Reply::Done(()))
            }

            Call::CompleteProcess { process_id, await_output } => {
                blank(&process_id)?;
                self.complete(&process_id, None, await_output, now)
            }
            Call::CompleteProcessWithLease { lease, await_output } => {
                blank(&lease.process_id)?;
                self.complete(&lease.process_id.clone(), Some(&lease), await_output, now)
            }
            Call::RecordFirstStarted { process_id, started } => {
                blank(&process_id)?;
                blank_owner(&started.owner)?;
                let process = self.get(&process_id)?;
                let worker_run = process.worker_run();
                let holder = process.live(now).filter(|_| worker_run).cloned();
                if worker_run && !holder.as_ref().is_some_and(|held| same_owner(&held.owner, &started.owner))
                {
                    return Err("LeaseRequired");
                }
                process.open()?;
                let (FirstStart::Started(record)
                | FirstStart::AlreadyYours(record)
                | FirstStart::AlreadyStarted(record)) = self.start(&process_id, holder, started, now)?;
                Ok(Reply::Record(record))
            }
            Call::RecordFirstStartedWithLease { lease, started } => {
                blank(&lease.process_id)?;
                blank_owner(&started.owner)?;
                if !same_owner(&lease.owner, &started.owner) {
                    return Err("InvalidArgument");
                }
                self.get(&lease.process_id)?.fenced(&lease, now)?;
                self.start(&lease.process_id.clone(), Some(lease), started, now).map(Reply::FirstStart)
            }
            Call::SetProcessWait { process_id, wait } => {
                blank(&process_id)?;
                blank_wait(&wait)?;
                self.get(&process_id)?.unfenced()?;
                self.wait(&process_id, Some(wait), now)
            }
            Call::SetProcessWaitWithLease { lease, wait } => {
                blank(&lease.process_id)?;
                blank_wait(&wait)?;
                self.get(&lease.process_id)?.fenced(&lease, now)?;
                self.wait(&lease.process_id, Some(wait), now)
            }
            Call::ClearProcessWait { process_id } => {
                blank(&process_id)?;
                self.get(&process_id)?.unfenced()?;
                self.wait(&process_id, None, now)
            }
            Call::ClearProcessWaitWithLease { lease } => {
                blank(&lease.process_id)?;
                self.get(&lease.process_id)?.fenced(&lease, now)?;
                self.wait(&lease.process_id, None, now)
            }
            Call::RequestProcessAbandon { process_id, request } => {
                blank(&process_id)?;
                blank(&request.requested_by)?;
                let process = self.get(&process_id)?;
                process.open()?;
                if process.record.abandon_request.is_none() {
                    process.record.abandon_request = Some(request);
                    process.record.updated_at_ms = now;
                }
                Ok(Reply::Record(process.record.clone()))
            }

            Call::ClaimProcessLease { process_id, owner, lease_ttl_ms } => {
                self.claim(process_id, owner, None, lease_ttl_ms, inputs)
            }
            Call::ReclaimProcessLease { process_id, owner, observed_holder, lease_ttl_ms } => {
                self.claim(process_id, owner, Some(observed_holder), lease_ttl_ms, inputs)
            }
            Call::RenewProcessLease { lease, lease_ttl_ms } => {
                blank(&lease.process_id)?;
                let until = until(now, lease_ttl_ms)?;
                let process = self.get(&lease.process_id)?;
                process.open()?;
                process.fence_check(&lease, now)?;
                let held = process.lease.as_mut().ok_or("LeaseSuperseded")?;
                held.expires_at_epoch_ms = held.expires_at_epoch_ms.max(until);
                Ok(Reply::Lease(held.clone()))
            }
            Call::GetProcessLease { process_id } => {
                blank(&process_id)?;
                Ok(Reply::MaybeLease(
                    self.processes.get(&process_id).and_then(|process| process.lease.clone()),
                ))
            }
            Call::CompleteProcessLease { completion } => {
                blank(&completion.process_id)?;
                if let Some(process) = self.processes.get_mut(&completion.process_id)
                    && process.lease.as_ref().is_some_and(|held| held.lease_token == completion.lease_token)
                {
                    process.lease = None;
                }
                Ok(Reply::Done(()))
            }
        }
    }

    fn register(&mut self, registration: ProcessRegistration, inputs: &Inputs) -> Answer<Reply> {
        blank(&registration.id)?;
        if matches!(registration.input, ProcessInput::External { .. })
            && registration.disposition != RecoveryDisposition::ExternallyOwned
        {
            return Err("InvalidArgument");
        }
        if let Some(stored) = self.processes.get(&registration.id) {
            return if stored.as_registered == registration {
                Ok(Reply::Record(stored.record.clone()))
            } else {
                Err("RegistrationConflict")
            };
        }
        let record = ProcessRecord {
            registration: Arc::new(registration.clone()),
            registration_hash: inputs.hash.clone(),
            created_at_ms: inputs.now,
            updated_at_ms: inputs.now,
            external_ref: None,
            first_started: None,
            abandon_request: None,
            wait: None,
            status: ProcessStatus::Running,
        };
        let process = Process {
            record: record.clone(),
            as_registered: registration.clone(),
            lease: None,
            starter: None,
            ender: None,
            events: Vec::new(),
            acked: BTreeSet::new(),
        };
        self.processes.insert(registration.id, process);
        Ok(Reply::Record(record))
    }

    fn list(&self, filter: &ProcessListFilter) -> Vec<ProcessRecord> {
        let records = self.processes.values().map(|process| &process.record);
        records
            .filter(|record| {
                let registration = &record.registration;
                filter.status.is_none_or(|kind| kind == record.status.kind())
                    && filter.waiting.is_none_or(|waiting| waiting == record.wait.is_some())
                    && filter.disposition.is_none_or(|wanted| wanted == registration.disposition)
                    && (filter.definition.is_none() || filter.definition == registration.identity.definition)
                    && filter.after.as_ref().is_none_or(|after| registration.id > *after)
            })
            .take(filter.limit.unwrap_or(usize::MAX))
            .cloned()
            .collect()
    }

    fn prune(&mut self, cutoff: u64) -> ProcessPruneReport {
        let mut report = ProcessPruneReport::default();
        self.processes.retain(|_, process| {
            let goes =
                process.record.is_terminal() && (process.record.updated_at_ms < cutoff || cutoff == u64::MAX);
            if goes {
                report.pruned_processes += 1;
                report.pruned_events += process.events.len() as u64;
            }
            !goes
        });
        self.handles.retain(|(_, id), _| self.processes.contains_key(id));
        report
    }

    fn entries(&self, scope: &SessionScope, ended_too: bool) -> Vec<(ProcessHandleGrant, ProcessRecord)> {
        let of_scope = self.handles.iter().filter(|((held, _), _)| held == scope);
        of_scope
            .map(|((_, id), descriptor)| (grant(scope, id, descriptor), self.processes[id].record.clone()))
            .filter(|(_, record)| ended_too || !record.is_terminal())
            .collect()
    }

    fn delete_session(&mut self, session_id: String, now: u64) -> ProcessSessionDeleteReport {
        let mut touched = BTreeSet::new();
        let before = self.handles.len();
        self.handles.retain(|(scope, id), _| {
            let goes = scope.session_id == session_id;
            if goes {
                touched.insert(id.clone());
            }
            !goes
        });
        let mut report = ProcessSessionDeleteReport { session_id, ..Default::default() };
        report.revoked_handle_count = (before - self.handles.len()) as u64;
        for process in self.processes.values_mut() {
            let registration = Arc::make_mut(&mut process.record.registration);
            if registration.wake_target.as_ref().is_some_and(|target| target.session_id == report.session_id)
            {
                registration.wake_target = None;
                process.record.updated_at_ms = now;
                report.deleted_wake_count += 1;
            }
        }
        for id in touched {
            if self.processes[&id].record.is_terminal() {
                continue;
            }
            if self.handles.keys().any(|(_, held)| *held == id) {
                report.preserved_process_ids.push(id);
            } else {
                report.orphaned_process_ids.push(id);
            }
        }
        report
    }

    fn append(
        &mut self,
        id: &str,
        lease: Option<&ProcessLease>,
        request: ProcessEventAppendRequest,
        now: u64,
    ) -> Answer<Reply> {
        blank(&request.event_type)?;
        request.replay.as_deref().map_or(Ok(()), blank)?;
        request.wake_target_scope.as_ref().map_or(Ok(()), blank_scope)?;
        let owned = ["started", "waiting", "resumed", "completed", "failed", "cancelled", "abandoned"];
        if request.event_type.strip_prefix("process.").is_some_and(|rest| owned.contains(&rest)) {
            return Err("InvalidArgument");
        }
        if request.event_type == "process.cancel_requested" && request.replay.is_none() {
            return Err("InvalidArgument");
        }
        let process = self.get(id)?;
        let declared = process
            .record
            .registration
            .event_types
            .iter()
            .find(|kind| kind.name == request.event_type)
            .cloned();
        match lease {
            Some(lease) => process.fenced(lease, now)?,
            None if process.worker_run() && declared.is_some() => return Err("LeaseRequired"),
            None => {}
        }
        let stored = process.events.iter().find(|e| e.replay_key.is_some() && e.replay_key == request.replay);
        if let Some(stored) = stored {
            if (&stored.event_type, &stored.payload) != (&request.event_type, &request.payload) {
                return Err("ReplayConflict");
            }
            return Ok(Reply::Appended(appended(stored.clone(), true)));
        }
        process.open()?;
        if declared.is_none() && !is_host_event(&request.event_type) {
            return Err("UndeclaredEventType");
        }
        let registered_target = process.record.registration.wake_target.clone();
        let mut wake = None;
        if let Some(spec) = declared.and_then(|kind| kind.wake) {
            let fires = match &spec.when {
                None => true,
                Some(pointer) => request.payload.pointer(pointer).is_some_and(truthy),
            };
            if fires {
                let input = match &spec.input {
                    ProcessWakeInput::Payload => Some(&request.payload),
                    ProcessWakeInput::Pointer(pointer) => request.payload.pointer(pointer),
                };
                let input = input.ok_or("InvalidArgument")?.clone();
                wake = Some(ProcessWake { input, target: request.wake_target_scope.or(registered_target) });
            }
        }
        let event = self.push(id, now, &request.event_type, request.payload, request.replay, wake)?;
        Ok(Reply::Appended(appended(event, false)))
    }

    fn complete(
        &mut self,
        id: &str,
        lease: Option<&ProcessLease>,
        output: ProcessAwaitOutput,
        now: u64,
    ) -> Answer<Reply> {
        if let ProcessAwaitOutput::Failure { class, code, .. } = &output {
            blank(class)?;
            code.as_deref().map_or(Ok(()), blank)?;
        }
        let writer = match &output {
            ProcessAwaitOutput::Abandoned { evidence } => Some(evidence.writer),
            _ => None,
        };
        let process = self.get(id)?;
        match lease {
            None if process.worker_run() => return Err("LeaseRequired"),
            Some(_) if !process.worker_run() && writer != Some(AbandonWriter::ReconciledRequest) => {
                return Err("InvalidArgument");
            }
            _ => {}
        }
        let is_ender = match (lease, &process.ender) {
            (None, _) => true,
            (Some(lease), Some(ender)) => same_grant(lease, ender),
            (Some(_), None) => false,
        };
        if process.record.status.output() == Some(&output) && is_ender {
            return Ok(Reply::Record(process.record.clone()));
        }
        process.open()?;
        if let Some(lease) = lease {
            process.fence_check(lease, now)?;
        }
        let started_owner_bound = process.record.registration.disposition == RecoveryDisposition::OwnerBound
            && process.record.first_started.is_some();
        match writer {
            Some(AbandonWriter::ReconciledRequest) if process.record.abandon_request.is_none() => {
                return Err("InvalidArgument");
            }
            Some(AbandonWriter::Sweep | AbandonWriter::OwnerDrain) if !started_owner_bound => {
                return Err("InvalidArgument");
            }
            _ => {}
        }
        let name = match &output {
            ProcessAwaitOutput::Success { .. } => "process.completed",
            ProcessAwaitOutput::Failure { .. } => "process.failed",
            ProcessAwaitOutput::Cancelled { .. } => "process.cancelled",
            ProcessAwaitOutput::Abandoned { .. } => "process.abandoned",
        };
        process.lease = None;
        process.ender = lease.cloned();
        process.record.wait = None;
        process.record.status = ProcessStatus::ended(output.clone());
        self.log(id, now, name, json!(output))?;
        Ok(Reply::Record(self.get(id)?.record.clone()))
    }

    fn start(
        &mut self,
        id: &str,
        by: Option<ProcessLease>,
        started: ProcessStarted,
        now: u64,
    ) -> Answer<FirstStart> {
        let process = self.get(id)?;
        if process.record.first_started.is_some() {
            let record = process.record.clone();
            return Ok(match (&process.starter, &by) {
                (Some(starter), Some(by)) if same_grant(starter, by) => FirstStart::AlreadyYours(record),
                _ => FirstStart::AlreadyStarted(record),
            });
        }
        process.record.first_started = Some(started.clone());
        process.starter = by;
        self.log(id, now, "process.started", json!(started))?;
        Ok(FirstStart::Started(self.get(id)?.record.clone()))
    }

    fn wait(&mut self, id: &str, wanted: Option<WaitState>, now: u64) -> Answer<Reply> {
        let process = self.get(id)?;
        let before = process.record.wait.clone();
        if before != wanted {
            process.record.wait = wanted.clone();
            match wanted {
                Some(wait) => self.log(id, now, "process.waiting", json!(wait))?,
                None => self.log(id, now, "process.resumed", json!(before))?,
            }
        }
        Ok(Reply::Record(self.get(id)?.record.clone()))
    }

    fn claim(
        &mut self,
        id: String,
        owner: LeaseOwnerIdentity,
        observed: Option<ProcessLease>,
        ttl: u64,
        inputs: &Inputs,
    ) -> Answer<Reply> {
        blank(&id)?;
        blank_owner(&owner)?;
        let until = until(inputs.now, ttl)?;
        let dead = self.dead.clone();
        let process = self.get(&id)?;
        process.open()?;
        if let Some(mut held) = process.live(inputs.now).cloned() {
            let takes_over = match &observed {
                None if same_owner(&held.owner, &owner) => {
                    held.expires_at_epoch_ms = held.expires_at_epoch_ms.max(until);
                    process.lease = Some(held.clone());
                    return Ok(Reply::Claim(ProcessLeaseClaimOutcome::Acquired(held)));
                }
                None => false,
                Some(observed) => {
                    let holder = (held.owner.owner_id.clone(), held.owner.incarnation_id.clone());
                    same_grant(&held, observed) && dead.contains(&holder)
                }
            };
            if !takes_over {
                return Ok(Reply::Claim(ProcessLeaseClaimOutcome::Busy { holder: held }));
            }
        }
        let reached = self.reached.entry(id.clone()).or_default();
        reached.0 += 1;
        let lease = ProcessLease {
            schema_version: 2,
            process_id: id.clone(),
            owner,
            lease_token: inputs.token.clone().unwrap_or_default(),
            fencing_token: reached.0,
            claimed_at_epoch_ms: inputs.now,
            expires_at_epoch_ms: until,
        };
        self.get(&id)?.lease = Some(lease.clone());
        Ok(Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease)))
    }
}

fn until(now: u64, ttl: u64) -> Answer<u64> {
    if ttl == 0 { Err("InvalidArgument") } else { now.checked_add(ttl).ok_or("InvalidArgument") }
}

fn blank_wait(wait: &WaitState) -> Answer<()> {
    let WaitKind::Signal { name, event_type, key, .. } = &wait.kind;
    [name, event_type, key].into_iter().try_for_each(|word| blank(word))
}

fn grant(scope: &SessionScope, id: &str, descriptor: &ProcessHandleDescriptor) -> ProcessHandleGrant {
    ProcessHandleGrant {
        session_id: scope.session_id.clone(),
        process_id: id.to_owned(),
        descriptor: descriptor.clone(),
    }
}

fn appended(event: ProcessEvent, replayed: bool) -> ProcessEventAppendResult {
    let wake_delivery = event.wake.as_ref().and_then(|wake| {
        Some(ProcessWakeDelivery {
            process_id: event.process_id.clone(),
            sequence: event.sequence,
            target: wake.target.clone()?,
            input: wake.input.clone(),
        })
    });
    ProcessEventAppendResult { event, replayed, wake_delivery }
}
