//! Ctrl-C. The first asks a command to end with what it has; a second one ends the program at once, unless it comes right after
//! the first.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::cli::error::CliError;
use crate::cli::stdout;
use crate::search::clocks::wall_us;

/// Signals within this time are one: `timeout` signals the command and then its whole process group.
const ECHO_US: u64 = 1_000_000;

/// Begins to listen for Ctrl-C and for SIGTERM, which set the flag.
pub fn listen() -> Result<Arc<AtomicBool>, CliError> {
    listening().map_err(|cause| CliError(format!("Ctrl-C cannot be listened for: {cause}")))
}

fn listening() -> io::Result<Arc<AtomicBool>> {
    static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    if let Some(asked) = ASKED.get() {
        return Ok(Arc::clone(asked));
    }
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let asked = Arc::clone(ASKED.get_or_init(Arc::default));
    let to_tell = Arc::clone(&asked);
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let mut first_us = None;
        for _ in signals.forever() {
            let now_us = wall_us();
            let first_us = *first_us.get_or_insert(now_us);
            to_tell.store(true, Ordering::Relaxed);
            if now_us.saturating_sub(first_us) > ECHO_US {
                stdout::complain("it was asked to end a second time, and ends with nothing said");
                std::process::exit(4);
            }
        }
    })?;
    Ok(asked)
}

pub fn is_asked(asked: &AtomicBool) -> bool {
    asked.load(Ordering::Relaxed)
}
