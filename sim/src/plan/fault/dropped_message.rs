//! `drop message 7 worker-2>registry`: this one message on a link never arrives.

use std::fmt;

use crate::plan::draw::{Drawn, Generated};
use crate::plan::names::Link;
use crate::plan::simulation::{MessageFault, Simulation};
use crate::plan::step_kind::{Group, Part, StepKind};
use crate::plan::words::parse_message;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedMessage {
    pub link: Link,
    /// Its number on the link, counted from the run's first.
    pub number: u64,
}

impl fmt::Display for DroppedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "drop message {} {}", self.number, self.link)
    }
}

impl Drawn for DroppedMessage {
    /// A share of a link's messages is drawn instead: nobody knows their numbers before the run.
    fn generated() -> Generated {
        Generated::Never
    }
}

impl StepKind for DroppedMessage {
    fn examples() -> &'static [&'static str] {
        &["2s drop message 7 worker-2>registry"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["drop", "message", number, link] = words else { return Ok(None) };
        let number = parse_message(number)?;
        Ok(Some(Self { link: link.parse()?, number }))
    }

    fn group(&self) -> Group {
        Group::Link
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        vec![Part::Link(&mut self.link)]
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        world.single_out(self.link, self.number, MessageFault::Dropped);
    }

    fn unusual(&self) -> usize {
        1
    }

    fn counted(&self) -> u64 {
        self.number
    }
}
