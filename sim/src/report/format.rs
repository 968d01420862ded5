//! The versions of the reports for programs, one for each. docs/formats.md tells what is in them. A version is raised whenever
//! a field goes away or changes its meaning. A new field does not raise it.

/// `summary.json`, and `summary` of `run --format json`.
pub const SUMMARY: u32 = 1;
/// `timings.json`, and `timings` of `run --format json`.
pub const TIMINGS: u32 = 1;
/// `prove --format json`, and `proof.json`.
pub const PROOF: u32 = 1;
/// `regressions --format json`.
pub const REGRESSIONS: u32 = 1;
/// `sabotage --format json`.
pub const KILL_MATRIX: u32 = 2;
/// `determinism --format json`.
pub const DETERMINISM: u32 = 1;
/// `shrink --format json`.
pub const SHRINK: u32 = 1;
/// The JUnit file of every command.
pub const JUNIT: u32 = 1;
