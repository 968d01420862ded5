//! Marks of crashes and pauses in the middle of a worker's attempt: how far each attempt came, and with it which crash would
//! be seen if its node crashed now.

use std::collections::BTreeMap;

use crate::coverage::{CoverageCounts, Mark};
use crate::history::event::{BodyOutcome, CallKind, Event, NO_PROCESS, Write};
use crate::plan::Plan;

pub struct AttemptObserver {
    /// By node.
    ttls_us: BTreeMap<u8, u64>,
    nodes: BTreeMap<u8, NodeAttempts>,
}

#[derive(Default)]
struct NodeAttempts {
    paused_at_us: Option<u64>,
    /// The mark that a crash hits now, by process; that of the node's last list stands under no process.
    crash_marks: BTreeMap<u16, Mark>,
}

impl AttemptObserver {
    pub fn new(plan: &Plan) -> Self {
        Self { ttls_us: plan.ttls_us(), nodes: BTreeMap::new() }
    }

    pub fn listed(&mut self, event: &Event) {
        self.reaches(event.node, NO_PROCESS, Mark::CrashAfterList);
    }

    pub fn granted(&mut self, event: &Event) {
        self.reaches(event.node, event.process, Mark::CrashAfterClaim);
    }

    pub fn showed(&mut self, event: &Event) {
        self.goes_on(event, Mark::CrashAfterClaim, Mark::CrashAfterRead);
    }

    pub fn wrote(&mut self, event: &Event, write: Write) {
        match write {
            Write::FirstStart | Write::StartedBefore | Write::StartedByItself => {
                self.reaches(event.node, event.process, Mark::CrashAfterFirstStart);
            }
            Write::Wait
            | Write::WaitCleared
            | Write::Progress
            | Write::AbandonRequest
            | Write::Signal
            | Write::CancelRequest
            | Write::WakeAcked
            | Write::HandleGranted
            | Write::HandlesMoved => {}
        }
    }

    pub fn body_began(&mut self, event: &Event) {
        self.reaches(event.node, event.process, Mark::CrashInMidRun);
    }

    pub fn body_ended(&mut self, event: &Event, outcome: BodyOutcome) {
        match outcome {
            BodyOutcome::Broke => self.reaches(event.node, event.process, Mark::CrashBeforeRelease),
            BodyOutcome::Output | BodyOutcome::Dropped => {}
        }
    }

    pub fn renewed(&mut self, event: &Event) {
        self.goes_on(event, Mark::CrashInMidRun, Mark::CrashAfterRenewal);
    }

    pub fn ended(&mut self, event: &Event) {
        self.reaches(event.node, event.process, Mark::CrashAfterTerminal);
    }

    /// The attempt is over once its last call was answered.
    pub fn heard(&mut self, event: &Event, call: CallKind) {
        if matches!(call, CallKind::Complete | CallKind::Release) {
            self.is_over(event);
        }
    }

    pub fn is_over(&mut self, event: &Event) {
        self.node(event.node).crash_marks.remove(&event.process);
    }

    pub fn paused(&mut self, event: &Event) {
        self.node(event.node).paused_at_us = Some(event.at_us);
    }

    pub fn resumed(&mut self, event: &Event, counts: &mut CoverageCounts) {
        let ttl_us = self.ttls_us.get(&event.node).copied().unwrap_or(0);
        let node = self.node(event.node);
        let paused_at_us = node.paused_at_us.take().unwrap_or(event.at_us);
        let is_at_work = node.crash_marks.keys().any(|process| *process != NO_PROCESS);
        if is_at_work && event.at_us - paused_at_us > ttl_us {
            counts.hit(Mark::PauseBeyondTtl);
        }
    }

    pub fn node_crashed(&mut self, node: u8, counts: &mut CoverageCounts) {
        let node = std::mem::take(self.node(node));
        node.crash_marks.into_values().for_each(|mark| counts.hit(mark));
    }

    fn node(&mut self, node: u8) -> &mut NodeAttempts {
        self.nodes.entry(node).or_default()
    }

    fn reaches(&mut self, node: u8, process: u16, crash_mark: Mark) {
        self.node(node).crash_marks.insert(process, crash_mark);
    }

    /// The attempt comes from one stage to the next, if it is at the first of them.
    fn goes_on(&mut self, event: &Event, from: Mark, to: Mark) {
        if let Some(crash_mark) = self.node(event.node).crash_marks.get_mut(&event.process)
            && *crash_mark == from
        {
            *crash_mark = to;
        }
    }
}
