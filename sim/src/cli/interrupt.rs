//! Ctrl-C. The first asks a command to end with what it has; a second one, if it is no echo of the first, ends the program at
//! once.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::cli::stdout;

/// `timeout` sends its signal to a command, and then to all its group.
const ECHO_US: u64 = 1_000_000;

/// From now on a wish to end is heard here.
pub fn listen() -> io::Result<Arc<AtomicBool>> {
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
            let now_us = now_us();
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

fn now_us() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000
}
