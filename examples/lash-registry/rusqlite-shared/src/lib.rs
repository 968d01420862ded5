//! rusqlite under the version that the releases ask for: the one that fencepost uses. Two crates that link sqlite3 do not
//! resolve together, and the simulated disk is registered with one SQLite.

pub use real::*;
