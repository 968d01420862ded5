//! The harness's whole command line, for the lock of this crate.

use std::process::ExitCode;

use fencepost_sim::lease::LeaseClaim;
use fencepost_sim::{Subject, cli};
use your_lease::MapLock;

fn main() -> ExitCode {
    cli::main_for(&Subject::lease("map-lock", MapLock::open, LeaseClaim::ALL))
}
