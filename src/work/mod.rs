//! Work: the engines that others implement, and the means that a body has under its lease.

pub mod cancellation;
mod context;
pub mod effect;
pub mod engine;
pub(crate) mod latch;
pub(crate) mod lease_belief;
