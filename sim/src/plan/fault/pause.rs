//! `pause worker-1 for 400ms`: a node stands still. Its clocks go on, and messages to it wait.

use std::fmt;

use crate::plan::draw::{Draft, Drawing, Drawn, FaultDraw, Generated};
use crate::plan::names::Node;
use crate::plan::simulation::Simulation;
use crate::plan::span::Span;
use crate::plan::step_kind::{Action, Group, Part, Shown, StepKind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    pub node: Node,
    pub span: Span,
}

fn draw(drawing: &mut Drawing, _draft: Draft) -> Action {
    let node = drawing.node();
    Pause { node, span: drawing.span() }.into()
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pause {} {}", self.node, self.span)
    }
}

impl Drawn for Pause {
    fn generated() -> Generated {
        Generated::ByItself(FaultDraw::new(draw))
    }
}

impl StepKind for Pause {
    fn examples() -> &'static [&'static str] {
        &["350ms pause worker-1 for 400ms", "351ms pause worker-1 until p1 expires -1ms"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["pause", node, span @ ..] = words else { return Ok(None) };
        Ok(Some(Self { node: node.parse()?, span: Span::parse(span)? }))
    }

    fn group(&self) -> Group {
        Group::Standstill
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        vec![Part::Node(&mut self.node), Part::Span(&mut self.span)]
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        let until_us = world.end_of(self.span);
        world.pause(self.node, until_us);
    }

    fn shown(&self) -> Shown {
        Shown::UntilItsEvent
    }
}
