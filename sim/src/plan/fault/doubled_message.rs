//! `double message 7 worker-2>registry after 300ms`: a copy of this one message arrives so much after it.

use std::fmt;

use crate::plan::draw::{Drawn, Generated};
use crate::plan::names::Link;
use crate::plan::simulation::{MessageFault, Simulation};
use crate::plan::step_kind::{Group, Part, StepKind};
use crate::plan::words::{Ms, parse_message, parse_ms};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoubledMessage {
    pub link: Link,
    /// Its number on the link, counted from the run's first.
    pub number: u64,
    pub after_ms: u64,
}

impl fmt::Display for DoubledMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "double message {} {} after {}", self.number, self.link, Ms(self.after_ms))
    }
}

impl Drawn for DoubledMessage {
    /// A share of a link's messages is drawn instead: nobody knows their numbers before the run.
    fn generated() -> Generated {
        Generated::Never
    }
}

impl StepKind for DoubledMessage {
    fn examples() -> &'static [&'static str] {
        &["2s double message 7 worker-2>registry after 300ms"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["double", "message", number, link, "after", after] = words else { return Ok(None) };
        let number = parse_message(number)?;
        Ok(Some(Self { link: link.parse()?, number, after_ms: parse_ms(after)? }))
    }

    fn group(&self) -> Group {
        Group::Link
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        vec![Part::Link(&mut self.link), Part::Ms(&mut self.after_ms)]
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        let after_us = self.after_ms * 1_000;
        world.single_out(self.link, self.number, MessageFault::Doubled { after_us });
    }

    fn unusual(&self) -> usize {
        1
    }

    fn counted(&self) -> u64 {
        self.number
    }
}
