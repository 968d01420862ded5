//! The command line of the harness; its commands are in `cli/`.

use std::process::ExitCode;

/// Futures of a kilobyte and more are made and dropped at every call; the system's allocator is slow with those.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    fencepost_sim::cli::main()
}
