//! Messages between nodes and the registry: the network's faults, exchanges that wait for an answer, and calls that the plan
//! holds back.

use fencepost::registry::remote::Response;

use crate::plan::step::Method;
use crate::plan::{Link, Process};
use crate::world::state::exchanges::Exchanges;
use crate::world::state::network::Network;
use crate::world::state::store_traffic::StoreTraffic;

#[derive(Default)]
pub struct Traffic {
    pub network: Network,
    pub exchanges: Exchanges<Response>,
    pub store: StoreTraffic,
    pub held_calls: Vec<HeldCall>,
    /// Every message, if the run was asked to keep them.
    pub log: Option<MessageLog>,
}

/// The messages of a run, in the order in which they were sent and arrived.
#[derive(Debug, Clone, Default)]
pub struct MessageLog {
    pub sent: Vec<SentMessage>,
    pub arrived: Vec<ArrivedRequest>,
}

/// A message when it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentMessage {
    pub link: Link,
    /// Its number on the link.
    pub number: u64,
    pub at_us: u64,
    /// None if it is lost.
    pub arrives_us: Option<u64>,
    /// The call in it that a plan can hold back.
    pub call: Option<(Method, Process)>,
}

/// A request when it reached the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArrivedRequest {
    pub at_us: u64,
    /// The number of operations of the registry's disk until this instant.
    pub disk_calls: u64,
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
