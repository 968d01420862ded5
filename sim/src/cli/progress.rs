//! The progress of a search on standard error, if that is a terminal: a bar that is redrawn in place. A broken law is told
//! at once, on any standard error. Nothing here is part of the report.

use indicatif::ProgressBar;

use crate::cli::terminal;
use crate::search::clocks::wall_us;
use crate::search::tally::Tally;
use crate::search::{FoundBreach, SearchWatcher};

const SHOWN_EVERY_US: u64 = 100_000;

pub struct SearchProgress {
    bar: ProgressBar,
    /// The number of seeds; none if time alone ends the search.
    wanted: Option<u64>,
    allowed_us: Option<u64>,
    is_quiet: bool,
    began_us: u64,
    shown_us: u64,
}

impl SearchProgress {
    pub fn begin(wanted: Option<u64>, allowed_us: Option<u64>, is_quiet: bool) -> Self {
        let now_us = wall_us();
        let bar = terminal::bar(wanted.or(allowed_us), is_quiet);
        Self { bar, wanted, allowed_us, is_quiet, began_us: now_us, shown_us: now_us }
    }

    /// The part that is done and the whole: in seeds, or in time.
    fn share(&self, tally: &Tally, passed_us: u64) -> Option<(u64, u64)> {
        match (self.wanted, self.allowed_us) {
            (Some(wanted), _) => Some((tally.seeds, wanted)),
            (None, Some(allowed_us)) => Some((passed_us.min(allowed_us), allowed_us)),
            (None, None) => None,
        }
    }

    /// The line beside the bar. Important figures come first, because a narrow terminal cuts the end.
    fn said(&self, tally: &Tally, passed_us: u64) -> String {
        let of = self.wanted.map_or_else(String::new, |wanted| format!("/{wanted}"));
        let reached = tally.marks.iter().filter(|mark| tally.hits.of(**mark) > 0).count();
        let share = self.share(tally, passed_us);
        let left =
            share.map_or_else(String::new, |(done, whole)| terminal::time_left(done, whole, passed_us));
        format!(
            "{}{of} seeds{left}, {} a second, {reached}/{} marks, {} s simulated",
            tally.seeds,
            tally.seeds.saturating_mul(1_000_000) / passed_us.max(1),
            tally.marks.len(),
            tally.simulated_us / 1_000_000,
        )
    }
}

impl SearchWatcher for SearchProgress {
    fn run_added(&mut self, tally: &Tally) {
        let now_us = wall_us();
        if self.bar.is_hidden() || now_us.saturating_sub(self.shown_us) < SHOWN_EVERY_US {
            return;
        }
        self.shown_us = now_us;
        let passed_us = now_us.saturating_sub(self.began_us).max(1);
        if let Some((done, _)) = self.share(tally, passed_us) {
            self.bar.set_position(done);
        }
        self.bar.set_message(self.said(tally, passed_us));
    }

    /// Printed at once, so that it is known even if the search is killed.
    fn law_broken(&mut self, found: &FoundBreach) {
        let FoundBreach { seed, store, breach } = found;
        if !self.is_quiet {
            terminal::say_above(
                &self.bar,
                &format!("{} is broken by seed {seed} on {}", breach.law, store.name()),
            );
        }
    }

    fn seeds_done(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::Mark;
    use crate::subject::Subject;

    #[test]
    fn it_says_how_far_how_long_how_fast_and_what_was_reached() {
        let mut tally = Tally::new(&Subject::fencepost());
        (tally.seeds, tally.simulated_us) = (50, 12_000_000);
        tally.hits.hit(Mark::Reentry);
        let marks = Mark::ALL.len();
        let counted = SearchProgress::begin(Some(200), None, true);
        assert_eq!(
            counted.said(&tally, 2_000_000),
            format!("50/200 seeds, 6 s left, 25 a second, 1/{marks} marks, 12 s simulated")
        );
        let timed = SearchProgress::begin(None, Some(5_000_000), true);
        assert_eq!(
            timed.said(&tally, 2_000_000),
            format!("50 seeds, 3 s left, 25 a second, 1/{marks} marks, 12 s simulated")
        );
    }
}
