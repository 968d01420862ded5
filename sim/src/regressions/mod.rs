//! Regressions: plans worth keeping, one TOML file each, with the law that the plan broke and the story it tells. A seed
//! means another plan once the generator changes; a plan in a file stays. The fields of a file are in `file.rs`, writing one is
//! in `keep.rs`, running one again in `replay.rs`.

mod file;
mod keep;
mod replay;

pub use file::{BreachPlace, LoadError, Origin, Regression, files, load, read};
pub use keep::{KeepError, keep, place_of, verified};
pub use replay::{RegressionStatus, ReplayError, replay};
