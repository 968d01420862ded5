//! Ctrl-C. The first asks a command to end with what it has; the second ends the program at once.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// From now on a wish to end is heard here.
pub fn listen() -> io::Result<Arc<AtomicBool>> {
    static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    let asked = Arc::clone(ASKED.get_or_init(Arc::default));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds that nobody has asked yet.
        flag::register_conditional_shutdown(signal, 4, Arc::clone(&asked))?;
        flag::register(signal, Arc::clone(&asked))?;
    }
    Ok(asked)
}

pub fn is_asked(asked: &AtomicBool) -> bool {
    asked.load(Ordering::Relaxed)
}
