//! `store slow by 100ms for 1s`: each call waits so long for its store: for the store's lock, under the lock before it reads
//! the clock, or between that reading and its writes.

use std::fmt;

use crate::plan::draw::{Draft, Drawing, Drawn, FaultDraw, Generated};
use crate::plan::fault::failing_store::FailingStore;
use crate::plan::simulation::{Simulation, StoreFailure, StoreWait};
use crate::plan::span::Span;
use crate::plan::step_kind::{Action, Group, Part, Shown, StepKind};
use crate::plan::words::{Ms, parse_ms};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowStore {
    pub wait: StoreWait,
    pub by_ms: u64,
    pub span: Span,
}

/// The store is slow or fails.
fn draw(drawing: &mut Drawing, _draft: Draft) -> Action {
    let span = Span::Ms(drawing.dice.between(20, 1_000));
    let how = match drawing.dice.below(6) {
        0 | 1 => {
            let wait = *drawing.dice.one_of(&StoreWait::ALL);
            return SlowStore { wait, by_ms: drawing.dice.between(10, drawing.ttl_ms), span }.into();
        }
        2 => StoreFailure::Before,
        3 => StoreFailure::UnknownBefore,
        4 => StoreFailure::UnknownAfter,
        _ => StoreFailure::Reads,
    };
    FailingStore { how, span }.into()
}

impl fmt::Display for SlowStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wait = match self.wait {
            StoreWait::ForLock => "",
            StoreWait::BeforeReading => "to read its clock ",
            StoreWait::BeforeWrite => "to write ",
        };
        write!(f, "store slow {wait}by {} {}", Ms(self.by_ms), self.span)
    }
}

impl Drawn for SlowStore {
    fn generated() -> Generated {
        Generated::ByItself(FaultDraw::new(draw))
    }
}

impl StepKind for SlowStore {
    fn examples() -> &'static [&'static str] {
        &[
            "2s store slow by 100ms for 1s",
            "2s store slow to read its clock by 100ms for 1s",
            "2s store slow to write by 100ms for 1s",
        ]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let (wait, by, span) = match words {
            ["store", "slow", "by", by, span @ ..] => (StoreWait::ForLock, by, span),
            ["store", "slow", "to", "read", "its", "clock", "by", by, span @ ..] => {
                (StoreWait::BeforeReading, by, span)
            }
            ["store", "slow", "to", "write", "by", by, span @ ..] => (StoreWait::BeforeWrite, by, span),
            _ => return Ok(None),
        };
        Ok(Some(Self { wait, by_ms: parse_ms(by)?, span: Span::parse(span)? }))
    }

    fn group(&self) -> Group {
        Group::Store
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        vec![Part::Ms(&mut self.by_ms), Part::Span(&mut self.span)]
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        let until_us = world.end_of(self.span);
        world.slow_store(self.wait, self.by_ms * 1_000, until_us);
    }

    fn shown(&self) -> Shown {
        Shown::bar(self.span)
    }
}
