//! The harness: it runs the real registry and worker in a simulated world and judges what they did.
//!
//! > A plan is a value. A run is a function of it. A history is all the evidence. A law is a sentence about histories.
//!
//! Read in this order: [`plan`], [`history`], [`world`], [`laws`], [`generate`], [`shrink`].

#[cfg(not(madsim))]
compile_error!(
    "fencepost-sim must be built with `--cfg madsim`, which .cargo/config.toml sets. It is lost when RUSTFLAGS or \
     RUSTDOCFLAGS is set (even to nothing) and when cargo runs outside this workspace: unset both, and run cargo \
     from inside the workspace."
);

pub mod check;
pub mod cli;
pub mod coverage;
pub mod disk;
pub mod generate;
pub mod history;
pub mod judge;
pub mod laws;
pub mod lease;
#[cfg(feature = "live")]
pub mod live;
pub mod matrix;
pub mod plan;
pub mod planted;
pub mod prove;
pub mod regressions;
pub mod report;
pub mod search;
pub mod shrink;
pub mod subject;
pub mod support;
pub mod timeline;
pub mod world;

pub use check::{Options, check, prove};
pub use subject::Subject;
pub use world::{liveness_phase_has_begun, with_std_clock};
