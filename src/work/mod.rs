//! Work: the engines that others implement, and how far a body may go under its lease.

pub(crate) mod belief;
pub mod cancellation;
mod context;
pub mod effect;
pub mod engine;
pub(crate) mod latch;
