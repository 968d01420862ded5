//! Our store in the world. It tells when a step has the store's lock, because a decision that waited for the lock must not
//! see the time before its wait.

use fencepost::model::error::RegistryResult;
use fencepost::model::process::DurabilityTier;
use fencepost::store::{Access, Rows, Store};

use crate::world::state::{World, with};

pub struct TimedStore<S> {
    pub store: S,
    /// A planted bug: the decision goes on by the clock that it saw before it waited for the lock.
    pub reads_clock_before_lock: bool,
}

impl<S: Store> Store for TimedStore<S> {
    fn durability_tier(&self) -> DurabilityTier {
        self.store.durability_tier()
    }

    fn atomically<T>(
        &mut self,
        access: Access,
        step: impl FnOnce(&mut dyn Rows) -> RegistryResult<T>,
    ) -> RegistryResult<T> {
        if !self.reads_clock_before_lock {
            with(World::step_has_lock);
        }
        self.store.atomically(access, step)
    }
}

impl World {
    fn step_has_lock(&mut self) {
        if let Some(clock) = &mut self.records.decision_clock {
            clock.has_lock = true;
        }
    }
}
