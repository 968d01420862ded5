//! The registry: the trait that users hold, calls as values, and everything between the two and a store. Read
//! `process_registry` first, then `calls`, then `apply`.

pub mod apply;
pub mod calls;
pub mod change_hub;
pub mod inline;
mod process_registry;
pub mod remote;
pub mod threaded;
pub mod watched;

pub use apply::Registry;
pub use process_registry::ProcessRegistry;
