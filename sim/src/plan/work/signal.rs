//! `signal p1`: a host sends the signal that a waiting body waits for.

use std::fmt;

use crate::plan::draw::{Drawn, Generated};
use crate::plan::names::Process;
use crate::plan::simulation::Simulation;
use crate::plan::step_kind::{Group, Part, StepKind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    pub process: Process,
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "signal {}", self.process)
    }
}

impl Drawn for Signal {
    fn generated() -> Generated {
        Generated::WithOthers
    }
}

impl StepKind for Signal {
    fn examples() -> &'static [&'static str] {
        &["8ms signal p1"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["signal", process] = words else { return Ok(None) };
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
        world.signal(self.process);
    }
}
