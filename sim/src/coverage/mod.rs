//! Coverage marks: situations that a search must have reached before "no law was broken" means anything. A mark never fails a
//! law. `mark.rs` is the table of marks; `observer.rs` reads the events of a run and tells the other files, each of which
//! keeps what it needs to know and decides when its marks are hit.

mod abandonments;
mod answers;
mod attempts;
mod bodies;
mod clocks;
mod commits;
mod counts;
mod expiry;
mod handles;
mod host_calls;
mod leases;
mod listings;
mod mark;
mod observer;
mod partitions;
mod per_process;
mod refusals;
mod registry_crashes;
mod steps;

pub use counts::CoverageCounts;
pub use mark::Mark;
pub use observer::CoverageObserver;
