//! Records what the registry decided, and keeps the world's view of grants and rows in step with it.

use std::collections::BTreeSet;

use fencepost::RegistryError;
use fencepost::model::event::ProcessEventAppendResult;
use fencepost::model::lease::{ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::{FirstStart, ProcessRecord};
use fencepost::registry::calls::{AnswerRef, Call, Reply};

use crate::history::event::{CallKind, CallResult, Context, Event, GrantNo, NO_PROCESS, What, Write};
use crate::plan::Node;
use crate::world::calls::{
    CallInfo, grant_presented_by, is_unfenced_execution, kind_of, process_in, process_of, refusal_of,
    request_in, status_of,
};
use crate::world::fingerprint::{hash_of, hash_text};
use crate::world::state::World;
use crate::world::state::nodes::Caller;
use crate::world::state::records::DecidedCall;
use crate::world::state::rows::RowView;

impl World {
    /// Gathers the facts of a call, before it is given away.
    pub fn call_info(&mut self, caller: Caller, call: &Call) -> CallInfo {
        let (kind, process) = (kind_of(call), process_in(call));
        let mut presented = grant_presented_by(call, process, &mut self.records.grants);
        let request = request_in(call);
        // An unfenced first start names its starter: it stands on the last grant of that incarnation.
        let starter = match call {
            Call::RecordFirstStarted { started, .. } => Some(&started.owner),
            _ => None,
        };
        if let Some(owner) = starter {
            presented = self.records.grants.last_of(process, &owner.owner_id, &owner.incarnation_id);
        } else if process != NO_PROCESS {
            let is_workers = matches!(caller.node, Node::Worker(_));
            let row = self.row(process);
            let last = row.presented.iter_mut().find(|(of, _)| *of == caller.node.code());
            match (presented.is_some(), last) {
                (true, Some((_, last))) => *last = presented,
                (true, None) => row.presented.push((caller.node.code(), presented)),
                // Another unfenced write of an execution stands on the grant that its worker last presented. Hosts hold none:
                // late calls that are sent from their nodes are others'.
                (false, Some((_, last)))
                    if is_unfenced_execution(kind) && request.is_none() && is_workers =>
                {
                    presented = *last;
                }
                (false, _) => {}
            }
        }
        let hash = match call {
            Call::CompleteProcess { await_output, .. }
            | Call::CompleteProcessWithLease { await_output, .. } => hash_of(await_output),
            Call::AppendEvent { request, .. } | Call::AppendEventWithLease { request, .. } => {
                request.replay.as_deref().map_or(0, hash_text)
            }
            Call::RecordFirstStarted { started, .. } => hash_of(started),
            _ => 0,
        };
        let cursor = match call {
            Call::EventsAfter { after_sequence, .. } => Some(*after_sequence),
            _ => None,
        };
        let asked_ms = match call {
            Call::ClaimProcessLease { lease_ttl_ms, .. }
            | Call::ReclaimProcessLease { lease_ttl_ms, .. }
            | Call::RenewProcessLease { lease_ttl_ms, .. } => *lease_ttl_ms,
            _ => 0,
        };
        let is_work_list = matches!(call, Call::ListNonTerminal { .. });
        CallInfo { caller, kind, process, presented, request, hash, cursor, asked_ms, is_work_list }
    }

    /// Keeps a copy of the call, if the run was asked to.
    pub fn keep_call(&mut self, call: &Call) {
        if self.records.decided_calls.is_none() {
            return;
        }
        let (at_us, clock_ms) = (self.kernel.now_us, self.reading_ms());
        let life = self.node(Node::Registry).life;
        let is_holder_dead = match call {
            Call::ReclaimProcessLease { observed_holder, .. } => {
                self.is_called_dead(Node::Registry, &observed_holder.owner)
            }
            _ => false,
        };
        let call = call.clone();
        let decided = DecidedCall { at_us, clock_ms, life, call, is_holder_dead, was_ok: false };
        self.records.decided_calls.get_or_insert_default().push(decided);
    }

    /// The reading that the present decision is made on. A call that took time, or turns out to have been applied, was
    /// decided on an earlier one.
    #[inline]
    pub fn reading_ms(&mut self) -> u64 {
        match self.records.decided_on_ms {
            Some(decided_on_ms) => decided_on_ms,
            None => self.wall_ms(Node::Registry),
        }
    }

    /// Records a decision, or evidence beside one, by the registry's clock.
    #[inline]
    pub fn decision(&mut self, info: &CallInfo, grant: GrantNo, what: What) {
        let clock = self.reading_ms();
        let (at_us, node) = (self.kernel.now_us, info.caller.node.code());
        self.record(Event::new(Context { at_us, clock, node, process: info.process, grant }, what));
    }

    /// Records a call that the plan made fail.
    pub fn failed(&mut self, caller: Caller, call: &Call, is_unknown: bool) {
        self.records.calls += 1;
        let info = self.call_info(caller, call);
        self.decision(&info, info.presented, What::Failed { call: info.kind, is_unknown });
    }

    /// Records the answer to a call. `entropy_before`: bytes drawn before it was decided.
    pub fn decided(&mut self, info: &CallInfo, entropy_before: u64, answer: AnswerRef<'_>) {
        self.records.calls += 1;
        let reply = match answer {
            Ok(reply) => reply,
            Err(error) => return self.refused(info, error),
        };
        match (info.kind, reply) {
            (CallKind::Register, Reply::Record(record)) => self.registered(info, record),
            (CallKind::Claim | CallKind::Reclaim, Reply::Claim(outcome)) => {
                self.claimed(info, entropy_before, outcome);
            }
            (CallKind::Renew, Reply::Lease(lease)) => self.renewed(info, lease),
            (CallKind::Release, _) => self.released(info),
            (CallKind::Complete | CallKind::UnfencedComplete, Reply::Record(record)) => {
                self.ended(info, record);
            }
            (CallKind::Start, Reply::FirstStart(start)) => match start {
                FirstStart::Started(record) => self.started(info, record),
                FirstStart::AlreadyYours(_) => self.wrote(info, Write::StartedByItself),
                FirstStart::AlreadyStarted(_) => self.wrote(info, Write::StartedBefore),
            },
            (CallKind::UnfencedStart, Reply::Record(record)) => self.started_unfenced(info, record),
            (CallKind::SetWait | CallKind::UnfencedSetWait, _) => self.wrote(info, Write::Wait),
            (CallKind::ClearWait | CallKind::UnfencedClearWait, _) => self.wrote(info, Write::WaitCleared),
            (CallKind::Emit | CallKind::UnfencedEmit, Reply::Appended(appended)) => {
                self.appended(info, appended);
            }
            (CallKind::Abandon, _) => self.asked(info, Write::AbandonRequest),
            (CallKind::Ack, _) => self.asked(info, Write::WakeAcked),
            (CallKind::GrantHandle, _) => self.asked(info, Write::HandleGranted),
            (CallKind::Transfer, _) => self.asked(info, Write::HandlesMoved),
            (CallKind::Read, reply) => self.showed(info, reply),
            // Pruned processes are looked for beside the run; no law hears of other calls.
            (CallKind::Prune | CallKind::Other, _) => {}
            // A reply of another call's kind, from a foreign registry.
            (
                CallKind::Register
                | CallKind::Claim
                | CallKind::Reclaim
                | CallKind::Renew
                | CallKind::Complete
                | CallKind::UnfencedComplete
                | CallKind::Start
                | CallKind::UnfencedStart
                | CallKind::Emit
                | CallKind::UnfencedEmit,
                _,
            ) => {}
        }
    }

    fn refused(&mut self, info: &CallInfo, error: &RegistryError) {
        let why = refusal_of(error);
        if why == CallResult::FenceExhausted {
            self.row(info.process).is_exhausted = true;
        }
        if why == CallResult::AlreadyTerminal {
            self.is_told_of_end(info.process);
        }
        self.decision(info, info.presented, What::Refused { call: info.kind, why });
    }

    fn registered(&mut self, info: &CallInfo, record: &ProcessRecord) {
        let disposition = record.disposition();
        let body = self.body_of(record);
        if self.row(info.process).is_terminal && !record.is_terminal() {
            // It was pruned by a registry that answers too slowly to be looked at.
            self.pruned(info.caller, info.process);
        }
        let registered_us = self.kernel.now_us;
        let row = self.row(info.process);
        // An answer that shows an end may come after a prune of that life.
        let is_new = row.body.is_none() && !record.is_terminal();
        if is_new {
            row.body = body;
            row.registered_us = registered_us;
            row.disposition = Some(disposition);
        }
        self.decision(info, GrantNo::NONE, What::Registered { disposition, is_new });
    }

    fn claimed(&mut self, info: &CallInfo, entropy_before: u64, outcome: &ProcessLeaseClaimOutcome) {
        match outcome {
            ProcessLeaseClaimOutcome::Acquired(lease) => {
                let grant = self.records.grants.of_lease(info.process, lease);
                let is_new = self.records.grants.mark_granted(grant);
                let (expires_ms, fence) = (lease.expires_at_epoch_ms, lease.fencing_token);
                self.row(info.process).lease = Some((expires_ms, grant));
                let what = match (is_new, info.kind == CallKind::Reclaim) {
                    (false, _) => What::Reentered { expires_ms, fence },
                    (true, true) => What::Reclaimed { expires_ms, fence },
                    (true, false) => What::Granted { expires_ms, fence },
                };
                self.decision(info, grant, what);
                if is_new && !self.records.grants.was_left(grant) {
                    let entropy_bytes = self.entropy_since(entropy_before);
                    let token = hash_text(&lease.lease_token);
                    self.decision(info, grant, What::TokenDrawn { token, entropy_bytes });
                }
            }
            ProcessLeaseClaimOutcome::Busy { holder } => {
                let grant = self.records.grants.of_lease(info.process, holder);
                self.decision(info, grant, What::Busy);
            }
        }
    }

    fn renewed(&mut self, info: &CallInfo, lease: &ProcessLease) {
        let expires_ms = lease.expires_at_epoch_ms;
        let row = self.row(info.process);
        if let Some((_, holder)) = row.lease
            && holder == info.presented
        {
            row.lease = Some((expires_ms, holder));
        }
        self.decision(info, info.presented, What::Renewed { expires_ms, asked_ms: info.asked_ms });
    }

    fn released(&mut self, info: &CallInfo) {
        let row = self.row(info.process);
        if row.lease.is_some_and(|(_, holder)| holder == info.presented) {
            row.lease = None;
        }
        self.decision(info, info.presented, What::Released);
    }

    fn ended(&mut self, info: &CallInfo, record: &ProcessRecord) {
        let row = self.row(info.process);
        row.is_terminal = true;
        row.lease = None;
        let status = status_of(&record.status);
        self.decision(info, info.presented, What::Ended { status, output: info.hash });
    }

    fn wrote(&mut self, info: &CallInfo, write: Write) {
        self.decision(info, info.presented, What::Wrote { write });
    }

    fn started(&mut self, info: &CallInfo, record: &ProcessRecord) {
        let row = self.row(info.process);
        row.first_start = Some(record.first_started.as_ref().map_or(0, hash_of));
        row.started_by = Some(info.presented);
        self.wrote(info, Write::FirstStart);
    }

    /// The answer to an unfenced start is the record alone: whose start it is shows in the fact that stands there.
    fn started_unfenced(&mut self, info: &CallInfo, record: &ProcessRecord) {
        let stands = record.first_started.as_ref().map(hash_of);
        let row = self.row(info.process);
        if row.first_start != stands {
            // Nothing stood there, or another start that this one has replaced.
            self.started(info, record);
        } else if stands == Some(info.hash) && row.started_by == Some(info.presented) {
            self.wrote(info, Write::StartedByItself);
        } else {
            self.wrote(info, Write::StartedBefore);
        }
    }

    fn asked(&mut self, info: &CallInfo, write: Write) {
        if write == Write::Signal {
            self.row(info.process).signals += 1;
        }
        if write == Write::CancelRequest {
            self.row(info.process).cancels += 1;
        }
        self.decision(info, GrantNo::NONE, What::Asked { write });
    }

    fn appended(&mut self, info: &CallInfo, appended: &ProcessEventAppendResult) {
        if !appended.replayed {
            match info.request {
                Some(request) => self.asked(info, request),
                None => self.wrote(info, Write::Progress),
            }
        }
        let sequence = appended.event.sequence;
        self.decision(info, GrantNo::NONE, What::Appended { sequence, replay_key: info.hash });
        if appended.replayed {
            let is_wake = appended.wake_delivery.is_some();
            self.decision(info, GrantNo::NONE, What::Replayed { sequence, is_wake });
        }
    }

    fn showed(&mut self, info: &CallInfo, reply: &Reply) {
        if let Reply::MaybeRecord(Some(record)) = reply {
            let output = record.status.output().map_or(0, hash_of);
            let status = status_of(&record.status);
            if record.is_terminal() {
                self.is_told_of_end(info.process);
            }
            self.is_told_of_start(info.process, record);
            self.decision(info, GrantNo::NONE, What::Showed { status, output });
        }
        if let (Reply::Records(records), true) = (reply, info.is_work_list && !self.subject.is_ours()) {
            self.listed(records);
        }
        if let Reply::MaybeLease(lease) = reply {
            let expires_ms = lease.as_ref().map_or(0, |lease| lease.expires_at_epoch_ms);
            let grant = match lease {
                Some(lease) => self.records.grants.of_lease(info.process, lease),
                None => GrantNo::NONE,
            };
            self.decision(info, grant, What::LeaseShown { expires_ms });
        }
        if let (Reply::Events(events), Some(after)) = (reply, info.cursor)
            && !events.is_empty()
        {
            let count = events.len() as u64;
            self.decision(info, GrantNo::NONE, What::LogRead { after, events: count });
            for event in events {
                let shown = What::LogShown { sequence: event.sequence, event: hash_of(event) };
                self.decision(info, GrantNo::NONE, shown);
            }
        }
    }

    /// One that is not listed has ended.
    fn listed(&mut self, records: &[ProcessRecord]) {
        if !self.liveness.has_begun() {
            return;
        }
        let listed: BTreeSet<u16> = records.iter().filter_map(|record| process_of(record.id())).collect();
        for process in (0..self.records.rows.len()).filter(|process| !listed.contains(process)) {
            if self.row(process).body.is_some() {
                self.is_told_of_end(process);
            }
        }
    }

    /// The recorder sees every decision of our own registry, so the registry's answer alone is no evidence. A call that arrived before
    /// the process was registered may tell of an earlier life, or of none.
    fn is_told_of_end(&mut self, process: u16) {
        if process != NO_PROCESS && !self.subject.is_ours() {
            let arrived_us = self.records.arrived_us;
            let row = self.row(process);
            row.was_told_ended |= row.registered_us <= arrived_us;
        }
    }

    /// A start whose outcome nobody heard shows in the record.
    fn is_told_of_start(&mut self, process: u16, record: &ProcessRecord) {
        if process == NO_PROCESS || self.subject.is_ours() {
            return;
        }
        let Some(stands) = &record.first_started else { return };
        let row = self.row(process);
        if row.first_start.is_none() {
            row.first_start = Some(hash_of(stands));
        }
    }

    /// Records that a prune removed an ended process.
    pub fn pruned(&mut self, caller: Caller, process: u16) {
        if !self.row(process).is_terminal {
            // Another prune has removed it already, or it was registered again.
            return;
        }
        *self.row(process) = RowView::default();
        let info = CallInfo { caller, kind: CallKind::Prune, ..CallInfo::of_the_world(process) };
        self.decision(&info, GrantNo::NONE, What::Pruned);
    }

    /// Bytes of entropy that the registry's node has drawn, over all its lives.
    pub fn entropy_drawn(&mut self) -> u64 {
        self.node(Node::Registry).entropy_drawn
    }

    pub fn entropy_since(&mut self, before: u64) -> u64 {
        let drawn = self.entropy_drawn();
        assert!(before <= drawn, "entropy was drawn back");
        drawn - before
    }
}
