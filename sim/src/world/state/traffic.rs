//! Messages between nodes and the registry: the network's faults, exchanges that wait for an answer, and calls that the plan
//! holds back.

use fencepost::registry::remote::Response;

use crate::plan::Process;
use crate::plan::step::Method;
use crate::world::state::exchanges::Exchanges;
use crate::world::state::network::Network;

#[derive(Default)]
pub struct Traffic {
    pub network: Network,
    pub exchanges: Exchanges<Response>,
    pub held_calls: Vec<HeldCall>,
}

/// Calls of one kind about one process that the plan holds back.
pub struct HeldCall {
    pub process: Process,
    pub method: Method,
    pub offset_ms: i64,
    /// Its sender is paused until it arrives.
    pub asleep: bool,
    /// Known from the first such call on.
    pub until_us: Option<u64>,
}
