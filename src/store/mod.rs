//! Stores keep rows. A store runs one step at a time, keeps all of what it wrote or none, and never judges a lease.
//! [`MemoryStore`] forgets with its process; [`SqliteStore`] survives the machine.

mod invariants;
mod memory;
mod rows;
mod sqlite;

pub use memory::MemoryStore;
pub use rows::{Access, Rows, Store};
pub use sqlite::{SqliteCounters, SqliteOptions, SqliteStore};
