//! The requests of a host, each with its time.

use fencepost::model::process::RecoveryDisposition;
use serde::{Deserialize, Serialize};

/// One request of a host.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HostRequest {
    pub host: u8,
    pub at_ms: u64,
    pub process: u16,
    pub what: HostAsking,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HostAsking {
    /// The step of the plan that registers the process.
    Register {
        step: usize,
        disposition: RecoveryDisposition,
    },
    Await,
    Signal,
    Cancel,
    Abandon,
}
