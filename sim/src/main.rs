//! The command line of the harness; see `cli.rs`.

use std::process::ExitCode;

fn main() -> ExitCode {
    fencepost_sim::cli::main()
}
