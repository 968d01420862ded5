//! `ask recent_events p1 with 3`: a host calls one method of the registry, with a number that its arguments are made from: a
//! cursor, a limit, a cutoff, or which of several usual and unusual arguments. `max` is the greatest number there is.

use std::fmt;

use crate::plan::digits::unsigned;
use crate::plan::draw::{Drawn, Generated};
use crate::plan::host_call::HostCall;
use crate::plan::names::Process;
use crate::plan::simulation::Simulation;
use crate::plan::step_kind::{Group, Part, Simpler, StepKind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    pub call: HostCall,
    /// A process that nobody registered is an unknown one.
    pub process: Process,
    pub number: u64,
}

/// The plainest argument there is.
const PLAIN: u64 = 1;

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, process, number } = self;
        match *number {
            u64::MAX => write!(f, "ask {call} {process} with max"),
            number => write!(f, "ask {call} {process} with {number}"),
        }
    }
}

impl Drawn for Ask {
    fn generated() -> Generated {
        Generated::WithOthers
    }
}

impl StepKind for Ask {
    fn examples() -> &'static [&'static str] {
        &["11ms ask recent_events p1 with 3", "11ms ask prune_terminal_processes p1 with max"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["ask", call, process, "with", number] = words else { return Ok(None) };
        let number = match *number {
            "max" => u64::MAX,
            digits => unsigned(digits).ok_or_else(|| format!("`{digits}` is no number: say 0, 3 or max"))?,
        };
        Ok(Some(Self { call: call.parse()?, process: process.parse()?, number }))
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
        world.ask(self.call, self.process, self.number);
    }

    fn simpler(&self, _ttl_ms: u64) -> Vec<Simpler> {
        if self.number == PLAIN {
            return Vec::new();
        }
        vec![Simpler::new("a plain argument", |ask: &mut Self| ask.number = PLAIN)]
    }

    fn unusual(&self) -> usize {
        usize::from(self.number != PLAIN)
    }
}
