//! The events of an answered call: what it granted, wrote or showed, and the rows before and after a refusal.

use fencepost::model::lease::ProcessLeaseClaimOutcome;
use fencepost::model::process::FirstStart;
use fencepost::registry::calls::{Call, Reply};

use crate::history::event::{CallKind, GrantNo, What, Write};
use crate::live::journal::{DecidedFacts, SeenProcess};
use crate::live::merge::decisions::LiveDecision;
use crate::live::merge::historian::{Beside, Historian};
use crate::world::{hash_of, hash_text, request_in, status_of};

impl Historian {
    pub(super) fn answered(
        &mut self,
        decision: &LiveDecision,
        facts: &DecidedFacts,
        of: Beside,
        (kind, presented): (CallKind, GrantNo),
        reply: &Reply,
    ) {
        let call = &decision.call;
        match (kind, reply) {
            (CallKind::Register, Reply::Record(record)) => {
                let is_new = self.registered.insert(of.process);
                let what = What::Registered { disposition: record.disposition(), is_new };
                self.beside(of, GrantNo::NONE, what);
            }
            (CallKind::Claim | CallKind::Reclaim, Reply::Claim(outcome)) => {
                self.claimed(of, kind, facts, outcome)
            }
            (CallKind::Renew, Reply::Lease(lease)) => {
                let asked_ms = match call {
                    Call::RenewProcessLease { lease_ttl_ms, .. } => *lease_ttl_ms,
                    _ => 0,
                };
                let expires_ms = self.shifted_ms(lease.expires_at_epoch_ms);
                self.beside(of, presented, What::Renewed { expires_ms, asked_ms });
            }
            (CallKind::Release, _) => {
                self.beside(of, presented, What::Released);
                let tenure = decision.seen_next.as_ref().and_then(|seen| seen.tenure.clone());
                if let Some(tenure) = tenure {
                    let after = tenure.lease.map_or(GrantNo::NONE, |lease| self.grant_of(of.process, &lease));
                    self.beside(of, after, What::LeaseAfter);
                }
            }
            (CallKind::Complete | CallKind::UnfencedComplete, Reply::Record(record)) => {
                let output = match call {
                    Call::CompleteProcess { await_output, .. }
                    | Call::CompleteProcessWithLease { await_output, .. } => hash_of(await_output),
                    _ => 0,
                };
                self.beside(of, presented, What::Ended { status: status_of(&record.status), output });
            }
            (CallKind::Start, Reply::FirstStart(start)) => {
                let write = match start {
                    FirstStart::Started(_) => Write::FirstStart,
                    FirstStart::AlreadyYours(_) => Write::StartedByItself,
                    FirstStart::AlreadyStarted(_) => Write::StartedBefore,
                };
                self.beside(of, presented, What::Wrote { write });
            }
            (CallKind::SetWait | CallKind::UnfencedSetWait, _) => {
                self.beside(of, presented, What::Wrote { write: Write::Wait });
            }
            (CallKind::ClearWait | CallKind::UnfencedClearWait, _) => {
                self.beside(of, presented, What::Wrote { write: Write::WaitCleared });
            }
            (CallKind::Emit | CallKind::UnfencedEmit, Reply::Appended(appended)) => {
                let replay_key = match call {
                    Call::AppendEvent { request, .. } | Call::AppendEventWithLease { request, .. } => {
                        request.replay.as_deref().map_or(0, hash_text)
                    }
                    _ => 0,
                };
                let sequence = appended.event.sequence;
                match request_in(call) {
                    _ if appended.replayed => {}
                    Some(write) => self.beside(of, GrantNo::NONE, What::Asked { write }),
                    None => self.beside(of, presented, What::Wrote { write: Write::Progress }),
                }
                self.beside(of, GrantNo::NONE, What::Appended { sequence, replay_key });
                if appended.replayed {
                    let is_wake = appended.wake_delivery.is_some();
                    self.beside(of, GrantNo::NONE, What::Replayed { sequence, is_wake });
                }
            }
            (CallKind::Abandon, _) => {
                self.beside(of, GrantNo::NONE, What::Asked { write: Write::AbandonRequest });
            }
            (CallKind::Read, reply) => self.showed(of, call, reply),
            // No law hears of these, or nobody makes them in a live run.
            _ => {}
        }
    }

    fn claimed(
        &mut self,
        of: Beside,
        kind: CallKind,
        facts: &DecidedFacts,
        outcome: &ProcessLeaseClaimOutcome,
    ) {
        match outcome {
            ProcessLeaseClaimOutcome::Acquired(lease) => {
                let grant = self.grant_of(of.process, lease);
                let is_new = self.grants.mark_granted(grant);
                self.presented.insert((of.process, of.node.code()), grant);
                let (expires_ms, fence) = (self.shifted_ms(lease.expires_at_epoch_ms), lease.fencing_token);
                let what = match (is_new, kind == CallKind::Reclaim) {
                    (false, _) => What::Reentered { expires_ms, fence },
                    (true, true) => What::Reclaimed { expires_ms, fence },
                    (true, false) => What::Granted { expires_ms, fence },
                };
                self.beside(of, grant, what);
                if is_new {
                    let (token, entropy_bytes) = (hash_text(&lease.lease_token), facts.entropy_bytes);
                    self.beside(of, grant, What::TokenDrawn { token, entropy_bytes });
                }
            }
            ProcessLeaseClaimOutcome::Busy { holder } => {
                let grant = self.grant_of(of.process, holder);
                self.beside(of, grant, What::Busy);
            }
        }
    }

    fn showed(&mut self, of: Beside, call: &Call, reply: &Reply) {
        match reply {
            Reply::MaybeRecord(Some(record)) => {
                let output = record.status.output().map_or(0, hash_of);
                let what = What::Showed { status: status_of(&record.status), output };
                self.beside(of, GrantNo::NONE, what);
            }
            Reply::MaybeLease(lease) => {
                let expires_ms = lease.as_ref().map_or(0, |lease| self.shifted_ms(lease.expires_at_epoch_ms));
                let grant = lease.as_ref().map_or(GrantNo::NONE, |lease| self.grant_of(of.process, lease));
                self.beside(of, grant, What::LeaseShown { expires_ms });
            }
            Reply::Events(events) if !events.is_empty() => {
                let Call::EventsAfter { after_sequence: after, .. } = call else { return };
                let read = What::LogRead { after: *after, events: events.len() as u64 };
                self.beside(of, GrantNo::NONE, read);
                for event in events {
                    let shown = What::LogShown { sequence: event.sequence, event: hash_of(event) };
                    self.beside(of, GrantNo::NONE, shown);
                }
            }
            _ => {}
        }
    }

    /// The rows before a refused call, and as the next decision found them, as far as both were read.
    pub(super) fn read_back(
        &mut self,
        of: Beside,
        presented: GrantNo,
        before: &SeenProcess,
        next: Option<&SeenProcess>,
    ) {
        let Some(next) = next else { return };
        let tenures = before.tenure.as_ref().zip(next.tenure.as_ref());
        let rows = before.row.zip(next.row);
        if tenures.is_none() && rows.is_none() {
            return;
        }
        let hash = |tenure, row| hash_of(&(tenure, row));
        let before = hash(tenures.map(|(before, _)| before), rows.map(|(before, _)| before));
        let after = hash(tenures.map(|(_, next)| next), rows.map(|(_, next)| next));
        self.beside(of, presented, What::ReadBack { before, after });
    }
}
