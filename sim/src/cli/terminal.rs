//! Finds out if standard output and standard error are terminals, how wide they are, and if they are coloured.

use std::io::{IsTerminal, stderr, stdout};
use std::os::fd::AsFd;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rustix::termios::tcgetwinsize;

use crate::report::fit;

/// How often a bar is redrawn in a second.
const FRAMES: u8 = 10;

/// Columns of the terminal that standard output is; none if it is none.
pub fn width() -> Option<usize> {
    width_of(stdout())
}

fn width_of(stream: impl IsTerminal + AsFd) -> Option<usize> {
    let columns = stream.is_terminal().then(|| tcgetwinsize(&stream).ok())??.ws_col;
    (columns > 0).then_some(usize::from(columns))
}

pub fn is_stdout() -> bool {
    stdout().is_terminal()
}

/// Decides for all that follows whether reports have colours.
pub fn set_colours(asked: clap::ColorChoice) {
    let choice = match asked {
        clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
        clap::ColorChoice::Always => anstream::ColorChoice::Always,
        clap::ColorChoice::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// A bar on standard error that is redrawn in place. It is hidden if that is no terminal, or one that cannot redraw a line.
pub fn bar(length: Option<u64>, is_quiet: bool) -> ProgressBar {
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let target = if is_quiet || is_dumb || !stderr().is_terminal() {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr_with_hz(FRAMES)
    };
    // A message that is wider than the terminal is cut, so that it stays on its line.
    let template = if length.is_some() { "[{bar:24}] {wide_msg}" } else { "{wide_msg}" };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(length, target).with_style(style.progress_chars("##."))
}

/// Prints a line on standard error, above the bar.
pub fn say_above(bar: &ProgressBar, said: &str) {
    use std::io::Write;
    let said = match width_of(stderr()) {
        Some(width) => fit::fitted(said, width),
        None => format!("{said}\n"),
    };
    // A line that cannot be printed must not end the search.
    bar.suspend(|| drop(write!(stderr().lock(), "{said}")));
}

/// The time that is left, if all goes on as it went: `done` of `whole` took so long.
pub fn time_left(done: u64, whole: u64, passed_us: u64) -> String {
    if done == 0 {
        return String::new();
    }
    let left = u128::from(whole.saturating_sub(done)) * u128::from(passed_us) / u128::from(done);
    match u64::try_from(left / 1_000_000).unwrap_or(u64::MAX) {
        seconds @ 0..=99 => format!(", {seconds} s left"),
        seconds @ 100..=5_999 => format!(", {} min left", seconds / 60),
        seconds => format!(", {} h left", seconds / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_is_left_follows_from_the_time_that_passed() {
        assert_eq!(time_left(0, 9, 5), "");
        assert_eq!(time_left(1, 4, 2_000_000), ", 6 s left");
        assert_eq!(time_left(1, 101, 3_000_000), ", 5 min left");
        assert_eq!(time_left(1, 10_001, 3_000_000), ", 8 h left");
        assert_eq!(time_left(5, 4, 2_000_000), ", 0 s left");
    }
}
