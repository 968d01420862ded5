//! Marks of bodies that run: two of one process at once, one past its lease or its process's life, a parent that waits in
//! the only place its worker has.

use std::collections::BTreeSet;

use crate::coverage::per_process::PerProcess;
use crate::coverage::{CoverageCounts, Mark};
use crate::history::event::{Event, GrantNo, Write};
use crate::plan::Plan;

pub struct BodyObserver {
    bound: u16,
    /// Processes whose bodies wait for another process.
    parents: BTreeSet<u16>,
    processes: PerProcess<BodyState>,
}

#[derive(Default)]
struct BodyState {
    /// The grant and the node of each body that runs now.
    running: Vec<(GrantNo, u8)>,
    is_registered_parent: bool,
    was_pruned: bool,
}

impl BodyObserver {
    pub fn new(plan: &Plan, parents: BTreeSet<u16>) -> Self {
        Self { bound: plan.bound, parents, processes: PerProcess::default() }
    }

    pub fn registered(&mut self, event: &Event, counts: &mut CoverageCounts) {
        let state = self.processes.of(event.process);
        if state.was_pruned && !state.running.is_empty() {
            counts.hit(Mark::NewLifeWithOldWriter);
        }
        state.is_registered_parent = self.parents.contains(&event.process);
    }

    pub fn granted(&mut self, event: &Event, counts: &mut CoverageCounts) {
        let state = self.processes.of(event.process);
        if state.running.iter().any(|(running, _)| *running != event.grant) {
            counts.hit(Mark::BodyPastItsLease);
        }
    }

    pub fn began(&mut self, event: &Event, counts: &mut CoverageCounts) {
        let is_waiting_here = |state: &BodyState| {
            state.is_registered_parent && state.running.iter().any(|(_, node)| *node == event.node)
        };
        if self.bound == 1 && self.processes.iter().any(is_waiting_here) {
            counts.hit(Mark::ParentWithBoundOfOne);
        }
        let running = &mut self.processes.of(event.process).running;
        if !running.is_empty() {
            counts.hit(Mark::TwoBodies);
        }
        running.push((event.grant, event.node));
    }

    pub fn read_failed(&mut self, event: &Event, counts: &mut CoverageCounts) {
        if self.processes.of(event.process).running.iter().any(|(_, node)| *node == event.node) {
            counts.hit(Mark::FailedReadInBody);
        }
    }

    pub fn ended(&mut self, event: &Event) {
        self.processes.of(event.process).running.retain(|(grant, _)| *grant != event.grant);
    }

    pub fn asked(&mut self, event: &Event, write: Write, counts: &mut CoverageCounts) {
        if write == Write::CancelRequest && !self.processes.of(event.process).running.is_empty() {
            counts.hit(Mark::CancelDuringRun);
        }
    }

    /// Its bodies go on running.
    pub fn pruned(&mut self, event: &Event) {
        let state = self.processes.of(event.process);
        state.is_registered_parent = false;
        state.was_pruned = true;
    }

    pub fn node_crashed(&mut self, node: u8) {
        for state in self.processes.iter_mut() {
            state.running.retain(|(_, at)| *at != node);
        }
    }
}
