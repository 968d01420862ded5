//! `start-late worker-1 by 40ms for 1s`: tasks that a node spawns meanwhile start so much later.

use std::fmt;

use crate::plan::draw::{Draft, Drawing, Drawn, FaultDraw, Generated};
use crate::plan::names::Node;
use crate::plan::simulation::Simulation;
use crate::plan::span::Span;
use crate::plan::step_kind::{Action, Group, Part, Shown, StepKind};
use crate::plan::words::{Ms, parse_ms};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateStart {
    pub node: Node,
    pub by_ms: u64,
    pub span: Span,
}

fn draw(drawing: &mut Drawing, draft: Draft) -> Action {
    let node = drawing.worker();
    LateStart { node, by_ms: drawing.dice.between(1, 500), span: draft.short }.into()
}

impl fmt::Display for LateStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "start-late {} by {} {}", self.node, Ms(self.by_ms), self.span)
    }
}

impl Drawn for LateStart {
    fn generated() -> Generated {
        Generated::ByItself(FaultDraw::new(draw))
    }
}

impl StepKind for LateStart {
    fn examples() -> &'static [&'static str] {
        &["2s start-late worker-1 by 40ms for 1s"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["start-late", node, "by", by, span @ ..] = words else { return Ok(None) };
        Ok(Some(Self { node: node.parse()?, by_ms: parse_ms(by)?, span: Span::parse(span)? }))
    }

    fn group(&self) -> Group {
        Group::Standstill
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        vec![Part::Node(&mut self.node), Part::Ms(&mut self.by_ms), Part::Span(&mut self.span)]
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        let until_us = world.end_of(self.span);
        world.start_late(self.node, self.by_ms * 1_000, until_us);
    }

    fn shown(&self) -> Shown {
        Shown::bar(self.span)
    }
}
