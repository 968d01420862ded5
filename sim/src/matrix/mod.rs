//! The kill matrix: for each planted bug the law that kills it, the seeds that takes from several starts, the size of the
//! minimal reproducer, and the event that shows that the planted code ran. A bug whose runs never differ from the true
//! system's was never reached; one that was reached and broke no law was not judged. Controls check the matrix itself.

mod bug_search;
mod figures;
mod least_witness;
mod proof;
mod row;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::planted;
use crate::planted::{ExpectedEnd, PlantedBug};

use bug_search::search_for;
use proof::prove;

pub use figures::{Figures, MEDIAN_BAR, WORST_BAR};
pub use least_witness::{FoundWitness, LeastWitness, least_witness};
pub use proof::{FirstDifference, Proof, ReproducerSize};
pub use row::{KillVerdict, Row, heading};

/// Where the searches for each planted bug start.
pub const STARTS: [u64; 5] = [0, 1_000_000, 2_000_000, 3_000_000, 4_000_000];

/// Seeds for controls that must survive: they take every seed they are given.
const SURVIVOR_SEEDS: u64 = 400;

/// The searches to make for each planted bug.
pub struct Matrix<'a> {
    pub starts: &'a [u64],
    /// Seeds to try from each start.
    pub most: u64,
    pub jobs: usize,
    /// Runs to spend on making a plan small that kills a bug; with 0 it stays as it was generated.
    pub shrink_runs: u64,
    /// If given, also find the least number of deviations that shows each bug, up to this many.
    pub deviations: Option<usize>,
    /// Becomes true when somebody wants the matrix to end with the rows it has.
    pub is_interrupted: &'a (dyn Fn() -> bool + Sync),
}

/// Enough for nearly every plan to become as small as it gets.
pub const SHRINK_RUNS: u64 = 1_000;

/// Finished rows by place, and the number of rows that were reported: each row is reported after those before it.
#[derive(Default)]
struct FinishedRows {
    rows: BTreeMap<usize, Row>,
    reported: usize,
}

/// Planted bugs and controls with their expected ends: those of these names, or all if there is no name.
pub fn catalogue(names: &[String]) -> Vec<(&'static PlantedBug, ExpectedEnd)> {
    let bugs = planted::all().map(|bug| (bug, ExpectedEnd::Killed));
    let controls = planted::controls().iter().map(|(control, expected)| (control, *expected));
    let is_wanted =
        |(bug, _): &(&PlantedBug, ExpectedEnd)| names.is_empty() || names.iter().any(|name| name == bug.name);
    bugs.chain(controls).filter(is_wanted).collect()
}

impl Matrix<'_> {
    /// One row for each of these, in their order. `report` gets each row in this order as soon as it can.
    pub fn of(&self, bugs: &[(&PlantedBug, ExpectedEnd)], report: &(dyn Fn(&Row) + Sync)) -> Vec<Row> {
        let next = AtomicUsize::new(0);
        let rows = Mutex::new(FinishedRows::default());
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.max(1) {
                scope.spawn(|| {
                    while !(self.is_interrupted)() {
                        let place = next.fetch_add(1, Ordering::Relaxed);
                        let Some((bug, expected)) = bugs.get(place) else { return };
                        let Some(row) = self.row(bug, *expected) else { return };
                        let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
                        rows.rows.insert(place, row);
                        while let Some(row) = rows.rows.get(&rows.reported) {
                            report(row);
                            rows.reported += 1;
                        }
                    }
                });
            }
        });
        // After an interruption a row may be missing before one that is done.
        let FinishedRows { rows, reported } = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
        rows.into_values().take(reported).collect()
    }

    /// None if it was interrupted: half a row says nothing.
    fn row(&self, bug: &PlantedBug, expected: ExpectedEnd) -> Option<Row> {
        let most = match expected {
            ExpectedEnd::Survives | ExpectedEnd::IsInert => self.most.min(SURVIVOR_SEEDS),
            ExpectedEnd::Killed | ExpectedEnd::DiesAtOnce => self.most,
        };
        let mut searches = Vec::new();
        for start in self.starts {
            let search = search_for(bug, *start, most, self.is_interrupted);
            if (self.is_interrupted)() {
                return None;
            }
            let has_panicked = search.is_err();
            searches.push(search);
            if has_panicked {
                break;
            }
        }
        let killed_by = searches.iter().flatten().find_map(|search| search.killed_by);
        let proof = killed_by.map(|seed| prove(bug, seed, self.shrink_runs));
        let must_be_killed = matches!(expected, ExpectedEnd::Killed | ExpectedEnd::DiesAtOnce);
        let tried = self.deviations.filter(|_| must_be_killed);
        let witness = tried.map(|deviations| least_witness(bug, deviations, self.shrink_runs, None));
        Some(Row::new(bug, expected, searches, proof, witness))
    }
}
