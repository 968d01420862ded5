//! A kind of step as an entry of a list: how it is read, examples of it, and how it is generated.

use crate::plan::draw::{Drawn, Generated};
use crate::plan::step_kind::{Action, StepKind};

pub struct Kind {
    pub parse: fn(&[&str]) -> Result<Option<Action>, String>,
    pub examples: fn() -> &'static [&'static str],
    pub generated: fn() -> Generated,
}

impl Kind {
    pub const fn of<K: StepKind + Drawn + 'static>() -> Self {
        Self { parse: parse::<K>, examples: K::examples, generated: K::generated }
    }
}

fn parse<K: StepKind + 'static>(words: &[&str]) -> Result<Option<Action>, String> {
    Ok(K::parse(words)?.map(Action::from))
}
