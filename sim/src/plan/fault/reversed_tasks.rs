//! `reverse worker-1 for 1ms`: tasks of a node that become ready meanwhile run in the opposite order, and after those of others.

use std::fmt;

use crate::plan::draw::{Drawn, Generated};
use crate::plan::names::Node;
use crate::plan::simulation::Simulation;
use crate::plan::span::Span;
use crate::plan::step_kind::{Group, Part, Shown, StepKind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReversedTasks {
    pub node: Node,
    pub span: Span,
}

impl fmt::Display for ReversedTasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reverse {} {}", self.node, self.span)
    }
}

impl Drawn for ReversedTasks {
    /// In generated plans every order of ready tasks is drawn.
    fn generated() -> Generated {
        Generated::Never
    }
}

impl StepKind for ReversedTasks {
    fn examples() -> &'static [&'static str] {
        &["2s reverse worker-1 for 1ms"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["reverse", node, span @ ..] = words else { return Ok(None) };
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
        world.reverse_tasks(self.node, until_us);
    }

    fn shown(&self) -> Shown {
        Shown::bar(self.span)
    }
}
