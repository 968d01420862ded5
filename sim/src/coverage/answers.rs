//! Marks of messages that do not go as they should: an answer lost after its write, answers out of order, requests that
//! arrive twice or from an earlier life of the server.

use crate::coverage::per_process::PerProcess;
use crate::coverage::{CoverageCounts, Mark};
use crate::history::event::{CallKind, Event, GrantNo, NO_PROCESS};
use crate::plan::Node;

#[derive(Default)]
pub struct AnswerObserver {
    processes: PerProcess<AnswerState>,
}

#[derive(Default)]
struct AnswerState {
    granted_at_us: u64,
    /// Renewals that were written and whose answers were not heard yet.
    unheard_renewals: u64,
    /// The last renewal whose answer was heard: its grant, and its call's number.
    heard_renewal: Option<(GrantNo, u64)>,
    /// The grant under which the present life ended.
    ended_by: Option<GrantNo>,
}

impl AnswerObserver {
    pub fn registered(&mut self, event: &Event) {
        self.processes.of(event.process).ended_by = None;
    }

    pub fn registered_again(&mut self, counts: &mut CoverageCounts) {
        counts.hit(Mark::RegisterAnswerLost);
    }

    pub fn granted(&mut self, event: &Event) {
        let state = self.processes.of(event.process);
        state.granted_at_us = event.at_us;
        state.unheard_renewals = 0;
    }

    /// A worker does not claim again what it knows that it holds.
    pub fn reentered(&mut self, event: &Event, counts: &mut CoverageCounts) {
        if matches!(Node::from_code(event.node), Node::Worker(_)) {
            counts.hit(Mark::ClaimAnswerLost);
        }
    }

    pub fn renewed(&mut self, event: &Event, counts: &mut CoverageCounts) {
        let state = self.processes.of(event.process);
        state.unheard_renewals += 1;
        if state.unheard_renewals > 1 {
            counts.hit(Mark::RenewAnswerLost);
        }
    }

    pub fn replayed(&mut self, event: &Event, counts: &mut CoverageCounts) {
        counts.hit(Mark::AppendAnswerLost);
        if self.processes.of(event.process).ended_by.is_some() {
            counts.hit(Mark::ReplayAfterEnd);
        }
    }

    pub fn ended(&mut self, event: &Event, counts: &mut CoverageCounts) {
        let state = self.processes.of(event.process);
        if state.ended_by == Some(event.grant) {
            counts.hit(Mark::CompleteAnswerLost);
        }
        state.ended_by = Some(event.grant);
    }

    pub fn heard(&mut self, event: &Event, call: CallKind, number: u64, counts: &mut CoverageCounts) {
        if call != CallKind::Renew {
            return;
        }
        let state = self.processes.of(event.process);
        state.unheard_renewals = 0;
        match state.heard_renewal {
            Some((grant, last)) if grant == event.grant && number < last => {
                counts.hit(Mark::RenewalsOutOfOrder);
            }
            Some(_) | None => state.heard_renewal = Some((event.grant, number)),
        }
    }

    /// A second copy of a request arrived.
    pub fn repeated(&mut self, event: &Event, age_us: u64, counts: &mut CoverageCounts) {
        let sent_us = event.at_us.saturating_sub(age_us);
        if event.process != NO_PROCESS && self.processes.of(event.process).granted_at_us > sent_us {
            counts.hit(Mark::LateDuplicate);
        }
    }

    pub fn arrived_from_earlier_life(&self, was_applied: bool, counts: &mut CoverageCounts) {
        if was_applied {
            counts.hit(Mark::AppliedBeforeRestart);
        }
        counts.hit(Mark::EarlierServerLife);
    }

    pub fn pruned(&mut self, event: &Event) {
        *self.processes.of(event.process) = AnswerState::default();
    }
}
