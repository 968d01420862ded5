//! Rows that a world needs and a lease service does not keep: processes under the names of keys, their logs, and the lease as
//! the service's answers tell it. Our own registry keeps them. It decides no lease here.

use std::sync::Arc;

use fencepost::environment::Environment;
use fencepost::model::lease::ProcessLease;
use fencepost::model::row::Tenure;
use fencepost::registry::calls::{Answer, Call};
use fencepost::registry::inline::Inline;
use fencepost::store::{Access, MemoryStore, Rows, Store};
use fencepost::{Registry, RegistryError};

use super::call_clock::CallClock;

pub(super) struct KeyRows {
    registry: Inline<MemoryStore>,
    clock: Arc<CallClock>,
}

impl KeyRows {
    pub fn new(environment: Arc<dyn Environment>) -> Self {
        let clock = Arc::new(CallClock::new(environment));
        Self { registry: Registry::new(MemoryStore::new(), Arc::clone(&clock) as _).inline().0, clock }
    }

    fn step<T>(
        &self,
        access: Access,
        step: impl FnOnce(&mut dyn Rows) -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        self.registry.with(|registry| registry.store().atomically(access, step))
    }

    /// Refuses what is about a process that nobody registered, or that has ended.
    pub fn check_open(&self, key: &str) -> Result<(), RegistryError> {
        match self.step(Access::Read, |rows| rows.lease_row(key))?.status {
            None => Err(RegistryError::unknown(key)),
            Some(status) if status.is_terminal() => {
                Err(RegistryError::AlreadyTerminal { process_id: key.to_owned(), status })
            }
            Some(_) => Ok(()),
        }
    }

    pub fn tenure(&self, key: &str) -> Result<Tenure, RegistryError> {
        Ok(self.step(Access::Read, |rows| rows.lease_row(key))?.tenure)
    }

    /// The lease as the service answered it last; the highest fence never falls.
    pub fn put_lease(&self, key: &str, lease: Option<ProcessLease>) -> Result<(), RegistryError> {
        self.step(Access::Write, |rows| {
            let known = rows.lease_row(key)?.tenure;
            let fence = lease.as_ref().map_or(0, |lease| lease.fencing_token);
            let highest_fence = known.highest_fence.max(fence);
            rows.put_tenure(key, &Tenure { lease: lease.map(Arc::new), highest_fence })
        })
    }

    /// A call that is about no lease.
    pub fn decide(&self, call: &Call) -> Answer {
        self.registry.with(|registry| registry.apply_boxed(call))
    }

    /// A write that the service let pass at this reading: here its grant is the live one, whatever was told of others.
    pub fn decide_under(&self, lease: &ProcessLease, at_ms: u64, call: &Call) -> Answer {
        let key = lease.process_id.as_str();
        let known = self.tenure(key)?;
        let live = ProcessLease { expires_at_epoch_ms: u64::MAX, ..lease.clone() };
        self.put_lease(key, Some(live))?;
        let reply = self.clock.standing_at(at_ms, || self.decide(call));
        // An end has taken the lease with it.
        if self.tenure(key)?.lease.is_some() {
            self.put_lease(key, known.lease.map(Arc::unwrap_or_clone))?;
        }
        reply
    }
}
