//! Stores keep rows. A store runs one step at a time, keeps all of what it wrote or none, and never judges a lease.
//! [`MemoryStore`] forgets with its process; [`SqliteStore`] survives the machine; `PostgresStore`, behind the feature
//! `postgres`, is for workers that share no file system.

mod columns;
mod footprint;
mod invariants;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod rows;
mod sqlite;

pub use footprint::{Footprint, RowsRead, Subjects};
pub use memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresCounters, PostgresOptions, PostgresStore};
pub use rows::{Access, Rows, SharedStore, Store};
pub use sqlite::{SqliteCounters, SqliteOptions, SqliteStore};
