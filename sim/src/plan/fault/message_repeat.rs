//! `repeat 30% worker-2>registry for 3s`: a share of the messages sent on a link meanwhile arrives twice.

use std::fmt;

use crate::plan::draw::{Drawn, Generated};
use crate::plan::names::Link;
use crate::plan::simulation::Simulation;
use crate::plan::span::Span;
use crate::plan::step_kind::Simpler;
use crate::plan::step_kind::{Group, Part, Shown, StepKind};
use crate::plan::words::parse_percent;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRepeat {
    pub link: Link,
    pub percent: u64,
    pub span: Span,
}

impl fmt::Display for MessageRepeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "repeat {}% {} {}", self.percent, self.link, self.span)
    }
}

impl Drawn for MessageRepeat {
    /// By the draw of `message_loss.rs`.
    fn generated() -> Generated {
        Generated::WithOthers
    }
}

impl StepKind for MessageRepeat {
    fn examples() -> &'static [&'static str] {
        &["2s repeat 30% worker-2>registry for 3s"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["repeat", share, link, span @ ..] = words else { return Ok(None) };
        Ok(Some(Self { link: link.parse()?, percent: parse_percent(share)?, span: Span::parse(span)? }))
    }

    fn group(&self) -> Group {
        Group::Link
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        vec![Part::Link(&mut self.link), Part::Span(&mut self.span)]
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        let until_us = world.end_of(self.span);
        world.repeat(self.link, self.percent, until_us);
    }

    fn shown(&self) -> Shown {
        Shown::bar(self.span)
    }

    fn simpler(&self, _ttl_ms: u64) -> Vec<Simpler> {
        vec![Simpler::new("a plain kind", |repeat: &mut Self| repeat.percent = repeat.percent.max(100))]
    }

    fn unusual(&self) -> usize {
        1
    }

    /// A share that is everything is nothing to think about.
    fn counted(&self) -> u64 {
        100_u64.saturating_sub(self.percent)
    }
}
