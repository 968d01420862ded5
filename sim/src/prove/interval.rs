//! The numbers of a deviation that make a difference. A pause of 10 ms and one of 11 ms mostly come to the same. So a few
//! numbers are tried: those that end at an instant which matters, in the parent's run or in the run in which the deviation
//! never ends. Between two neighbours whose orders of decisions differ the interval is halved until no number is left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::plan::Plan;
use crate::prove::decision_order::DecisionOrder;
use crate::prove::deviation::{Point, Values};
use crate::prove::one_run::{RecordedRun, RunSeen};
use crate::subject::Subject;

/// When two runs count as one: what the explorer relies on, and a test breaks on purpose.
#[derive(Clone, Copy)]
pub struct Reduction {
    pub key: fn(&DecisionOrder) -> u64,
    /// Intervals between runs that differ are halved.
    pub halves: bool,
}

impl Reduction {
    pub const SOUND: Self = Self { key: DecisionOrder::key, halves: true };
}

/// The runs of one point.
pub struct PointRuns<'a> {
    pub parent: &'a RecordedRun,
    pub point: &'a Point,
    pub subject: &'a Subject,
    pub reduction: Reduction,
}

/// A run that is the first of its order of decisions at its point.
pub struct Representative {
    pub value: i64,
    pub history: u64,
    /// With what the laws found.
    pub key: u64,
}

impl PointRuns<'_> {
    pub fn plan(&self, value: i64) -> Arc<Plan> {
        let mut plan = Plan::clone(&self.parent.plan);
        plan.steps.push(self.point.step(value));
        Arc::new(plan)
    }

    /// Runs every number that makes a difference, shows each run to `each`, and gives one run for each order of decisions.
    /// Ends early once `each` says so.
    pub fn explore(&self, each: &mut dyn FnMut(i64, &RunSeen) -> bool) -> Vec<Representative> {
        let mut keys: BTreeMap<i64, (u64, u64)> = BTreeMap::new();
        let mut goes_on = true;
        let mut run = |value: i64, keys: &mut BTreeMap<i64, (u64, u64)>| {
            if goes_on && !keys.contains_key(&value) {
                let seen = RunSeen::of(&self.plan(value), self.subject);
                keys.insert(value, (seen.outcome_key((self.reduction.key)(&seen.order)), seen.history));
                goes_on = each(value, &seen);
            }
            goes_on
        };
        for value in self.first_values() {
            run(value, &mut keys);
        }
        if self.reduction.halves {
            let mut open: Vec<(i64, i64)> = keys.keys().copied().zip(keys.keys().copied().skip(1)).collect();
            while let Some((low, high)) = open.pop() {
                if high - low < 2 || keys[&low].0 == keys[&high].0 {
                    continue;
                }
                let middle = low + (high - low) / 2;
                if !run(middle, &mut keys) {
                    break;
                }
                open.extend([(middle, high), (low, middle)]);
            }
        }
        let mut seen = BTreeSet::new();
        let firsts = keys.into_iter().filter(|(_, (key, _))| seen.insert(*key));
        firsts.map(|(value, (key, history))| Representative { value, history, key }).collect()
    }

    fn first_values(&self) -> BTreeSet<i64> {
        match &self.point.values {
            Values::Once => BTreeSet::from([0]),
            Values::Sized { least, most, tried } => {
                let mut values: BTreeSet<i64> = tried.iter().copied().collect();
                values.extend([*least, *most]);
                values.remove(&0);
                values.retain(|value| (*least..=*most).contains(value));
                values
            }
            Values::Lasting { since_ms, most_ms } => {
                let (since_ms, most) = (*since_ms as i64, *most_ms as i64);
                let without_end = RecordedRun::of(self.plan(most), self.subject);
                let mut values = BTreeSet::from([1, most]);
                for run in [self.parent, &without_end] {
                    values.extend(run.changes().iter().map(|at_ms| *at_ms as i64 + 1 - since_ms));
                    for lease in run.leases() {
                        let expires = lease.expires_ms as i64 - since_ms;
                        values.extend([expires - 1, expires, expires + 1]);
                    }
                }
                values.retain(|value| (1..=most).contains(value));
                values
            }
        }
    }
}
