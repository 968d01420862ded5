//! [`Registry`] joins the rules to a store: it checks a call's arguments, opens one atomic step, takes one reading of
//! the clock inside it, loads what the rule must see, and carries out what the rule decided. It decides nothing itself.
//! A step that has begun to write no longer refuses.

use std::sync::Arc;

use crate::environment::Environment;
use crate::model::error::RegistryResult;
use crate::model::process::DurabilityTier;
use crate::registry::apply::arguments::check_arguments;
use crate::registry::apply::footprint::footprint;
use crate::registry::apply::step::AtomicStep;
use crate::registry::calls::{Answer, Call, Reply};
use crate::rules::Rules;
use crate::store::{Access, Footprint, SharedStore, Store};

/// The whole registry, synchronous. Use it through [`Registry::inline`], [`Registry::threaded`] or
/// [`Registry::pooled`].
pub struct Registry<S> {
    store: S,
    environment: Arc<dyn Environment>,
    rules: Rules,
}

impl<S: Store> Registry<S> {
    pub fn new(store: S, environment: Arc<dyn Environment>) -> Self {
        Self { store, environment, rules: Rules::LAWFUL }
    }

    /// The same registry under other rules: how the harness plants a bug.
    pub fn with_rules(self, rules: Rules) -> Self {
        Self { rules, ..self }
    }

    pub fn durability_tier(&self) -> DurabilityTier {
        self.store.durability_tier()
    }

    pub fn store(&mut self) -> &mut S {
        &mut self.store
    }

    /// The same registry through another connection to its rows.
    pub(in crate::registry) fn another(&self) -> Self
    where
        S: SharedStore,
    {
        Self { store: self.store.another(), environment: Arc::clone(&self.environment), rules: self.rules }
    }

    /// Answers one call, in one atomic step.
    pub fn apply(&mut self, call: &Call) -> RegistryResult<Reply> {
        self.apply_boxed(call).map(|reply| *reply)
    }

    /// As [`Self::apply`], for the layers around it.
    pub fn apply_boxed(&mut self, call: &Call) -> Answer {
        check_arguments(call)?;
        let Self { store, environment, rules } = self;
        let touched = if S::TAKES_FOOTPRINTS { footprint(call, rules) } else { Footprint::everything() };
        store.atomically_on(access(call), &touched, |rows| {
            // After every wait for a lock: a reading from before the wait would revive what expired during it. Where
            // registries on many machines share a store, only the store's own clock is one clock.
            let now_ms = rows.clock_reading_ms().unwrap_or_else(|| environment.now_epoch_ms());
            AtomicStep { rows, rules, environment: environment.as_ref(), now_ms }.answer(call).map(Box::new)
        })
    }
}

/// A call that may write takes the write lock at once, so that what it read cannot change before it writes.
fn access(call: &Call) -> Access {
    if call.is_read() { Access::Read } else { Access::Write }
}
