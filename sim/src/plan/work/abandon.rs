//! `abandon p1`: a host asks that nobody runs the process any more.

use std::fmt;

use crate::plan::draw::{Drawn, Generated};
use crate::plan::names::Process;
use crate::plan::simulation::Simulation;
use crate::plan::step_kind::{Group, Part, StepKind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abandon {
    pub process: Process,
}

impl fmt::Display for Abandon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "abandon {}", self.process)
    }
}

impl Drawn for Abandon {
    fn generated() -> Generated {
        Generated::WithOthers
    }
}

impl StepKind for Abandon {
    fn examples() -> &'static [&'static str] {
        &["9ms abandon p1"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["abandon", process] = words else { return Ok(None) };
        Ok(Some(Self { process: process.parse()? }))
    }

    fn group(&self) -> Group {
        Group::Work
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        vec![Part::Process(&mut self.process)]
    }

    fn needs_registry(&self) -> bool {
        true
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        world.abandon(self.process);
    }
}
