//! `crash worker-3 renamed for 3s`: a node dies and comes back as a new life; renamed, as another owner too. A crash of the
//! registry is in `registry_crash.rs`.

use std::fmt;

use crate::plan::draw::{Draft, Drawing, Drawn, FaultDraw, Generated};
use crate::plan::names::Node;
use crate::plan::simulation::Simulation;
use crate::plan::span::Span;
use crate::plan::step_kind::Simpler;
use crate::plan::step_kind::{Action, Group, Part, Shown, StepKind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeCrash {
    pub node: Node,
    pub is_renamed: bool,
    pub span: Span,
}

fn draw(drawing: &mut Drawing, _draft: Draft) -> Action {
    let (node, span) = (drawing.worker(), drawing.span());
    NodeCrash { node, is_renamed: drawing.dice.percent(15), span }.into()
}

impl fmt::Display for NodeCrash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let renamed = if self.is_renamed { " renamed" } else { "" };
        write!(f, "crash {}{renamed} {}", self.node, self.span)
    }
}

impl Drawn for NodeCrash {
    fn generated() -> Generated {
        Generated::ByItself(FaultDraw::new(draw))
    }
}

impl StepKind for NodeCrash {
    fn examples() -> &'static [&'static str] {
        &["1.2s crash worker-3 for 3s", "1.25s crash worker-3 renamed for 3.005s"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        Ok(match words {
            ["crash", "registry", ..] => None,
            ["crash", node, "renamed", span @ ..] => {
                Some(Self { node: node.parse()?, is_renamed: true, span: Span::parse(span)? })
            }
            ["crash", node, span @ ..] => {
                Some(Self { node: node.parse()?, is_renamed: false, span: Span::parse(span)? })
            }
            _ => None,
        })
    }

    fn group(&self) -> Group {
        Group::Crash
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        vec![Part::Node(&mut self.node), Part::Span(&mut self.span)]
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        world.crash(self.node, self.span, self.is_renamed);
    }

    fn shown(&self) -> Shown {
        Shown::UntilItsEvent
    }

    fn simpler(&self, _ttl_ms: u64) -> Vec<Simpler> {
        vec![Simpler::new("a plain kind", |crash: &mut Self| crash.is_renamed = false)]
    }

    fn unusual(&self) -> usize {
        usize::from(self.is_renamed)
    }
}
