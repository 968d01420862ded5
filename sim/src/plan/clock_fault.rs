//! Faults that bend a clock: which node's, how, and how much faster or slower it runs meanwhile.

use crate::plan::clock::Clock;
use crate::plan::names::Node;

/// A fault that bends one node's clock.
pub trait ClockFault {
    fn node(&self) -> Node;

    /// The only place that says how: the world, the timeline and the measure of zombie windows all bend clocks by this.
    fn bend(&self, clock: &mut Clock, now_us: u64);

    fn rate(&self) -> ClockRate;

    /// How far it sets the clock at once.
    fn step_ms(&self) -> i64 {
        0
    }
}

/// How a clock's pace differs from that of true time because of a fault, in parts per million.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockRate {
    Unchanged,
    /// From now on, in place of the drift before.
    Lasting(u32),
    /// At most so much for a while, beside the drift that lasts.
    Passing(u32),
}
