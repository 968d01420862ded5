//! The node that a lease service is opened on, as far as the service may know it.

use std::sync::Arc;

use fencepost::environment::Environment;

/// Clocks, sleep and chance of the service's node.
#[derive(Clone)]
pub struct LeasePlace {
    pub environment: Arc<dyn Environment>,
    callers_clock_ms: fn() -> u64,
}

impl LeasePlace {
    pub fn new(environment: Arc<dyn Environment>, callers_clock_ms: fn() -> u64) -> Self {
        Self { environment, callers_clock_ms }
    }

    /// The same place, seen through another environment.
    pub(super) fn in_environment(&self, environment: Arc<dyn Environment>) -> Self {
        Self { environment, ..self.clone() }
    }

    /// The wall clock of the service's own node.
    pub fn now_ms(&self) -> u64 {
        self.environment.now_epoch_ms()
    }

    /// The wall clock of the contender whose call is being decided, as one that sends its time along would show it.
    pub fn callers_now_ms(&self) -> u64 {
        (self.callers_clock_ms)()
    }
}
