//! `await p1 at registry`: a wait on the registry's own node, beside the writes. It hears of them at once.

use std::fmt;

use crate::plan::draw::{Drawn, Generated};
use crate::plan::names::Process;
use crate::plan::simulation::Simulation;
use crate::plan::step_kind::{Group, Part, StepKind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwaitAtRegistry {
    pub process: Process,
}

impl fmt::Display for AwaitAtRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "await {} at registry", self.process)
    }
}

impl Drawn for AwaitAtRegistry {
    fn generated() -> Generated {
        Generated::WithOthers
    }
}

impl StepKind for AwaitAtRegistry {
    fn examples() -> &'static [&'static str] {
        &["10ms await p1 at registry"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["await", process, "at", "registry"] = words else { return Ok(None) };
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
        world.await_end_at_registry(self.process);
    }

    fn is_wait_at_registry(&self) -> bool {
        true
    }
}
