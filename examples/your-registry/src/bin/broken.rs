//! The same glue around the registry with a bug in it.

use std::process::ExitCode;

use fencepost_sim::{Subject, cli};
use your_registry::MapRegistry;

fn main() -> ExitCode {
    cli::main_for(&Subject::of("map-broken", MapRegistry::open_broken))
}
