//! Rows in ordered maps. The orders that calls ask for are kept as maps of their own, so that what a call costs does
//! not grow with other processes (lists of ended ones apart, which look at every row). There is no rollback: a step
//! decides before it writes, and a write to memory cannot fail.

mod memory_store;
mod tables;

pub use memory_store::MemoryStore;
