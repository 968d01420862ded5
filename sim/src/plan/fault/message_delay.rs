//! `delay host-1>registry by 1s for 3s`: messages sent on a link meanwhile arrive so much later.

use std::fmt;

use crate::plan::draw::{Draft, Drawing, Drawn, FaultDraw, Generated};
use crate::plan::names::Link;
use crate::plan::simulation::Simulation;
use crate::plan::span::Span;
use crate::plan::step_kind::{Action, Group, HeldBack, Part, Shown, StepKind};
use crate::plan::words::{Ms, parse_ms};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageDelay {
    pub link: Link,
    pub by_ms: u64,
    pub span: Span,
}

fn draw(drawing: &mut Drawing, draft: Draft) -> Action {
    let ttl_ms = drawing.ttl_ms;
    let by_ms = *drawing.dice.one_of(&[20, 300, ttl_ms - 1, ttl_ms, ttl_ms + 200]);
    MessageDelay { link: drawing.link(), by_ms, span: draft.short }.into()
}

impl fmt::Display for MessageDelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "delay {} by {} {}", self.link, Ms(self.by_ms), self.span)
    }
}

impl Drawn for MessageDelay {
    fn generated() -> Generated {
        Generated::ByItself(FaultDraw::new(draw))
    }
}

impl StepKind for MessageDelay {
    fn examples() -> &'static [&'static str] {
        &["2s delay host-1>registry by 1s for 3s"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["delay", link, "by", by, span @ ..] = words else { return Ok(None) };
        Ok(Some(Self { link: link.parse()?, by_ms: parse_ms(by)?, span: Span::parse(span)? }))
    }

    fn group(&self) -> Group {
        Group::Link
    }

    fn holds_back(&self) -> Option<HeldBack> {
        Some(HeldBack::Messages { link: self.link, span: self.span })
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        vec![Part::Link(&mut self.link), Part::Ms(&mut self.by_ms), Part::Span(&mut self.span)]
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        let until_us = world.end_of(self.span);
        world.delay(self.link, self.by_ms * 1_000, until_us);
    }

    fn shown(&self) -> Shown {
        Shown::bar(self.span)
    }
}
