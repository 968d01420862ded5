//! `store loses for 1s`: calls to the store fail, with or without having changed something.

use std::fmt;

use crate::plan::draw::{Drawn, Generated};
use crate::plan::simulation::{Simulation, StoreFailure};
use crate::plan::span::Span;
use crate::plan::step_kind::{Group, Part, Shown, StepKind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingStore {
    pub how: StoreFailure,
    pub span: Span,
}

impl fmt::Display for FailingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.how {
            StoreFailure::Before => "fails",
            StoreFailure::UnknownBefore => "loses",
            StoreFailure::UnknownAfter => "forgets to answer",
            StoreFailure::Reads => "fails to read",
        };
        write!(f, "store {how} {}", self.span)
    }
}

impl Drawn for FailingStore {
    /// By the draw of `slow_store.rs`.
    fn generated() -> Generated {
        Generated::WithOthers
    }
}

impl StepKind for FailingStore {
    fn examples() -> &'static [&'static str] {
        &[
            "2s store fails for 1s",
            "2s store fails to read for 1s",
            "2s store loses for 1s",
            "2s store forgets to answer for 1s",
        ]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let (how, span) = match words {
            ["store", "fails", "to", "read", span @ ..] => (StoreFailure::Reads, span),
            ["store", "fails", span @ ..] => (StoreFailure::Before, span),
            ["store", "loses", span @ ..] => (StoreFailure::UnknownBefore, span),
            ["store", "forgets", "to", "answer", span @ ..] => (StoreFailure::UnknownAfter, span),
            _ => return Ok(None),
        };
        Ok(Some(Self { how, span: Span::parse(span)? }))
    }

    fn group(&self) -> Group {
        Group::Store
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        vec![Part::Span(&mut self.span)]
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        let until_us = world.end_of(self.span);
        world.fail_store(self.how, until_us);
    }

    fn shown(&self) -> Shown {
        Shown::bar(self.span)
    }
}
