//! `wakes p1`: a host reads the events that wake the process's target, and acks each twice.

use std::fmt;

use crate::plan::draw::{Drawn, Generated};
use crate::plan::names::Process;
use crate::plan::simulation::Simulation;
use crate::plan::step_kind::{Group, Part, StepKind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadWakes {
    pub process: Process,
}

impl fmt::Display for ReadWakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wakes {}", self.process)
    }
}

impl Drawn for ReadWakes {
    fn generated() -> Generated {
        Generated::WithOthers
    }
}

impl StepKind for ReadWakes {
    fn examples() -> &'static [&'static str] {
        &["11ms wakes p1"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["wakes", process] = words else { return Ok(None) };
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
        world.read_wakes(self.process);
    }
}
