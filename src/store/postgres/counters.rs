//! Counts the requests of a store to its server.

/// The cost of all calls so far on one store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PostgresCounters {
    /// How often a call waited for the server.
    pub round_trips: u64,
    pub statements: u64,
    /// Transactions that wrote and were kept.
    pub commits: u64,
    pub connections: u64,
}
