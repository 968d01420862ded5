//! What became of each call. An answered one tells it itself. One whose answer nobody heard changed the rows or did not: the
//! next decision about its process read them, under the same lock, and shows which.

use std::collections::BTreeMap;

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
                places.into_iter().partition(|place| decisions[*place].is_write());
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

    /// A read is known to lie between two writes only if it overlapped none.
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
            let is_answered = matches!(read.answer, Some(Ok(_)));
            let overlaps =
                spans.iter().any(|(began_ns, ended_ns)| *began_ns <= to_ns && from_ns <= *ended_ns);
            self.unplaced_reads += u64::from(is_answered && overlaps);
            read.fate = if is_answered && !overlaps { CallFate::Answered } else { CallFate::LeftOut };
        }
    }
}

/// Whether these changes are in the rows as they were seen next. Had they been made, exactly they would be there. None if what
/// was seen does not tell.
fn was_applied(facts: &DecidedFacts, seen: &SeenProcess) -> Option<bool> {
    let after = facts.after();
    if after.tenure != facts.before.tenure {
        return seen.tenure.as_ref().map(|seen| Some(seen) == after.tenure.as_ref());
    }
    let (seen, after) = (seen.row?, after.row?);
    Some(seen == after)
}

/// What is known of the lock that a decision was noted under.
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
    /// The lock of a file is held for as long as its process lives and has not committed.
    fn outlives_no_process(self) -> bool {
        !self.is_a_servers
    }

    fn may_be_lost(self, facts: &DecidedFacts) -> bool {
        let noted_ms = self.wall_base_ms + facts.at_ns.saturating_sub(self.base_ns) / 1_000_000;
        self.is_a_servers && noted_ms > facts.clock_ms + LATE_MS
    }
}
