//! `prune`: a host removes every process that has ended.

use std::fmt;

use crate::plan::draw::{Drawn, Generated};
use crate::plan::simulation::Simulation;
use crate::plan::step_kind::{Group, Part, StepKind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prune;

impl fmt::Display for Prune {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("prune")
    }
}

impl Drawn for Prune {
    fn generated() -> Generated {
        Generated::WithOthers
    }
}

impl StepKind for Prune {
    fn examples() -> &'static [&'static str] {
        &["11ms prune"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        Ok((words == ["prune"]).then_some(Self))
    }

    fn group(&self) -> Group {
        Group::Work
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        Vec::new()
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        world.prune();
    }
}
