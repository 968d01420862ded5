//! Somebody else's process registry, with the harness of fencepost pointed at it. Read `registry.rs` (one step a call),
//! `row.rs` (a process from its start to its end), `lease.rs` (whose it is) and `log.rs` (what it says); the glue is
//! `main.rs`.

mod arguments;
mod lease;
mod log;
mod registry;
mod row;

pub use registry::MapRegistry;
