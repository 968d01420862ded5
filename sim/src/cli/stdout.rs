//! Standard output. If the reader closed the pipe, the command goes on silently. Any other write error, such as a full disk,
//! makes the command fail in the end, since its report is lost.

use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cli::terminal;
use crate::report::fit;

static HAS_FAILED: AtomicBool = AtomicBool::new(false);

/// Prints a line.
pub fn line(said: impl Display) {
    check_written(writeln!(std::io::stdout().lock(), "{said}"));
}

/// Prints lines of a report, none wider than the terminal.
pub fn fitted(text: &str) {
    raw(&fit_to_terminal(text));
}

/// Prints lines of a report in colours, unless none are wanted.
pub fn painted(text: &str, paint: fn(&str) -> String) {
    let text = paint(&fit_to_terminal(text));
    check_written(write!(anstream::AutoStream::auto(std::io::stdout().lock()), "{text}"));
}

fn fit_to_terminal(text: &str) -> String {
    terminal::width().map_or_else(|| text.to_owned(), |width| fit::fitted(text, width))
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
    // If standard error is closed as well, only the exit code tells of the error.
    drop(writeln!(std::io::stderr().lock(), "fencepost: {}", why.trim_end()));
}

/// The exit code to end with: 4 if standard output could not be written.
pub fn end(code: u8) -> u8 {
    check_written(std::io::stdout().lock().flush());
    if HAS_FAILED.load(Ordering::Relaxed) { 4 } else { code }
}
