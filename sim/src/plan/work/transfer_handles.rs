//! `transfer p1 p2 from s1 to s2`: a host moves handles from one scope to another, all of them or none.

use std::fmt;

use crate::plan::draw::{Drawn, Generated};
use crate::plan::names::{Process, Scope};
use crate::plan::simulation::Simulation;
use crate::plan::step_kind::{Group, Part, StepKind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferHandles {
    pub processes: Vec<Process>,
    pub from: Scope,
    pub to: Scope,
}

impl fmt::Display for TransferHandles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.processes.iter().map(Process::to_string).collect();
        write!(f, "transfer {} from {} to {}", names.join(" "), self.from, self.to)
    }
}

impl Drawn for TransferHandles {
    fn generated() -> Generated {
        Generated::WithOthers
    }
}

impl StepKind for TransferHandles {
    fn examples() -> &'static [&'static str] {
        &["11ms transfer p1 p2 from s1 to s2"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["transfer", processes @ .., "from", from, "to", to] = words else { return Ok(None) };
        if processes.is_empty() {
            return Ok(None);
        }
        let processes = processes.iter().map(|process| process.parse()).collect::<Result<_, _>>()?;
        Ok(Some(Self { processes, from: from.parse()?, to: to.parse()? }))
    }

    fn group(&self) -> Group {
        Group::Work
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        vec![Part::Processes(&mut self.processes)]
    }

    fn needs_registry(&self) -> bool {
        true
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        world.transfer_handles(&self.processes, self.from, self.to);
    }

    fn counted(&self) -> u64 {
        self.processes.len() as u64
    }
}
