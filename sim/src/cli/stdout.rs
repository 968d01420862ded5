//! Standard output. If the reader closed the pipe, the command goes on silently. Any other write error, such as a full disk,
//! makes the command fail in the end, since its report is lost.

use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

static HAS_FAILED: AtomicBool = AtomicBool::new(false);

/// Prints a line.
pub fn line(said: impl Display) {
    check_written(writeln!(std::io::stdout().lock(), "{said}"));
}

/// Prints text without a newline.
pub fn raw(said: &str) {
    check_written(write!(std::io::stdout().lock(), "{said}"));
}

fn check_written(said: std::io::Result<()>) {
    match said {
        Ok(()) => {}
        Err(cause) if cause.kind() == ErrorKind::BrokenPipe => {}
        Err(cause) => {
            if !HAS_FAILED.swap(true, Ordering::Relaxed) {
                complain(&format!("standard output cannot be written: {cause}"));
            }
        }
    }
}

/// Prints one sentence about an error to standard error.
pub fn complain(why: &str) {
    // If standard error is closed, too, the exit code is left.
    drop(writeln!(std::io::stderr().lock(), "fencepost: {}", why.trim_end()));
}

/// The exit code to end with: 4 if standard output could not be written.
pub fn end(code: u8) -> u8 {
    check_written(std::io::stdout().lock().flush());
    if HAS_FAILED.load(Ordering::Relaxed) { 4 } else { code }
}
