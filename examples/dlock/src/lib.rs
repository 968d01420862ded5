//! dlock with its DynamoDB provider, as they are published, under fencepost's harness. `table` is the simulated table, `wire`
//! the way to it through the AWS SDK; `by_calls` and `by_closure` are the two ways in which dlock's README uses a lock.

mod by_calls;
mod by_closure;
pub mod table;
mod wire;

use fencepost_sim::Subject;
use fencepost_sim::lease::LeaseClaim;

pub use by_calls::{ByCalls, Held};
pub use by_closure::ByClosure;
use table::Table;

/// dlock claims "a fencing token to prevent usage of stale locks", and nothing else that a lock can claim.
pub fn by_calls() -> Subject {
    Subject::lease("dlock-0.2-calls", ByCalls::open, &[LeaseClaim::FencesGrow])
}

/// A contender waits for a dead holder by its own clock alone. So clocks need not agree; they must keep time.
pub fn by_closure() -> Subject {
    Subject::lease_client("dlock-0.2-with", Table::open, ByClosure).where_clocks_agree_within(0)
}

/// Each by its name.
pub fn subjects() -> Vec<Subject> {
    vec![by_calls(), by_closure()]
}
