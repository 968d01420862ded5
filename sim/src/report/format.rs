//! The version of the reports for programs: summary, timings, proof, regressions, kill matrix, JUnit. docs/formats.md tells
//! what is in them.

/// Raised whenever a field goes away or changes its meaning; a new field leaves it.
pub const FORMAT: u32 = 1;
