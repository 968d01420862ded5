//! A change that makes a step say less, for the shrinker to try.

use crate::plan::step_kind::{Action, StepKind};

/// The change is made on the step as it is when its turn comes, which earlier changes may have made simpler already.
pub struct Simpler {
    /// The change in words, for the log of the shrinker.
    pub what: String,
    pub change: Box<dyn Fn(&mut Action)>,
}

impl Simpler {
    /// Another form of the same kind.
    pub fn new<K: StepKind + 'static>(what: impl Into<String>, change: impl Fn(&mut K) + 'static) -> Self {
        let change = move |action: &mut Action| {
            if let Some(kind) = action.downcast_mut() {
                change(kind);
            }
        };
        Self { what: what.into(), change: Box::new(change) }
    }

    /// A form that may be of another, plainer kind.
    pub fn replaced<K: StepKind + 'static>(
        what: impl Into<String>,
        plainer: impl Fn(&K) -> Action + 'static,
    ) -> Self {
        let change = move |action: &mut Action| {
            if let Some(plainer) = action.downcast().map(&plainer) {
                *action = plainer;
            }
        };
        Self { what: what.into(), change: Box::new(change) }
    }
}
