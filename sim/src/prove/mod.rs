//! Proving a scope: every run of a small world in which at most so many things go wrong. Where `search` samples large worlds, this
//! enumerates a small one. Read `small_world.rs` first, then `deviation/`, `interval.rs` and `explorer.rs`; docs/prove.md says
//! which runs count as one, and what was held fixed.

pub mod decision_order;
pub mod deviation;
mod distinct;
pub mod explorer;
pub mod interval;
mod jobs;
mod kept;
mod level_sum;
pub mod one_run;
mod request;
mod small_world;
mod statement;
mod worlds;

pub use kept::{KeptProof, KeptProofError};
pub use level_sum::{BreachWitness, LevelSum};
pub use request::ProveRequest;
pub use small_world::{ScopeError, SmallWorld};
pub use statement::{LevelStatement, Statement};
pub use worlds::{ProveResult, ProveWatcher, prove_all};
