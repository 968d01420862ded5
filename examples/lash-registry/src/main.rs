//! All the glue there is: the harness's whole command line, for each subject of this release, by its name.

use std::process::ExitCode;

use fencepost_sim::cli;
use lash_registry::subjects;

fn main() -> ExitCode {
    cli::main_for_all(&subjects())
}
