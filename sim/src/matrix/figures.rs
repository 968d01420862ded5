//! How fast the catalogue is caught, and the bars for it.

use std::fmt;

use serde::Serialize;

use crate::matrix::proof::Small;
use crate::matrix::row::Row;
use crate::planted::ExpectedEnd;

/// Seeds: the median over all bugs, each with the median of its starts.
pub const MEDIAN_BAR: u64 = 20;

/// Seeds: the bug that took longest, from the start from which it took longest.
pub const WORST_BAR: u64 = 2_000;

/// Of the plans made small: the medians over all bugs.
pub const SMALL_BAR: Small = Small { steps: 12, faults: 2, workers: 2, processes: 1 };

/// Over bugs that must be killed. None, where one was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Figures {
    pub median: Option<u64>,
    pub worst: Option<u64>,
    /// Each number a median of its own.
    pub small: Option<Small>,
    /// Whose worst that is.
    pub slowest: &'static str,
}

impl Figures {
    /// None of nothing.
    pub fn of(rows: &[Row]) -> Option<Self> {
        let to_kill = || rows.iter().filter(|row| row.fate == ExpectedEnd::Killed);
        let seeds = median(to_kill().map(|row| row.median));
        let of = |number: fn(Small) -> u64| median(to_kill().map(|row| row.small.map(number)));
        let small = (|| {
            Some(Small {
                steps: of(|small| small.steps)?,
                faults: of(|small| small.faults)?,
                workers: of(|small| small.workers)?,
                processes: of(|small| small.processes)?,
            })
        })();
        let slowest = to_kill().max_by_key(|row| row.worst.unwrap_or(u64::MAX))?;
        Some(Self { median: seeds, worst: slowest.worst, small, slowest: slowest.sabotage })
    }

    pub fn meet_the_bars(&self) -> bool {
        let is_within = |seeds: Option<u64>, bar: u64| seeds.is_some_and(|seeds| seeds <= bar);
        is_within(self.median, MEDIAN_BAR)
            && is_within(self.worst, WORST_BAR)
            && self.small.is_some_and(Small::is_readable)
    }
}

impl Small {
    fn is_readable(self) -> bool {
        let Self { steps, faults, workers, processes } = SMALL_BAR;
        self.steps <= steps && self.faults <= faults && self.workers <= workers && self.processes <= processes
    }
}

impl fmt::Display for Small {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { steps, faults, workers, processes } = self;
        write!(f, "steps {steps}, faults {faults}, workers {workers}, processes {processes}")
    }
}

/// What is not known is larger than what is.
pub(super) fn median(numbers: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    let mut numbers: Vec<u64> = numbers.map(|number| number.unwrap_or(u64::MAX)).collect();
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied().filter(|number| *number < u64::MAX)
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |number: Option<u64>, what: &str, bar: u64| match number {
            Some(number) if number <= bar => format!("{number} {what}, at most {bar}"),
            Some(number) => format!("{number} {what}, MORE THAN {bar}"),
            None => format!("not killed in time, and {bar} {what} are the bar"),
        };
        writeln!(f, "median over the catalogue: {}", said(self.median, "seeds", MEDIAN_BAR))?;
        writeln!(f, "worst single start: {}: {}", said(self.worst, "seeds", WORST_BAR), self.slowest)?;
        let Some(small) = self.small else { return f.write_str("not every plan could be made small") };
        let (verb, bar) = (if small.is_readable() { "at most" } else { "MORE THAN" }, SMALL_BAR);
        write!(f, "medians of the plans made small: {small}; {verb} {bar}")
    }
}
