//! `store slow by 100ms for 1s`: the registry takes so much longer for each call.

use std::fmt;

use crate::plan::draw::{Draft, Drawing, Drawn, FaultDraw, Generated};
use crate::plan::fault::failing_store::FailingStore;
use crate::plan::simulation::{Simulation, StoreFailure};
use crate::plan::span::Span;
use crate::plan::step_kind::{Action, Group, Part, Shown, StepKind};
use crate::plan::words::{Ms, parse_ms};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowStore {
    pub by_ms: u64,
    pub span: Span,
}

/// The store is slow or fails.
fn draw(drawing: &mut Drawing, _draft: Draft) -> Action {
    let span = Span::Ms(drawing.dice.between(20, 1_000));
    let how = match drawing.dice.below(5) {
        0 => return SlowStore { by_ms: drawing.dice.between(10, drawing.ttl_ms), span }.into(),
        1 => StoreFailure::Before,
        2 => StoreFailure::UnknownBefore,
        3 => StoreFailure::UnknownAfter,
        _ => StoreFailure::Reads,
    };
    FailingStore { how, span }.into()
}

impl fmt::Display for SlowStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "store slow by {} {}", Ms(self.by_ms), self.span)
    }
}

impl Drawn for SlowStore {
    fn generated() -> Generated {
        Generated::ByItself(FaultDraw::new(draw))
    }
}

impl StepKind for SlowStore {
    fn examples() -> &'static [&'static str] {
        &["2s store slow by 100ms for 1s"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["store", "slow", "by", by, span @ ..] = words else { return Ok(None) };
        Ok(Some(Self { by_ms: parse_ms(by)?, span: Span::parse(span)? }))
    }

    fn group(&self) -> Group {
        Group::Store
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        vec![Part::Ms(&mut self.by_ms), Part::Span(&mut self.span)]
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        let until_us = world.end_of(self.span);
        world.slow_store(self.by_ms * 1_000, until_us);
    }

    fn shown(&self) -> Shown {
        Shown::bar(self.span)
    }
}
