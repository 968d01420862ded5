//! How far the liveness phase has come.

use crate::plan::Node;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Phase {
    /// The plan's faults go on.
    #[default]
    Faults,
    /// Faults are over, and rows end by themselves.
    Resting,
    /// Rows that do not end by themselves are asked to.
    Asking,
}

#[derive(Default)]
pub struct LivenessState {
    phase: Phase,
    /// The instant by which the present phase must have done its work.
    pub deadline_us: u64,
    pub bound_us: u64,
    /// Workers that were drained: they are restarted when the liveness phase begins.
    pub drained: Vec<Node>,
}

impl LivenessState {
    pub fn phase(&self) -> Phase {
        self.phase
    }

    pub fn has_begun(&self) -> bool {
        self.phase != Phase::Faults
    }

    /// Begins a later phase, which must have done its work within the bound. Returns that deadline.
    pub fn begin(&mut self, phase: Phase, now_us: u64) -> u64 {
        assert!(phase > self.phase, "the liveness phase went back from {:?} to {phase:?}", self.phase);
        self.phase = phase;
        self.deadline_us = now_us + self.bound_us;
        self.deadline_us
    }
}
