//! The harness's whole command line, for each published crate by its name.

use std::process::ExitCode;

use fencepost_sim::cli;

fn main() -> ExitCode {
    cli::main_for_all(&kubernetes_leases::subjects())
}
