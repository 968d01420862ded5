//! `cancel p1`: a host asks the process to end.

use std::fmt;

use crate::plan::draw::{Drawn, Generated};
use crate::plan::names::Process;
use crate::plan::simulation::Simulation;
use crate::plan::step_kind::{Group, Part, StepKind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancel {
    pub process: Process,
}

impl fmt::Display for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cancel {}", self.process)
    }
}

impl Drawn for Cancel {
    fn generated() -> Generated {
        Generated::WithOthers
    }
}

impl StepKind for Cancel {
    fn examples() -> &'static [&'static str] {
        &["7ms cancel p1"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["cancel", process] = words else { return Ok(None) };
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
        world.cancel(self.process);
    }
}
