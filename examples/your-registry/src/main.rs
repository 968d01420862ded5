//! All the glue there is: the harness's whole command line, for the registry of this crate.

use std::process::ExitCode;

use fencepost_sim::{Subject, cli};
use your_registry::MapRegistry;

fn main() -> ExitCode {
    cli::main_for(&Subject::of("map", MapRegistry::open))
}
