//! The protocol: pure decisions over rows and a `now` that is passed in. No rule asks for the time, for chance or for a
//! store. [`Rules`] is a value of plain functions so that any one decision can be replaced from outside; a rule that
//! builds on another reaches it through the value it is handed. [`Rules::LAWFUL`] is the only one to run.
//!
//! Read `leases` first (who may hold a process, and whether a lease has expired), then `writes`, where a write is
//! fenced. The worker's own decisions are in `worker`.

pub mod arguments;
pub mod decisions;
pub mod events;
pub mod handles;
mod lawful;
pub mod leases;
pub mod retention;
mod table;
pub mod worker;
pub mod writes;

pub use table::Rules;
