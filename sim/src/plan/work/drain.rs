//! `drain worker-1`: the worker gives up its owner-bound work and takes no more.

use std::fmt;

use crate::plan::draw::{Drawn, Generated};
use crate::plan::names::Node;
use crate::plan::simulation::Simulation;
use crate::plan::step_kind::{Group, Part, StepKind};
use crate::plan::words::parse_worker;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drain {
    pub worker: Node,
}

impl fmt::Display for Drain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "drain {}", self.worker)
    }
}

impl Drawn for Drain {
    fn generated() -> Generated {
        Generated::WithOthers
    }
}

impl StepKind for Drain {
    fn examples() -> &'static [&'static str] {
        &["13ms drain worker-1"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["drain", worker] = words else { return Ok(None) };
        Ok(Some(Self { worker: parse_worker(worker)? }))
    }

    fn group(&self) -> Group {
        Group::Work
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        vec![Part::Node(&mut self.worker)]
    }

    fn needs_registry(&self) -> bool {
        true
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        world.drain(self.worker);
    }
}
