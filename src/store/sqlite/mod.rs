//! Rows in one SQLite file, kept through the death of the process and of the machine: WAL with `synchronous=FULL`, and
//! two traps of real SQLite handled.
//!
//! The first: 1. A process dies between writing its commit to the log and syncing it. 2. The file is opened again and
//! shows the
//!    commit. 3. Somebody acts on it. 4. The power fails, and the commit never was. So an opened store makes durable
//!    what it recovered before it answers anything.
//!
//! The second: 1. A commit fails in its sync. 2. Its pages are in the log all the same. So nobody knows whether it
//! happened: the
//!    answer is "unavailable", and the store opens its file anew, as above, before it serves again.

mod columns;
mod connect;
mod counters;
mod database;
mod schema;
mod statements;

pub use connect::SqliteOptions;
pub use counters::SqliteCounters;
pub use database::SqliteStore;
