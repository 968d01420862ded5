//! Stores keep rows. A store runs one step at a time, keeps all of what it wrote or none, and never judges a lease.
//! [`MemoryStore`] forgets with its process; `SqliteStore`, behind the feature `sqlite`, survives the machine; `PostgresStore`,
//! behind the feature `postgres`, is for workers that share no file system.

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod columns;
mod footprint;
mod invariants;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod rows;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use footprint::{Footprint, RowsRead, Subjects};
pub use memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresCounters, PostgresOptions, PostgresStore};
pub use rows::{Access, Rows, SharedStore, Store};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteCounters, SqliteOptions, SqliteStore};
