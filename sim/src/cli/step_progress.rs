//! The progress of a command that does a known number of things, on standard error: a bar that is redrawn in place, with the
//! time that is left. Lines of the report are printed above it.

use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::ProgressBar;

use crate::cli::{stdout, terminal};
use crate::search::clocks::wall_us;

pub struct StepProgress {
    bar: ProgressBar,
    /// The name of the things that are counted, in the plural.
    things: &'static str,
    whole: u64,
    done: AtomicU64,
    began_us: u64,
}

impl StepProgress {
    pub fn begin(whole: u64, things: &'static str, is_quiet: bool) -> Self {
        let bar = terminal::bar(Some(whole), is_quiet);
        Self { bar, things, whole, done: AtomicU64::new(0), began_us: wall_us() }
    }

    /// True, if nobody sees the bar.
    pub fn is_hidden(&self) -> bool {
        self.bar.is_hidden()
    }

    /// One more is done.
    pub fn add(&self, last: &str) {
        self.set(self.done.load(Ordering::Relaxed) + 1, last);
    }

    pub fn set(&self, done: u64, last: &str) {
        self.done.store(done, Ordering::Relaxed);
        if self.bar.is_hidden() {
            return;
        }
        self.bar.set_position(done);
        self.bar.set_message(self.said(done, last, wall_us().saturating_sub(self.began_us)));
    }

    fn said(&self, done: u64, last: &str, passed_us: u64) -> String {
        let left = terminal::time_left(done, self.whole, passed_us);
        let last = if last.is_empty() { String::new() } else { format!(": {last}") };
        format!("{done}/{} {}{left}{last}", self.whole, self.things)
    }

    /// Prints a line of the report on standard output, above the bar.
    pub fn line(&self, said: impl std::fmt::Display) {
        self.bar.suspend(|| stdout::line(said));
    }

    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_much_is_done_how_long_it_takes_and_what_came_last() {
        let progress = StepProgress::begin(8, "rows", true);
        assert_eq!(progress.said(2, "clock-read-late", 4_000_000), "2/8 rows, 12 s left: clock-read-late");
        assert_eq!(progress.said(0, "", 4_000_000), "0/8 rows");
    }
}
