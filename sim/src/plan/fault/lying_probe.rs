//! `probe lies about worker-1 for 1s`: a living worker is called dead, by the probes of workers alone or by the registry's
//! too.

use std::fmt;

use crate::plan::draw::{Draft, Drawing, Drawn, FaultDraw, Generated};
use crate::plan::names::Node;
use crate::plan::simulation::Simulation;
use crate::plan::span::Span;
use crate::plan::step_kind::{Action, Group, Part, Shown, StepKind};
use crate::plan::words::parse_worker;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LyingProbe {
    pub about: Node,
    pub to_workers_only: bool,
    pub span: Span,
}

fn draw(drawing: &mut Drawing, draft: Draft) -> Action {
    let about = drawing.worker();
    LyingProbe { about, to_workers_only: drawing.dice.percent(50), span: draft.short }.into()
}

impl fmt::Display for LyingProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to_workers = if self.to_workers_only { "to workers " } else { "" };
        write!(f, "probe lies {to_workers}about {} {}", self.about, self.span)
    }
}

impl Drawn for LyingProbe {
    fn generated() -> Generated {
        Generated::ByItself(FaultDraw { is_rare: true, ..FaultDraw::new(draw) })
    }
}

impl StepKind for LyingProbe {
    fn examples() -> &'static [&'static str] {
        &["2s probe lies about worker-1 for 1s", "2s probe lies to workers about worker-1 for 1s"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let (to_workers_only, worker, span) = match words {
            ["probe", "lies", "about", worker, span @ ..] => (false, worker, span),
            ["probe", "lies", "to", "workers", "about", worker, span @ ..] => (true, worker, span),
            _ => return Ok(None),
        };
        Ok(Some(Self { about: parse_worker(worker)?, to_workers_only, span: Span::parse(span)? }))
    }

    fn group(&self) -> Group {
        Group::Probe
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        vec![Part::Node(&mut self.about), Part::Span(&mut self.span)]
    }

    fn needs_registry(&self) -> bool {
        true
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        let until_us = world.end_of(self.span);
        world.lie_about(self.about, self.to_workers_only, until_us);
    }

    fn shown(&self) -> Shown {
        Shown::bar(self.span)
    }
}
