//! Rows on a Postgres server, for workers that share no file system. The server's clock alone decides leases.
//!
//! A call that writes is two round trips:
//! 1. `BEGIN`; lock the process's row of `ids`; read `clock_timestamp()`; read the rows that the call will ask for.
//! 2. What the call wrote, and `COMMIT`.
//!
//! Each is sent whole before its first answer is waited for. A call that only reads is one round trip, on one snapshot,
//! and takes no lock. A call on one process waits for other calls on that process and for nobody else; a call on many
//! locks them in the order of their ids, so no two calls wait for each other in a circle.

mod columns;
mod connect;
mod connection;
mod counters;
mod database;
mod failure;
mod keys;
mod options;
mod queries;
mod rows;
mod schema;
mod transaction;
mod writes;

pub use counters::PostgresCounters;
pub use database::PostgresStore;
pub use options::PostgresOptions;
