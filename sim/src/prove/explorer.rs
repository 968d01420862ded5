//! The explorer: every run of one scope with at most so many deviations. A plan is extended only by points after its last
//! deviation, so each combination is met once. A deviation whose run has its parent's history is not extended, and of those
//! that come to the same one is.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::plan::Plan;
use crate::plan::step::Step;
use crate::prove::decision_order::mix;
use crate::prove::deviation::{Place, Point, points_of};
use crate::prove::interval::{PointRuns, Reduction};
use crate::prove::level_sum::LevelSum;
use crate::prove::one_run::{RecordedRun, RunSeen};
use crate::prove::small_world::SmallWorld;
use crate::search::StopRule;
use crate::subject::Subject;

/// The scope of an exploration, and its end.
#[derive(Clone, Copy)]
pub struct Explorer<'a> {
    pub subject: &'a Subject,
    pub world: &'a SmallWorld,
    pub reduction: Reduction,
    pub stop: StopRule,
    /// Becomes true when somebody wants an end; what was begun is then given up.
    pub is_interrupted: &'a (dyn Fn() -> bool + Sync),
}

/// A run that is extended: its deviations, and where the last of them stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extended {
    #[serde(with = "crate::plan::toml_text::text_lines")]
    pub steps: Vec<Step>,
    pub place: Option<Place>,
    pub history: u64,
    /// The hash of its order of decisions and of the findings of the laws.
    pub key: u64,
}

impl Explorer<'_> {
    fn plan_with(&self, steps: &[Step]) -> Arc<Plan> {
        let mut plan = Plan::clone(&self.world.plan);
        plan.steps.extend_from_slice(steps);
        Arc::new(plan)
    }

    /// Keys the digest.
    fn place_of(&self, deviations: usize) -> u64 {
        let name = self.world.name.bytes().fold(0, |hash, byte| mix(hash, u64::from(byte)));
        mix(name, deviations as u64)
    }

    /// The run in which nothing goes wrong.
    pub fn root(&self) -> (LevelSum, Extended) {
        let seen = RunSeen::of(&self.plan_with(&[]), self.subject);
        let key = seen.outcome_key((self.reduction.key)(&seen.order));
        let mut sum = LevelSum::default();
        sum.add(self.place_of(0), None, &[], &seen, key, None);
        (sum, Extended { steps: Vec::new(), place: None, history: seen.history, key })
    }

    /// The run with all that points are read from.
    pub fn record(&self, extended: &Extended) -> RecordedRun {
        RecordedRun::of(self.plan_with(&extended.steps), self.subject)
    }

    /// The points after the last deviation of a run.
    pub fn points_after(run: &RecordedRun, place: Option<Place>) -> Vec<Point> {
        let mut points = points_of(run);
        points.retain(|point| place.is_none_or(|place| point.place() > place));
        points
    }

    /// Every run that deviates from this one at the point, and those of them that are extended.
    pub fn explore_point(
        &self,
        extended: &Extended,
        run: &RecordedRun,
        point: &Point,
        sum: &mut LevelSum,
    ) -> Vec<Extended> {
        let place = self.place_of(extended.steps.len() + 1);
        let runs = PointRuns { parent: run, point, subject: self.subject, reduction: self.reduction };
        let with = |value: i64| {
            let mut steps = extended.steps.clone();
            steps.push(point.step(value));
            steps
        };
        sum.points += 1;
        let key = self.reduction.key;
        let representatives = runs.explore(&mut |value, seen| {
            let outcome = seen.outcome_key(key(&seen.order));
            let steps = if seen.first_breach().is_some() { with(value) } else { Vec::new() };
            sum.add(place, Some(point.family), &steps, seen, outcome, Some(extended.history));
            !self.is_enough(sum)
        });
        let extended_again = representatives.into_iter().map(|first| Extended {
            steps: with(first.value),
            place: Some(point.place()),
            history: first.history,
            key: first.key,
        });
        extended_again.collect()
    }

    /// A breach that ends the exploration.
    pub fn is_enough(&self, sum: &LevelSum) -> bool {
        match self.stop {
            StopRule::Never => false,
            StopRule::AtFirstBreach => !sum.witnesses.is_empty(),
            StopRule::AtBreachOf(law) => sum.broken.contains_key(law),
        }
    }

    /// Every run with so many more deviations than this one; none if it was interrupted.
    pub fn explore_below(&self, extended: &Extended, more: usize) -> Option<LevelSum> {
        let mut sum = LevelSum::default();
        self.add_below(extended, more, &mut sum).then_some(sum)
    }

    fn add_below(&self, extended: &Extended, more: usize, sum: &mut LevelSum) -> bool {
        let run = self.record(extended);
        let mut known = Known::new(extended);
        for point in Self::points_after(&run, extended.place) {
            if (self.is_interrupted)() {
                return false;
            }
            // Runs above the last level were added to the sum of theirs.
            let mut above = LevelSum::default();
            let next = if more > 1 { &mut above } else { &mut *sum };
            let children = self.explore_point(extended, &run, &point, next);
            if more > 1 {
                for child in known.new_ones(children) {
                    if !self.add_below(&child, more - 1, sum) {
                        return false;
                    }
                    if self.is_enough(sum) {
                        return true;
                    }
                }
            }
            if self.is_enough(sum) {
                return true;
            }
        }
        true
    }
}

/// Which runs that deviate from one run are extended: not those with its history, and of those whose last deviation is of one
/// family and which have the same order of decisions, the first.
pub struct Known {
    parent: u64,
    seen: BTreeSet<(usize, u64)>,
}

impl Known {
    pub fn new(parent: &Extended) -> Self {
        Self { parent: parent.history, seen: BTreeSet::new() }
    }

    /// The same where these are extended already.
    pub fn with(parent: &Extended, extended: &[Extended]) -> Self {
        let mut known = Self::new(parent);
        known.seen.extend(extended.iter().map(Self::outcome));
        known
    }

    /// Those that are extended.
    pub fn new_ones(&mut self, children: Vec<Extended>) -> Vec<Extended> {
        let is_new =
            |child: &Extended| child.history != self.parent && self.seen.insert(Self::outcome(child));
        children.into_iter().filter(is_new).collect()
    }

    /// The first of the runs with one outcome is extended.
    fn outcome(child: &Extended) -> (usize, u64) {
        (child.place.map_or(0, |place| place.rank.0), child.key)
    }
}
