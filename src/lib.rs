//! **fencepost**: a durable process registry whose stale writers cannot write.
//!
//! Modules in reading order: the [`model`], plain data; the [`environment`], the only way to time and chance; the
//! [`rules`], which decide; the [`store`], which keeps rows; the [`registry`], which joins the two behind the trait
//! that users hold; [`work`], what a body is and may do; the [`worker`], which runs bodies under leases; the
//! [`awaiter`] and the [`driver`], for those who wait and for hosts.
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

pub mod awaiter;
pub mod driver;
pub mod environment;
pub mod model;
mod panics;
pub mod registry;
pub mod rules;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod work;
pub mod worker;

pub use environment::{Environment, System};
pub use model::error::{PluginError, RegistryError};
pub use registry::{ProcessRegistry, Registry};

/// The program of docs/use-the-registry.md is a test.
#[cfg(doctest)]
#[doc = include_str!("../docs/use-the-registry.md")]
struct UseTheRegistry;

/// And so is that of the guide to Postgres.
#[cfg(all(doctest, feature = "postgres"))]
#[doc = include_str!("../docs/postgres.md")]
struct PostgresGuide;
