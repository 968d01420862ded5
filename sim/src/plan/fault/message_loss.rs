//! `lose 30% worker-2>registry for 3s`: a share of the messages sent on a link meanwhile is lost.

use std::fmt;

use crate::plan::draw::{Draft, Drawing, Drawn, FaultDraw, Generated};
use crate::plan::fault::cut_link::CutLink;
use crate::plan::fault::message_repeat::MessageRepeat;
use crate::plan::names::Link;
use crate::plan::simulation::Simulation;
use crate::plan::span::Span;
use crate::plan::step_kind::Simpler;
use crate::plan::step_kind::{Action, Group, Part, Shown, StepKind};
use crate::plan::words::parse_percent;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageLoss {
    pub link: Link,
    pub percent: u64,
    pub span: Span,
}

/// A link loses messages or repeats them.
fn draw(drawing: &mut Drawing, draft: Draft) -> Action {
    let (link, percent) = (drawing.link(), drawing.dice.between(10, 80));
    if drawing.dice.percent(50) {
        MessageLoss { link, percent, span: draft.short }.into()
    } else {
        MessageRepeat { link, percent, span: draft.short }.into()
    }
}

impl fmt::Display for MessageLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lose {}% {} {}", self.percent, self.link, self.span)
    }
}

impl Drawn for MessageLoss {
    fn generated() -> Generated {
        Generated::ByItself(FaultDraw::new(draw))
    }
}

impl StepKind for MessageLoss {
    fn examples() -> &'static [&'static str] {
        &["2s lose 30% worker-2>registry for 3s"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["lose", share, link, span @ ..] = words else { return Ok(None) };
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
        world.lose(self.link, self.percent, until_us);
    }

    fn shown(&self) -> Shown {
        Shown::bar(self.span)
    }

    /// Every message first, then a cut.
    fn simpler(&self, _ttl_ms: u64) -> Vec<Simpler> {
        let plainer = |loss: &Self| match *loss {
            Self { link, percent, span } if percent < 100 => Self { link, percent: 100, span }.into(),
            Self { link, span, .. } => CutLink { link, span }.into(),
        };
        vec![Simpler::replaced("a plain kind", plainer)]
    }

    fn unusual(&self) -> usize {
        1
    }

    /// A share that is everything is nothing to think about.
    fn counted(&self) -> u64 {
        100_u64.saturating_sub(self.percent)
    }
}
