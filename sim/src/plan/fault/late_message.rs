//! `late message 7 registry>worker-2 by 300ms`: this one message on a link arrives so much later.

use std::fmt;

use crate::plan::draw::{Drawn, Generated};
use crate::plan::names::Link;
use crate::plan::simulation::{MessageFault, Simulation};
use crate::plan::step_kind::{Group, Part, StepKind};
use crate::plan::words::{Ms, parse_message, parse_ms};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateMessage {
    pub link: Link,
    /// Its number on the link, counted from the run's first.
    pub number: u64,
    pub by_ms: u64,
}

impl fmt::Display for LateMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "late message {} {} by {}", self.number, self.link, Ms(self.by_ms))
    }
}

impl Drawn for LateMessage {
    /// A share of a link's messages is drawn instead: nobody knows their numbers before the run.
    fn generated() -> Generated {
        Generated::Never
    }
}

impl StepKind for LateMessage {
    fn examples() -> &'static [&'static str] {
        &["2s late message 7 registry>worker-2 by 300ms"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["late", "message", number, link, "by", by] = words else { return Ok(None) };
        let number = parse_message(number)?;
        Ok(Some(Self { link: link.parse()?, number, by_ms: parse_ms(by)? }))
    }

    fn group(&self) -> Group {
        Group::Link
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        vec![Part::Link(&mut self.link), Part::Ms(&mut self.by_ms)]
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        let by_us = self.by_ms * 1_000;
        world.single_out(self.link, self.number, MessageFault::Late { by_us });
    }

    fn unusual(&self) -> usize {
        1
    }

    fn counted(&self) -> u64 {
        self.number
    }
}
