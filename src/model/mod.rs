//! Plain data that every other part speaks of. Nothing here decides anything, reads a clock or knows a store. Read in
//! this order: `process`, `lease`, `event`, `handle`, `error`, then `row`, which only stores and rules see.

pub mod error;
pub mod event;
mod fingerprint;
pub mod handle;
pub(crate) mod hex;
pub mod lease;
pub mod lease_timings;
pub mod process;
mod process_id;
pub mod row;
mod scope;
