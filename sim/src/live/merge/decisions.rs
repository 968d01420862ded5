//! The calls of all processes, each joined from the lines that tell of it.

use std::collections::BTreeMap;

use fencepost::model::event::ProcessEventAppendResult;
use fencepost::model::lease::ProcessLeaseClaimOutcome;
use fencepost::model::process::FirstStart;
use fencepost::registry::calls::{Answer, Call, Reply};

use crate::live::journal::{DecidedFacts, JournalEntry, SeenProcess};
use crate::live::merge::node_journal::NodeJournal;
use crate::plan::Node;
use crate::world::process_in;

/// A call that reached the store's door.
pub struct LiveDecision {
    pub node: Node,
    pub pid: u32,
    pub process: u16,
    pub call: Call,
    pub arrived_ns: u64,
    /// None if it never got as far as the rows.
    pub facts: Option<DecidedFacts>,
    /// None if its process was killed before.
    pub ended_ns: Option<u64>,
    pub answer: Option<Answer>,
    pub fate: CallFate,
    /// The rows as the next decision about the process read them, or the look at the end.
    pub seen_next: Option<SeenProcess>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallFate {
    /// As it was answered.
    Answered,
    /// Nobody heard the answer, and it was applied.
    AppliedUnheard,
    /// It changed nothing.
    NotApplied,
    /// Nothing is known of it that a law could hear.
    LeftOut,
}

impl LiveDecision {
    pub fn is_write(&self) -> bool {
        !self.call.is_read()
    }

    pub fn at_ns(&self) -> u64 {
        self.facts.as_ref().map_or(self.arrived_ns, |facts| facts.at_ns)
    }

    /// Its answer, or the one that it would have had.
    pub fn told(&self) -> Option<Answer> {
        match self.fate {
            CallFate::Answered => self.answer.clone(),
            CallFate::AppliedUnheard => self
                .facts
                .as_ref()
                .and_then(|facts| unheard(&self.call, facts))
                .map(|reply| Ok(Box::new(reply))),
            CallFate::NotApplied | CallFate::LeftOut => None,
        }
    }
}

/// The answer that a call with these facts was on its way to.
fn unheard(call: &Call, facts: &DecidedFacts) -> Option<Reply> {
    let lease = || facts.put_tenure.as_ref().and_then(|tenure| tenure.lease.clone());
    let record = || facts.put_record.clone();
    match call {
        Call::ClaimProcessLease { .. } | Call::ReclaimProcessLease { .. } => {
            lease().map(|lease| Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease)))
        }
        Call::RenewProcessLease { .. } => lease().map(Reply::Lease),
        Call::CompleteProcessLease { .. } => Some(Reply::Done(())),
        Call::RecordFirstStartedWithLease { .. } => {
            record().map(|record| Reply::FirstStart(FirstStart::Started(record)))
        }
        Call::AppendEvent { .. } | Call::AppendEventWithLease { .. } => {
            let event = facts.pushed.first()?.clone();
            let wake_delivery = event.wake_delivery();
            Some(Reply::Appended(ProcessEventAppendResult { event, replayed: false, wake_delivery }))
        }
        _ => record().map(Reply::Record),
    }
}

/// Every call of every journal.
pub fn of_journals(journals: &[NodeJournal]) -> Vec<LiveDecision> {
    journals.iter().flat_map(of_journal).collect()
}

fn of_journal(journal: &NodeJournal) -> Vec<LiveDecision> {
    let mut calls: BTreeMap<u64, LiveDecision> = BTreeMap::new();
    for line in &journal.lines {
        match &line.entry {
            JournalEntry::Arrived { number, call } => {
                let decision = LiveDecision {
                    node: journal.node,
                    pid: journal.pid,
                    process: process_in(call),
                    call: Call::clone(call),
                    arrived_ns: line.at_ns,
                    facts: None,
                    ended_ns: None,
                    answer: None,
                    fate: CallFate::LeftOut,
                    seen_next: None,
                };
                calls.insert(*number, decision);
            }
            JournalEntry::Decided { number, facts } => {
                if let Some(call) = calls.get_mut(number) {
                    call.facts = Some(DecidedFacts::clone(facts));
                }
            }
            JournalEntry::Answered { number, answer } => {
                if let Some(call) = calls.get_mut(number) {
                    call.ended_ns = Some(line.at_ns);
                    call.answer = Some(Result::clone(answer));
                }
            }
            _ => {}
        }
    }
    calls.into_values().collect()
}
