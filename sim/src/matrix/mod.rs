//! The kill matrix: which law kills which planted bug, after how many seeds from several starts, in how many steps once the
//! plan was made small, and what shows that its wrong branch ran. A bug whose runs never differ from the true system's was
//! never reached; one that was reached and broke nothing was not judged. Controls check the table. One search is in
//! `hunt.rs`, the proof in `proof.rs`, what a row says in `row.rs`, the bars in `figures.rs`.

mod figures;
mod hunt;
mod proof;
mod row;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::planted;
use crate::planted::{ExpectedEnd, PlantedBug};

pub use figures::{Figures, MEDIAN_BAR, WORST_BAR};
pub use hunt::HarnessPanic;
pub use proof::{Difference, Proof, Small};
pub use row::{End, Row, heading};

/// Where the searches for each planted bug start.
pub const STARTS: [u64; 5] = [0, 1_000_000, 2_000_000, 3_000_000, 4_000_000];

/// Whoever survives costs every seed, and controls are there to survive.
const OF_SURVIVORS: u64 = 400;

/// How to look for planted bugs.
pub struct Matrix<'a> {
    pub starts: &'a [u64],
    /// Seeds to try from each start.
    pub most: u64,
    pub jobs: usize,
    /// Runs to spend on making a plan small that kills; of none it is as it was generated.
    pub shrink_runs: u64,
}

/// Enough for nearly every plan to become as small as it gets.
pub const SHRINK_RUNS: u64 = 1_000;

/// Rows so far, by place, and how many of the first have been told of.
#[derive(Default)]
struct Told {
    rows: BTreeMap<usize, Row>,
    told: usize,
}

/// Every planted bug and every control, with what must come of it; or those of these names.
pub fn catalogue(names: &[String]) -> Vec<(&'static PlantedBug, ExpectedEnd)> {
    let planted = planted::all().map(|sabotage| (sabotage, ExpectedEnd::Killed));
    let controls = planted::controls().iter().map(|(control, fate)| (control, *fate));
    let is_wanted = |(sabotage, _): &(&PlantedBug, ExpectedEnd)| {
        names.is_empty() || names.iter().any(|name| name == sabotage.name)
    };
    planted.chain(controls).filter(is_wanted).collect()
}

impl Matrix<'_> {
    /// A row for each of these, in their order. Each is told of in this order, too, as soon as it can be.
    pub fn of(&self, planted: &[(&PlantedBug, ExpectedEnd)], said: &(dyn Fn(&Row) + Sync)) -> Vec<Row> {
        let next = AtomicUsize::new(0);
        let rows = Mutex::new(Told::default());
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.max(1) {
                scope.spawn(|| {
                    loop {
                        let place = next.fetch_add(1, Ordering::Relaxed);
                        let Some((sabotage, fate)) = planted.get(place) else { return };
                        let row = self.row(sabotage, *fate);
                        let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
                        rows.rows.insert(place, row);
                        while let Some(row) = rows.rows.get(&rows.told) {
                            said(row);
                            rows.told += 1;
                        }
                    }
                });
            }
        });
        rows.into_inner().unwrap_or_else(PoisonError::into_inner).rows.into_values().collect()
    }

    fn row(&self, sabotage: &PlantedBug, fate: ExpectedEnd) -> Row {
        let is_to_survive = matches!(fate, ExpectedEnd::Survives | ExpectedEnd::IsInert);
        let most = if is_to_survive { self.most.min(OF_SURVIVORS) } else { self.most };
        let mut hunts = Vec::new();
        for start in self.starts {
            let hunt = hunt::apart(|at| hunt::hunt(sabotage, *start, most, at));
            let is_over = hunt.is_err();
            hunts.push(hunt);
            if is_over {
                break;
            }
        }
        let killed = hunts.iter().flatten().find_map(hunt::Hunt::killed_by_seed);
        let proof =
            killed.map(|seed| hunt::apart(|at| proof::proof(sabotage, at.is_at(seed), self.shrink_runs)));
        Row::new(sabotage, fate, hunts, proof)
    }
}
