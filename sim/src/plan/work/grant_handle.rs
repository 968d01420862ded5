//! `grant p1 to s1`: a host gives a scope a handle on the process.

use std::fmt;

use crate::plan::draw::{Drawn, Generated};
use crate::plan::names::{Process, Scope};
use crate::plan::simulation::Simulation;
use crate::plan::step_kind::{Group, Part, StepKind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantHandle {
    pub process: Process,
    pub to: Scope,
}

impl fmt::Display for GrantHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "grant {} to {}", self.process, self.to)
    }
}

impl Drawn for GrantHandle {
    fn generated() -> Generated {
        Generated::WithOthers
    }
}

impl StepKind for GrantHandle {
    fn examples() -> &'static [&'static str] {
        &["11ms grant p1 to s1"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["grant", process, "to", scope] = words else { return Ok(None) };
        Ok(Some(Self { process: process.parse()?, to: scope.parse()? }))
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
        world.grant_handle(self.process, self.to);
    }
}
