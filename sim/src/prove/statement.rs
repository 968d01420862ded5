//! The statement of a proof about one scope: how much was shown and how much was not, so that a reviewer can check it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::plan::step::Step;
use crate::plan::{Plan, Store};
use crate::prove::level_sum::{BreachWitness, LevelSum};
use crate::prove::small_world::SmallWorld;
use crate::search::Conclusion;

/// Held fixed in every scope.
const HELD_FIXED: [&str; 6] = [
    "the time that every message takes, unless it is made late",
    "the entropy of every node, the phase of every worker's sweeps, and what a power failure tears",
    "the order of tasks that are ready at one instant: first ready, first run, or once the opposite",
    "one registry, one host, and one thing that goes wrong at a time, in whole milliseconds",
    "after the horizon nothing goes wrong",
    "of runs with the same order of decisions and the same kind of last deviation, the first is extended",
];

/// SQLite is code under test only as far as its disk shows.
const HELD_FIXED_ON_DISK: &str = "SQLite itself: its calls to the disk fail or are its last, in no other way";

/// The result of a proof for one scope.
#[derive(Debug, Clone, Serialize)]
pub struct Statement {
    pub scope: String,
    pub about: String,
    /// At most so many things went wrong.
    pub deviations: usize,
    pub levels: Vec<LevelStatement>,
    /// Every run of the shard was run.
    #[serde(rename = "complete")]
    pub is_complete: bool,
    pub held_fixed: Vec<&'static str>,
    /// In hexadecimal: the same for the same code. Digests of shards add up to the whole's.
    pub digest: String,
    pub verdict: Conclusion,
    /// The first witness of each broken law, with the fewest deviations.
    pub broken: Vec<BreachWitness>,
    /// Laws that could not always be told.
    pub undecided: Vec<String>,
    /// Laws whose situation was never met.
    pub not_reached: Vec<&'static str>,
    #[serde(skip)]
    pub sum: LevelSum,
}

/// The runs with exactly so many deviations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LevelStatement {
    pub deviations: usize,
    /// Parts that were done, of all parts of the shard: points of the first run, or runs that are extended.
    pub done: usize,
    pub parts: usize,
    pub points: u64,
    pub runs: u64,
    /// By family of the last deviation.
    pub families: BTreeMap<String, u64>,
    /// Runs with the history of the run that they deviate from.
    pub unchanged: u64,
    /// Runs that the next level extends; 0 at the last level.
    pub extended: usize,
    pub histories: u64,
    pub orders: u64,
    /// True, if both counts are exact and not estimates.
    #[serde(rename = "exact")]
    pub is_exact: bool,
}

impl LevelStatement {
    pub fn new(deviations: usize, done: usize, parts: usize, extended: usize, sum: &LevelSum) -> Self {
        Self {
            extended,
            deviations,
            done,
            parts,
            points: sum.points,
            runs: sum.runs,
            families: sum.families.clone(),
            unchanged: sum.unchanged,
            histories: sum.histories.count(),
            orders: sum.orders.count(),
            is_exact: sum.histories.is_exact() && sum.orders.is_exact(),
        }
    }

    pub fn is_complete(&self) -> bool {
        self.done == self.parts
    }
}

impl Statement {
    pub fn new(
        world: &SmallWorld,
        deviations: usize,
        levels: Vec<LevelStatement>,
        sum: LevelSum,
        laws: &[&'static str],
    ) -> Self {
        let is_complete = levels.len() == deviations + 1 && levels.iter().all(LevelStatement::is_complete);
        let verdict = match (sum.witnesses.is_empty(), is_complete && sum.undecided.is_empty()) {
            (false, _) => Conclusion::Broken,
            (true, true) => Conclusion::Holds,
            (true, false) => Conclusion::Inconclusive,
        };
        let mut held_fixed = HELD_FIXED.to_vec();
        held_fixed.extend((world.plan.store == Store::Sqlite).then_some(HELD_FIXED_ON_DISK));
        Self {
            scope: world.name.clone(),
            about: world.about.clone(),
            deviations,
            levels,
            is_complete,
            held_fixed,
            digest: format!("{:016x}", sum.digest),
            verdict,
            broken: sum.witnesses.clone(),
            undecided: sum.undecided.keys().cloned().collect(),
            not_reached: laws.iter().filter(|law| !sum.checked.contains_key(**law)).copied().collect(),
            sum,
        }
    }

    pub fn runs(&self) -> u64 {
        self.levels.iter().map(|level| level.runs).sum()
    }
}

impl BreachWitness {
    /// The plan that breaks the law, as far as its steps can be read.
    pub fn plan(&self, world: &SmallWorld) -> Plan {
        let mut plan = Plan::clone(&world.plan);
        plan.steps.extend(self.steps.iter().filter_map(|line| line.parse::<Step>().ok()));
        plan
    }
}
