//! Figures over the whole catalogue of planted bugs, and the limits they must stay within.

use std::fmt;

use serde::Serialize;

use crate::matrix::proof::ReproducerSize;
use crate::matrix::row::{Row, median};
use crate::planted::ExpectedEnd;

/// Limit of the median number of seeds over all bugs, each with the median of its starts.
pub const MEDIAN_BAR: u64 = 20;

/// Limit of the number of seeds for any bug from any start.
pub const WORST_BAR: u64 = 2_000;

/// Limits of the medians over all minimal reproducers.
pub const SMALL_BAR: ReproducerSize = ReproducerSize { steps: 12, faults: 2, workers: 2, processes: 1 };

/// Figures over all bugs that must be killed; none where one was not killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Figures {
    pub median: Option<u64>,
    pub worst: Option<u64>,
    /// The median of each number.
    pub small: Option<ReproducerSize>,
    /// The bug that took longest.
    pub slowest: &'static str,
}

impl Figures {
    /// None if there is no bug that must be killed.
    pub fn of(rows: &[Row]) -> Option<Self> {
        let must_be_killed = || rows.iter().filter(|row| row.expected == ExpectedEnd::Killed);
        let seeds = median(must_be_killed().map(|row| row.median));
        let of =
            |number: fn(ReproducerSize) -> u64| median(must_be_killed().map(|row| row.small.map(number)));
        let small = (|| {
            Some(ReproducerSize {
                steps: of(|small| small.steps)?,
                faults: of(|small| small.faults)?,
                workers: of(|small| small.workers)?,
                processes: of(|small| small.processes)?,
            })
        })();
        let slowest = must_be_killed().max_by_key(|row| row.worst.unwrap_or(u64::MAX))?;
        Some(Self { median: seeds, worst: slowest.worst, small, slowest: slowest.bug })
    }

    pub fn meet_the_bars(&self) -> bool {
        let is_within = |seeds: Option<u64>, bar: u64| seeds.is_some_and(|seeds| seeds <= bar);
        is_within(self.median, MEDIAN_BAR)
            && is_within(self.worst, WORST_BAR)
            && self.small.is_some_and(ReproducerSize::is_readable)
    }
}

impl ReproducerSize {
    fn is_readable(self) -> bool {
        let Self { steps, faults, workers, processes } = SMALL_BAR;
        self.steps <= steps && self.faults <= faults && self.workers <= workers && self.processes <= processes
    }
}

impl fmt::Display for ReproducerSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { steps, faults, workers, processes } = self;
        write!(f, "steps {steps}, faults {faults}, workers {workers}, processes {processes}")
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |number: Option<u64>, what: &str, bar: u64| match number {
            Some(number) if number <= bar => format!("{number} {what}, at most {bar}"),
            Some(number) => format!("{number} {what}, MORE THAN {bar}"),
            None => format!("not caught in time, and at most {bar} {what} are allowed"),
        };
        writeln!(f, "median over the catalogue: {}", said(self.median, "seeds", MEDIAN_BAR))?;
        writeln!(f, "worst single start: {}: {}", said(self.worst, "seeds", WORST_BAR), self.slowest)?;
        let Some(small) = self.small else { return f.write_str("not every plan could be made small") };
        let (verb, bar) = (if small.is_readable() { "at most" } else { "MORE THAN" }, SMALL_BAR);
        write!(f, "medians of the plans made small: {small}; {verb} {bar}")
    }
}
