//! `sweep worker-2`: the worker looks for work at once, beside its own sweeps.

use std::fmt;

use crate::plan::draw::{Drawn, Generated};
use crate::plan::names::Node;
use crate::plan::simulation::Simulation;
use crate::plan::step_kind::{Group, Part, StepKind};
use crate::plan::words::parse_worker;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    pub worker: Node,
}

impl fmt::Display for Sweep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sweep {}", self.worker)
    }
}

impl Drawn for Sweep {
    fn generated() -> Generated {
        Generated::Never
    }
}

impl StepKind for Sweep {
    fn examples() -> &'static [&'static str] {
        &["12ms sweep worker-2"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["sweep", worker] = words else { return Ok(None) };
        Ok(Some(Self { worker: parse_worker(worker)? }))
    }

    fn group(&self) -> Group {
        Group::Work
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        vec![Part::Node(&mut self.worker)]
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        world.sweep(self.worker);
    }
}
