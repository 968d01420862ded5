//! The harness's whole command line, for dlock in each of the ways to use it.

use std::process::ExitCode;

use fencepost_sim::cli;

fn main() -> ExitCode {
    cli::main_for_all(&dlock_lease::subjects())
}
