//! `cut registry>worker-2 for 3s`: nothing sent on a link meanwhile arrives, in this direction alone.

use std::fmt;

use crate::plan::draw::{Draft, Drawing, Drawn, FaultDraw, Generated};
use crate::plan::names::Link;
use crate::plan::simulation::Simulation;
use crate::plan::span::Span;
use crate::plan::step_kind::{Action, Group, Part, Shown, StepKind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutLink {
    pub link: Link,
    pub span: Span,
}

fn draw(drawing: &mut Drawing, draft: Draft) -> Action {
    let link = drawing.link();
    if drawing.dice.percent(40) {
        let span = drawing.span();
        drawing.add(draft.at_ms, CutLink { link: Link { from: link.to, to: link.from }, span });
    }
    CutLink { link, span: drawing.span() }.into()
}

impl fmt::Display for CutLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cut {} {}", self.link, self.span)
    }
}

impl Drawn for CutLink {
    fn generated() -> Generated {
        Generated::ByItself(FaultDraw::new(draw))
    }
}

impl StepKind for CutLink {
    fn examples() -> &'static [&'static str] {
        &["2s cut registry>worker-2 for 3s"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["cut", link, span @ ..] = words else { return Ok(None) };
        Ok(Some(Self { link: link.parse()?, span: Span::parse(span)? }))
    }

    fn group(&self) -> Group {
        Group::Link
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        vec![Part::Link(&mut self.link), Part::Span(&mut self.span)]
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        let until_us = world.end_of(self.span);
        world.cut(self.link, until_us);
    }

    fn shown(&self) -> Shown {
        Shown::bar(self.span)
    }

    fn cuts(&self) -> Option<(Link, Span)> {
        Some((self.link, self.span))
    }
}
