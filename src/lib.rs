//! **fencepost**: a durable process registry whose stale writers cannot write.
//!
//! Modules in reading order: the nouns ([`lease`], [`process`], [`event`], [`handle`], [`error`]), the [`environment`]
//! that time and chance come through, the [`rules`] that decide, the [`store`] that keeps rows, [`apply`] that joins
//! the two, the waist ([`call`], [`door`]) and the [`registry`] trait that users see.
//!
//! Ten words:
//! - **process**: one piece of background work with a durable row, ended exactly once.
//! - **life**: one registration of an id, up to its prune.
//! - **owner**: who holds a lease; a restart is a new *incarnation*.
//! - **lease**: the stored right to work on a process, until it expires.
//! - **fence**: a number that every new grant of an id raises, for ever.
//! - **grant**: one acquisition: process, incarnation, token, fence. Renewal keeps it.
//! - **live**: at one reading of the clock: stored, held and `expires_at > now`.
//! - **stale writer**: anyone presenting a grant that is not the live one.
//! - **disposition**: what may happen to a process whose worker died.
//! - **sweep**: a worker's round: list, claim, run or settle.

pub mod apply;
mod attempt;
pub mod awaiter;
pub mod call;
pub mod cancellation;
mod claim;
mod content;
pub mod door;
pub mod driver;
pub mod effect;
pub mod engine;
pub mod environment;
pub mod error;
pub mod event;
pub mod handle;
mod hold;
pub mod hub;
mod keep;
mod latch;
pub mod lease;
pub mod process;
pub mod registry;
pub mod remote;
pub mod row;
pub mod rules;
mod run;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod watch;
pub mod worker;

pub use apply::Registry;
pub use environment::{Environment, System};
pub use error::{PluginError, RegistryError};
pub use registry::ProcessRegistry;

/// The README's program is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
