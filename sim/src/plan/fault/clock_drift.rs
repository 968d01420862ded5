//! `drift worker-1 -250ppm`: from now on both clocks of a node run so much faster or slower than true time.

use std::fmt;

use crate::plan::clock::Clock;
use crate::plan::clock_fault::{ClockFault, ClockRate};
use crate::plan::digits::signed;
use crate::plan::draw::{Draft, Drawing, Drawn, FaultDraw, Generated};
use crate::plan::names::Node;
use crate::plan::simulation::Simulation;
use crate::plan::step_kind::{Action, Group, Part, StepKind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockDrift {
    pub node: Node,
    pub ppm: i32,
}

fn draw(drawing: &mut Drawing, _draft: Draft) -> Action {
    let ppm = drawing.dice.between(0, 4_000) as i32 - 2_000;
    ClockDrift { node: drawing.node(), ppm }.into()
}

impl fmt::Display for ClockDrift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "drift {} {:+}ppm", self.node, self.ppm)
    }
}

impl Drawn for ClockDrift {
    fn generated() -> Generated {
        Generated::ByItself(FaultDraw::new(draw))
    }
}

impl StepKind for ClockDrift {
    fn examples() -> &'static [&'static str] {
        &["2s drift worker-1 -250ppm"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["drift", node, ppm] = words else { return Ok(None) };
        let number = ppm.strip_suffix("ppm").and_then(signed).and_then(|ppm| i32::try_from(ppm).ok());
        let in_range = number.filter(|ppm: &i32| ppm.unsigned_abs() <= 100_000);
        let ppm = in_range.ok_or_else(|| format!("`{ppm}` is no drift: say +40ppm, at most 100000ppm"))?;
        Ok(Some(Self { node: node.parse()?, ppm }))
    }

    fn group(&self) -> Group {
        Group::Clock
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        vec![Part::Node(&mut self.node), Part::Ppm(&mut self.ppm)]
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        world.bend_clock(self);
    }

    fn clock_fault(&self) -> Option<&dyn ClockFault> {
        Some(self)
    }
}

impl ClockFault for ClockDrift {
    fn node(&self) -> Node {
        self.node
    }

    fn bend(&self, clock: &mut Clock, now_us: u64) {
        clock.drift(now_us, self.ppm);
    }

    fn rate(&self) -> ClockRate {
        ClockRate::Lasting(self.ppm.unsigned_abs())
    }
}
