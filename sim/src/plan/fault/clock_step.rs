//! `step registry by -1.5s`: a node's wall clock is set, at once. Its monotonic clock goes on as before.

use std::fmt;

use crate::plan::clock::Clock;
use crate::plan::clock_fault::{ClockFault, ClockRate};
use crate::plan::draw::{Draft, Drawing, Drawn, FaultDraw, Generated};
use crate::plan::names::Node;
use crate::plan::simulation::Simulation;
use crate::plan::step_kind::{Action, Group, Part, StepKind};
use crate::plan::words::{SignedMs, parse_signed_ms};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockStep {
    pub node: Node,
    pub by_ms: i64,
}

fn draw(drawing: &mut Drawing, draft: Draft) -> Action {
    let size = *drawing.dice.one_of(&[1, 200, drawing.ttl_ms as i64, 5_000]);
    let by_ms = if drawing.dice.percent(50) { size } else { -size };
    let node = if drawing.dice.percent(50) { Node::Registry } else { drawing.worker() };
    if drawing.dice.percent(50) {
        // And back again: a lease that expired meanwhile, and that nobody took, lives again.
        let back_ms = draft.at_ms + drawing.dice.between(10, 800);
        drawing.add(back_ms, ClockStep { node, by_ms: -by_ms });
    }
    ClockStep { node, by_ms }.into()
}

impl fmt::Display for ClockStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {} by {}", self.node, SignedMs(self.by_ms))
    }
}

impl Drawn for ClockStep {
    fn generated() -> Generated {
        Generated::ByItself(FaultDraw::new(draw))
    }
}

impl StepKind for ClockStep {
    fn examples() -> &'static [&'static str] {
        &["2s step registry by -1.5s", "2s step worker-1 by +10ms"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["step", node, "by", by] = words else { return Ok(None) };
        Ok(Some(Self { node: node.parse()?, by_ms: parse_signed_ms(by)? }))
    }

    fn group(&self) -> Group {
        Group::Clock
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        vec![Part::Node(&mut self.node), Part::SignedMs(&mut self.by_ms)]
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        world.bend_clock(self);
    }

    fn clock_fault(&self) -> Option<&dyn ClockFault> {
        Some(self)
    }
}

impl ClockFault for ClockStep {
    fn node(&self) -> Node {
        self.node
    }

    fn bend(&self, clock: &mut Clock, now_us: u64) {
        clock.step(now_us, self.by_ms);
    }

    fn rate(&self) -> ClockRate {
        ClockRate::Unchanged
    }

    fn step_ms(&self) -> i64 {
        self.by_ms
    }
}
