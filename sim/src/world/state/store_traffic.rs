//! Requests to the store behind somebody's client of leases, and what became of each.

use std::collections::BTreeMap;

use crate::lease::{ConnectionLost, Payload};
use crate::world::state::exchanges::Exchanges;

#[derive(Default)]
pub struct StoreTraffic {
    pub exchanges: Exchanges<StoreAnswer>,
    /// Requests that were made so far.
    pub requests: u64,
    /// Those that reached the store, by number.
    pub carried_out: BTreeMap<u64, CarriedOut>,
    /// By process: how often anybody began to take himself for its leader.
    pub terms: BTreeMap<u16, u64>,
}

/// A request, which keeps its number when it is sent again.
#[derive(Clone)]
pub struct StoreRequest {
    pub number: u64,
    pub content: Payload,
}

pub type StoreAnswer = Result<Payload, ConnectionLost>;

pub struct CarriedOut {
    /// The life of the store's node in which it was: its connection ended with that life.
    pub life: u64,
    pub answer: Payload,
}
