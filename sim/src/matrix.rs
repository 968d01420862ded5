//! The kill matrix: which law kills which planted bug, after how many seeds, from five starts. A bug whose runs never differ from
//! the true system's was never reached; one that was reached and broke nothing was not judged. Controls check the table.

use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::generate::generate;
use crate::judge::judge;
use crate::sabotage::{self, Fate, Sabotage};
use crate::seed::Seed;
use crate::subject::Subject;

/// Where the searches for each planted bug start.
pub const STARTS: [u64; 5] = [0, 1_000_000, 2_000_000, 3_000_000, 4_000_000];

/// How many runs without a breach are compared with the true system's, to tell whether a bug was reached.
const COMPARED: u64 = 200;

/// What came of a planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum End {
    Killed,
    /// Its law broke, and not from every start.
    KilledFromSomeStarts,
    /// Laws broke, and its own did not.
    KilledByAnotherLaw,
    /// No run differed from the true system's.
    SurvivedNeverReached,
    /// Runs differed, and no law broke.
    SurvivedNotJudged,
    /// A run could not be made.
    HarnessError,
}

#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub sabotage: &'static str,
    pub stands_for: &'static str,
    pub law: &'static str,
    pub fate: &'static str,
    pub end: End,
    /// As it should be.
    pub is_right: bool,
    /// Whichever law broke first, in the first search.
    pub first_law: Option<&'static str>,
    /// From each start; none, where it was not killed in time.
    pub needed: Vec<Option<u64>>,
    pub median: Option<u64>,
    pub worst: Option<u64>,
}

/// One search for one planted bug: seeds needed, and the law that broke first.
struct Hunt {
    needed: Option<u64>,
    first_law: Option<&'static str>,
    failed: bool,
}

fn hunt(sabotage: &Sabotage, start: u64, most: u64) -> Hunt {
    let subject = sabotage.subject();
    let mut hunt = Hunt { needed: None, first_law: None, failed: false };
    for seed in start..start.saturating_add(most) {
        let plan = Arc::new(generate(Seed(seed), subject.store_needed));
        let judged = catch_unwind(AssertUnwindSafe(|| judge(&plan, &subject)));
        let Ok(verdict) = judged else {
            hunt.failed = true;
            return hunt;
        };
        if let (None, Some(broken)) = (hunt.first_law, verdict.broken()) {
            hunt.first_law = Some(broken.law);
        }
        if verdict.breaks(sabotage.law) {
            hunt.needed = Some(seed - start + 1);
            return hunt;
        }
    }
    hunt
}

/// Whether any of the first runs differs from the true system's.
fn is_reached(sabotage: &Sabotage) -> bool {
    let (subject, truth) = (sabotage.subject(), Subject::fencepost());
    (0..COMPARED).any(|seed| {
        let plan = Arc::new(generate(Seed(seed), subject.store_needed));
        judge(&plan, &subject).hash != judge(&plan, &truth).hash
    })
}

fn row(sabotage: &'static Sabotage, fate: Fate, hunts: &[Hunt]) -> Row {
    let needed: Vec<Option<u64>> = hunts.iter().map(|hunt| hunt.needed).collect();
    let mut sorted: Vec<u64> = needed.iter().map(|needed| needed.unwrap_or(u64::MAX)).collect();
    sorted.sort_unstable();
    let known = |seeds: Option<&u64>| seeds.copied().filter(|seeds| *seeds < u64::MAX);
    let (median, worst) = (known(sorted.get(sorted.len() / 2)), known(sorted.last()));
    let first_law = hunts.iter().find_map(|hunt| hunt.first_law);
    let end = if hunts.iter().any(|hunt| hunt.failed) {
        End::HarnessError
    } else if worst.is_some() {
        End::Killed
    } else if needed.iter().any(Option::is_some) {
        End::KilledFromSomeStarts
    } else if first_law.is_some() {
        End::KilledByAnotherLaw
    } else if is_reached(sabotage) {
        End::SurvivedNotJudged
    } else {
        End::SurvivedNeverReached
    };
    let (fate, is_right) = match fate {
        Fate::Killed => ("is killed", end == End::Killed),
        Fate::Survives => ("survives", end == End::SurvivedNotJudged),
        Fate::DiesAtOnce => ("dies at once", end == End::Killed && worst <= Some(3)),
    };
    let Sabotage { name, stands_for, law, .. } = sabotage;
    Row { sabotage: name, stands_for, law, fate, end, is_right, first_law, needed, median, worst }
}

/// The whole table, or the rows of these names, from these starts. Controls are searched for less: whoever survives costs
/// every seed. Each row is told when it is there.
pub fn matrix(
    names: &[String],
    starts: &[u64],
    most: u64,
    jobs: usize,
    said: &(dyn Fn(&Row) + Sync),
) -> Vec<Row> {
    let planted = sabotage::all().map(|sabotage| (sabotage, Fate::Killed));
    let controls = sabotage::controls().iter().map(|(control, fate)| (control, *fate));
    let wanted = |(sabotage, _): &(&Sabotage, Fate)| {
        names.is_empty() || names.iter().any(|name| name == sabotage.name)
    };
    let all: Vec<(&'static Sabotage, Fate)> = planted.chain(controls).filter(wanted).collect();
    let next = AtomicUsize::new(0);
    let rows = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some((sabotage, fate)) = all.get(place) else { return };
                    let most = if *fate == Fate::Survives { most.min(400) } else { most };
                    let hunts: Vec<Hunt> = starts.iter().map(|start| hunt(sabotage, *start, most)).collect();
                    let row = row(sabotage, *fate, &hunts);
                    said(&row);
                    rows.lock().unwrap_or_else(PoisonError::into_inner).push((place, row));
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    rows.sort_by_key(|(place, _)| *place);
    rows.into_iter().map(|(_, row)| row).collect()
}

/// The median of the medians, over bugs that are to be killed.
pub fn median(rows: &[Row]) -> Option<u64> {
    let mut medians: Vec<u64> =
        rows.iter().filter(|row| row.fate == "is killed").map(|row| row.median.unwrap_or(u64::MAX)).collect();
    medians.sort_unstable();
    medians.get(medians.len() / 2).copied().filter(|median| *median < u64::MAX)
}

impl Row {
    pub fn line(&self) -> String {
        let seeds = |seeds: Option<u64>| seeds.map_or("-".to_owned(), |seeds| seeds.to_string());
        let end = match self.end {
            End::Killed => format!("KILLED by {}", self.law),
            End::KilledFromSomeStarts => {
                let killed = self.needed.iter().flatten().count();
                format!("KILLED from {killed} of {} starts by {}", self.needed.len(), self.law)
            }
            End::KilledByAnotherLaw => {
                format!("KILLED BY ANOTHER LAW: {}, and not {}", self.first_law.unwrap_or("-"), self.law)
            }
            End::SurvivedNeverReached => "SURVIVED: NEVER REACHED".to_owned(),
            End::SurvivedNotJudged => "SURVIVED: NOT JUDGED".to_owned(),
            End::HarnessError => "HARNESS ERROR".to_owned(),
        };
        let wrong = if self.is_right { "" } else { "   WRONG" };
        format!("{:<32} {:>6} {:>6}   {end}{wrong}", self.sabotage, seeds(self.median), seeds(self.worst))
    }
}

pub fn heading() -> String {
    format!(
        "{:<32} {:>6} {:>6}   {}",
        "sabotage", "median", "worst", "seeds needed, of five starts, and what came of it"
    )
}

pub fn table(rows: &[Row]) -> String {
    let mut table = heading();
    for row in rows {
        let _ = write!(table, "\n{}", row.line());
    }
    table.push('\n');
    table
}
