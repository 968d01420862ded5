//! The fate of each call. An answer tells it. If nobody heard the answer, the next decision about the process tells it: it read the
//! rows under the same lock, and they show whether the call had changed them.

use std::collections::BTreeMap;

use fencepost::registry::calls::Call;

use crate::history::event::NO_PROCESS;
use crate::live::final_look::FinalLook;
use crate::live::journal::{DecidedFacts, SeenProcess};
use crate::live::merge::decisions::{CallFate, LiveDecision};
use crate::live::watched_rows::seen_process;

/// How many calls had which fate.
#[derive(Default)]
pub struct Fates {
    pub unheard_applied: u64,
    pub unheard_not_applied: u64,
    pub doubtful: u64,
    pub unplaced_reads: u64,
}

impl Fates {
    /// Settles the fate of every call.
    pub fn settle(decisions: &mut [LiveDecision], looks: &[FinalLook], lock: LockOfDecision) -> Self {
        let mut fates = Self::default();
        let mut by_process: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
        for (place, decision) in decisions.iter().enumerate() {
            if decision.process != NO_PROCESS && decision.facts.is_some() {
                by_process.entry(decision.process).or_default().push(place);
            }
        }
        for decision in decisions.iter_mut().filter(|decision| decision.facts.is_none()) {
            // It failed before it saw a row.
            let has_failed = decision.is_write() && decision.answer.is_some();
            decision.fate = if has_failed { CallFate::NotApplied } else { CallFate::LeftOut };
        }
        let last: BTreeMap<u16, SeenProcess> =
            looks.iter().map(|look| (look.process, seen_process(look.stored.as_ref()))).collect();
        for (process, mut places) in by_process {
            places.sort_by_key(|place| decisions[*place].at_ns());
            let (writes, reads): (Vec<usize>, Vec<usize>) =
                places.into_iter().partition(|place| lock.is_taken_by(&decisions[*place]));
            fates.settle_writes(decisions, &writes, last.get(&process), lock);
            fates.place_reads(decisions, &writes, &reads);
        }
        fates
    }

    /// From the last decision to the first: each that is known to have been made under the lock shows how the ones before it
    /// left the rows.
    fn settle_writes(
        &mut self,
        decisions: &mut [LiveDecision],
        writes: &[usize],
        last: Option<&SeenProcess>,
        lock: LockOfDecision,
    ) {
        let mut seen = last.cloned().unwrap_or_default();
        for place in writes.iter().rev() {
            let decision = &mut decisions[*place];
            let Some(facts) = decision.facts.clone() else { continue };
            decision.seen_next = Some(seen.clone());
            let is_late = lock.may_be_lost(&facts);
            let is_held = match &decision.answer {
                Some(Ok(_)) => {
                    decision.fate = CallFate::Answered;
                    true
                }
                Some(Err(error)) if error.is_refusal() => {
                    decision.fate = if is_late { CallFate::LeftOut } else { CallFate::Answered };
                    lock.outlives_no_process()
                }
                Some(Err(error)) if !error.outcome_is_unknown() => {
                    decision.fate = CallFate::NotApplied;
                    lock.outlives_no_process()
                }
                _ if !facts.has_changes() => lock.outlives_no_process(),
                _ => {
                    let was_applied = was_applied(&facts, &seen);
                    decision.fate = match was_applied {
                        Some(true) => CallFate::AppliedUnheard,
                        Some(false) => CallFate::NotApplied,
                        None => CallFate::LeftOut,
                    };
                    match was_applied {
                        Some(true) => self.unheard_applied += 1,
                        Some(false) => self.unheard_not_applied += 1,
                        None => self.doubtful += 1,
                    }
                    was_applied == Some(true) || lock.outlives_no_process()
                }
            };
            if is_held {
                let SeenProcess { tenure, row } = facts.before;
                // A decision that did not read the row did not change it.
                seen = SeenProcess { tenure: tenure.or(seen.tenure), row: row.or(seen.row) };
            }
        }
    }

    /// A call that takes no lock has a known place between two writes only if it overlapped with no write.
    fn place_reads(&mut self, decisions: &mut [LiveDecision], writes: &[usize], reads: &[usize]) {
        let spans: Vec<(u64, u64)> = writes
            .iter()
            .enumerate()
            .filter(|(_, place)| {
                let fate = decisions[**place].fate;
                matches!(fate, CallFate::Answered | CallFate::AppliedUnheard)
                    && decisions[**place].facts.as_ref().is_some_and(DecidedFacts::has_changes)
            })
            .map(|(order, place)| {
                let decision = &decisions[*place];
                // Who has the lock next, and is known to have had it, has it when this one is over.
                let later = writes[order + 1..].iter().map(|later| &decisions[*later]);
                let mut held = later.filter(|later| matches!(later.answer, Some(Ok(_))));
                let next_ns = held.next().map_or(u64::MAX, LiveDecision::at_ns);
                (decision.at_ns(), decision.ended_ns.unwrap_or(u64::MAX).min(next_ns))
            })
            .collect();
        for place in reads {
            let read = &mut decisions[*place];
            let (from_ns, to_ns) = (read.arrived_ns, read.at_ns());
            let is_answered = match &read.answer {
                Some(Ok(_)) => true,
                Some(Err(error)) => read.is_write() && error.is_refusal(),
                None => false,
            };
            let overlaps =
                spans.iter().any(|(began_ns, ended_ns)| *began_ns <= to_ns && from_ns <= *ended_ns);
            self.unplaced_reads += u64::from(is_answered && overlaps);
            read.fate = if is_answered && !overlaps { CallFate::Answered } else { CallFate::LeftOut };
        }
    }
}

/// True if the rows, as they were seen next, hold exactly these changes. None if the rows do not tell.
fn was_applied(facts: &DecidedFacts, seen: &SeenProcess) -> Option<bool> {
    let after = facts.after();
    if after.tenure != facts.before.tenure {
        return seen.tenure.as_ref().map(|seen| Some(seen) == after.tenure.as_ref());
    }
    let (seen, after) = (seen.row?, after.row?);
    Some(seen == after)
}

/// The lock that a decision was noted under, as far as it is known.
#[derive(Clone, Copy)]
pub struct LockOfDecision {
    /// A server lets go of it when it ends the session, whether the client knows or not.
    pub is_a_servers: bool,
    pub base_ns: u64,
    pub wall_base_ms: u64,
}

/// A server's reading of the clock is taken under the lock. Whoever notes the decision so much later may have lost it.
const LATE_MS: u64 = 250;

impl LockOfDecision {
    /// A server has no row to lock for a process that it does not know, unless the process is being registered.
    fn is_taken_by(self, decision: &LiveDecision) -> bool {
        let row = decision.facts.as_ref().and_then(|facts| facts.before.row);
        let is_unknown = row.is_some_and(|row| row.record == 0);
        let registers = matches!(decision.call, Call::RegisterProcess { .. });
        decision.is_write() && (registers || !is_unknown || !self.is_a_servers)
    }

    /// The lock of a file is held for as long as its process lives and has not committed.
    fn outlives_no_process(self) -> bool {
        !self.is_a_servers
    }

    fn may_be_lost(self, facts: &DecidedFacts) -> bool {
        let noted_ms = self.wall_base_ms + facts.at_ns.saturating_sub(self.base_ns) / 1_000_000;
        self.is_a_servers && noted_ms > facts.clock_ms + LATE_MS
    }
}

#[cfg(test)]
mod tests {
    use fencepost::RegistryError;
    use fencepost::model::lease::ProcessLeaseCompletion;
    use fencepost::registry::calls::Reply;

    use super::*;
    use crate::live::journal::{SeenRow, SeenTenure};
    use crate::plan::Node;

    const ON_A_FILE: LockOfDecision = LockOfDecision { is_a_servers: false, base_ns: 0, wall_base_ms: 0 };
    const ON_A_SERVER: LockOfDecision = LockOfDecision { is_a_servers: true, ..ON_A_FILE };

    fn rows(fence: u64, record: u64) -> SeenProcess {
        SeenProcess {
            tenure: Some(SeenTenure { fence, lease: None }),
            row: Some(SeenRow { record, last_sequence: 0 }),
        }
    }

    /// A release of p1 that raises the fence: no rule does so, and no rule is asked here.
    fn decision(
        at_ms: u64,
        before: u64,
        after: Option<u64>,
        answer: Option<Result<(), RegistryError>>,
    ) -> LiveDecision {
        let completion = ProcessLeaseCompletion { process_id: "p1".into(), lease_token: "token".into() };
        let at_ns = at_ms * 1_000_000;
        LiveDecision {
            node: Node::Worker(1),
            pid: 7,
            process: 1,
            call: Call::CompleteProcessLease { completion },
            arrived_ns: at_ns,
            facts: Some(DecidedFacts {
                at_ns,
                clock_ms: at_ms,
                before: rows(before, 9),
                put_tenure: after.map(|fence| SeenTenure { fence, lease: None }),
                ..DecidedFacts::default()
            }),
            ended_ns: answer.as_ref().map(|_| at_ns + 1),
            answer: answer.map(|answer| answer.map(|()| Box::new(Reply::Done(())))),
            fate: CallFate::LeftOut,
            seen_next: None,
        }
    }

    fn settled(mut decisions: Vec<LiveDecision>, lock: LockOfDecision, last: u64) -> (Vec<CallFate>, Fates) {
        let by_process: Vec<usize> = (0..decisions.len()).collect();
        let mut fates = Fates::default();
        fates.settle_writes(&mut decisions, &by_process, Some(&rows(last, 9)), lock);
        (decisions.iter().map(|decision| decision.fate).collect(), fates)
    }

    fn lost() -> Option<Result<(), RegistryError>> {
        Some(Err(RegistryError::unavailable("commit", "the connection was lost")))
    }

    #[test]
    fn a_call_that_nobody_heard_of_was_applied_if_its_rows_are_seen_next() {
        let killed = decision(1, 1, Some(2), None);
        let cut = decision(2, 2, Some(3), lost());
        let (fates, counted) = settled(vec![killed, cut], ON_A_FILE, 3);
        assert_eq!(fates, [CallFate::AppliedUnheard; 2]);
        assert_eq!((counted.unheard_applied, counted.unheard_not_applied, counted.doubtful), (2, 0, 0));
    }

    #[test]
    fn it_was_not_applied_if_others_are_seen() {
        let (fates, counted) = settled(vec![decision(1, 1, Some(2), lost())], ON_A_FILE, 1);
        assert_eq!((fates, counted.unheard_not_applied), (vec![CallFate::NotApplied], 1));
    }

    /// It was stopped before it noted its decision: the server had ended its session, and another had decided.
    #[test]
    fn whoever_lost_its_lock_is_no_witness() {
        let first = decision(1, 1, Some(2), lost());
        let other = decision(2, 2, Some(3), Some(Ok(())));
        let stale = decision(3, 1, Some(2), lost());
        let (fates, _) = settled(vec![first, other, stale], ON_A_SERVER, 3);
        assert_eq!(fates, [CallFate::AppliedUnheard, CallFate::Answered, CallFate::NotApplied]);
    }

    #[test]
    fn a_refusal_that_was_noted_long_after_its_reading_has_no_known_place() {
        let refusal = || Some(Err(RegistryError::unknown("p1")));
        let mut late = decision(1_000, 1, None, refusal());
        if let Some(facts) = &mut late.facts {
            facts.clock_ms = 1_000 - LATE_MS - 1;
        }
        let (fates, _) = settled(vec![late, decision(2_000, 1, None, refusal())], ON_A_SERVER, 1);
        assert_eq!(fates, [CallFate::LeftOut, CallFate::Answered]);
    }
}
