//! Standard output. A reader that went away has heard enough, and the command goes on to its end and its code; any other
//! trouble with what was to be said (a full disk) is remembered, since a report that nobody has is no success.

use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

static WAS_UNHEARD: AtomicBool = AtomicBool::new(false);

/// Says a line.
pub fn line(said: impl Display) {
    heard(writeln!(std::io::stdout().lock(), "{said}"));
}

/// Says it as it is.
pub fn raw(said: &str) {
    heard(write!(std::io::stdout().lock(), "{said}"));
}

fn heard(said: std::io::Result<()>) {
    match said {
        Ok(()) => {}
        Err(cause) if cause.kind() == ErrorKind::BrokenPipe => {}
        Err(cause) => {
            if !WAS_UNHEARD.swap(true, Ordering::Relaxed) {
                complain(&format!("standard output cannot be written: {cause}"));
            }
        }
    }
}

/// One sentence about what went wrong.
pub fn complain(why: &str) {
    // Whoever cannot hear this either has the exit code.
    drop(writeln!(std::io::stderr().lock(), "fencepost: {}", why.trim_end()));
}

/// The code to end with.
pub fn end(code: u8) -> u8 {
    heard(std::io::stdout().lock().flush());
    if WAS_UNHEARD.load(Ordering::Relaxed) { 4 } else { code }
}
