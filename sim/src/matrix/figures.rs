//! How fast the catalogue is caught, and the bars for it.

use std::fmt;

use super::row::Row;
use crate::sabotage::Fate;

/// Seeds: the median over all bugs, each with the median of its starts.
pub const MEDIAN_BAR: u64 = 20;

/// Seeds: the bug that took longest, from the start from which it took longest.
pub const WORST_BAR: u64 = 2_000;

/// Over bugs that must be killed. None, where one was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    pub median: Option<u64>,
    pub worst: Option<u64>,
    /// Whose worst that is.
    pub slowest: &'static str,
}

impl Figures {
    /// None of nothing.
    pub fn of(rows: &[Row]) -> Option<Self> {
        let known = |seeds: u64| (seeds < u64::MAX).then_some(seeds);
        let to_kill = || rows.iter().filter(|row| row.fate == Fate::Killed);
        let mut medians: Vec<u64> = to_kill().map(|row| row.median.unwrap_or(u64::MAX)).collect();
        medians.sort_unstable();
        let median = medians.get(medians.len() / 2).copied().and_then(known);
        let slowest = to_kill().max_by_key(|row| row.worst.unwrap_or(u64::MAX))?;
        Some(Self { median, worst: slowest.worst, slowest: slowest.sabotage })
    }

    pub fn meet_the_bars(&self) -> bool {
        let is_within = |seeds: Option<u64>, bar: u64| seeds.is_some_and(|seeds| seeds <= bar);
        is_within(self.median, MEDIAN_BAR) && is_within(self.worst, WORST_BAR)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |seeds: Option<u64>, bar: u64| match seeds {
            Some(seeds) if seeds <= bar => format!("{seeds} seeds, at most {bar}"),
            Some(seeds) => format!("{seeds} seeds, MORE THAN {bar}"),
            None => format!("not killed in time, and {bar} seeds are the bar"),
        };
        writeln!(f, "median over the catalogue: {}", said(self.median, MEDIAN_BAR))?;
        write!(f, "worst single start: {}: {}", said(self.worst, WORST_BAR), self.slowest)
    }
}
