//! Work: the engines that others implement, and the means that a body has under its lease.

pub(crate) mod belief;
pub mod cancellation;
mod context;
pub mod effect;
pub mod engine;
pub(crate) mod latch;
