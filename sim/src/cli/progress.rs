//! The progress of a search on standard error: a bar on a terminal, and a plain line every few seconds anywhere else. Nothing
//! here is part of the report.

use std::io::{IsTerminal, Write};

use crate::search::clocks::wall_us;
use crate::search::tally::Tally;
use crate::search::{FoundBreach, SearchWatcher};

const BAR_EVERY_US: u64 = 100_000;
const LINE_EVERY_US: u64 = 5_000_000;
const WIDTH: usize = 24;

pub struct SearchProgress {
    is_terminal: bool,
    /// The number of seeds; none if time alone ends the search.
    wanted: Option<u64>,
    allowed_us: Option<u64>,
    began_us: u64,
    said_us: u64,
}

impl SearchProgress {
    pub fn begin(wanted: Option<u64>, allowed_us: Option<u64>) -> Self {
        // A dumb terminal cannot draw a line over itself.
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let is_terminal = std::io::stderr().is_terminal() && !is_dumb;
        let now_us = wall_us();
        Self { is_terminal, wanted, allowed_us, began_us: now_us, said_us: now_us }
    }

    fn show(&mut self, tally: &Tally, now_us: u64) {
        let every_us = if self.is_terminal { BAR_EVERY_US } else { LINE_EVERY_US };
        if now_us.saturating_sub(self.said_us) < every_us {
            return;
        }
        self.said_us = now_us;
        let said = self.said(tally, now_us);
        // Progress that cannot be shown is not worth an error.
        drop(if self.is_terminal {
            write!(std::io::stderr().lock(), "\r\x1b[K{said}")
        } else {
            writeln!(std::io::stderr().lock(), "{said}")
        });
    }

    /// Prints a line at once.
    fn say(&self, said: &str) {
        self.clear();
        drop(writeln!(std::io::stderr().lock(), "{said}"));
    }

    /// Clears the bar.
    fn clear(&self) {
        if self.is_terminal {
            drop(write!(std::io::stderr().lock(), "\r\x1b[K"));
        }
    }

    fn said(&self, tally: &Tally, now_us: u64) -> String {
        let passed_us = now_us.saturating_sub(self.began_us).max(1);
        let share = match (self.wanted, self.allowed_us) {
            (Some(wanted), _) => Some((tally.seeds, wanted)),
            (None, Some(allowed_us)) => Some((passed_us, allowed_us)),
            (None, None) => None,
        };
        let bar = match share {
            Some((done, whole)) if self.is_terminal => format!("[{}] ", bar(done, whole)),
            _ => String::new(),
        };
        let of = self.wanted.map_or_else(String::new, |wanted| format!("/{wanted}"));
        let reached = tally.marks.iter().filter(|mark| tally.hits.of(**mark) > 0).count();
        format!(
            "{bar}{}{of} seeds, {} a second, {} s simulated, {reached}/{} marks",
            tally.seeds,
            tally.seeds.saturating_mul(1_000_000) / passed_us,
            tally.simulated_us / 1_000_000,
            tally.marks.len()
        )
    }
}

impl SearchWatcher for SearchProgress {
    fn run_added(&mut self, tally: &Tally) {
        self.show(tally, wall_us());
    }

    /// Printed at once, so that it is known even if the search is killed.
    fn law_broken(&mut self, found: &FoundBreach) {
        let FoundBreach { seed, store, breach } = found;
        self.say(&format!("{} is broken by seed {seed} on {}", breach.law, store.name()));
    }

    fn seeds_done(&mut self) {
        self.clear();
    }
}

/// How much of a whole is done.
pub fn bar(done: u64, whole: u64) -> String {
    let filled = (u128::from(done.min(whole)) * WIDTH as u128).checked_div(u128::from(whole)).unwrap_or(0);
    (0..WIDTH as u128).map(|place| if place < filled { '#' } else { '.' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::Mark;
    use crate::subject::Subject;

    #[test]
    fn it_says_how_far_how_fast_and_what_was_reached() {
        let mut tally = Tally::new(&Subject::fencepost());
        (tally.seeds, tally.simulated_us) = (50, 12_000_000);
        tally.hits.hit(Mark::Reentry);
        let mut progress = SearchProgress {
            is_terminal: true,
            wanted: Some(200),
            allowed_us: None,
            began_us: 1_000_000,
            said_us: 0,
        };
        let marks = Mark::ALL.len();
        assert_eq!(
            progress.said(&tally, 3_000_000),
            format!("[######..................] 50/200 seeds, 25 a second, 12 s simulated, 1/{marks} marks")
        );
        (progress.is_terminal, progress.wanted, progress.allowed_us) = (false, None, Some(4_000_000));
        assert_eq!(
            progress.said(&tally, 3_000_000),
            format!("50 seeds, 25 a second, 12 s simulated, 1/{marks} marks")
        );
    }

    #[test]
    fn a_bar_is_never_longer_than_it_is() {
        assert_eq!(
            (bar(0, 0).len(), bar(9, 3), bar(u64::MAX, u64::MAX)),
            (WIDTH, "#".repeat(WIDTH), "#".repeat(WIDTH))
        );
    }
}
