//! A point: one place of a run at which something can go wrong, in one way or in several that differ by a number.

use serde::{Deserialize, Serialize};

use crate::plan::step::{Action, Step};

/// One thing that can go wrong at one place of a run.
pub struct Point {
    /// Its family's name.
    pub family: &'static str,
    /// The step's instant: before everything else in this millisecond.
    pub at_ms: u64,
    /// Its place among the points of its instant.
    pub rank: (usize, u64),
    pub values: Values,
    make: Box<dyn Fn(i64) -> Action + Send + Sync>,
}

/// The numbers that make a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values {
    /// There is no number in it.
    Once,
    /// It lasts from 1 ms up to `most_ms`, counted from `since_ms`.
    Lasting { since_ms: u64, most_ms: u64 },
    /// A change of this size, these among others.
    Sized { least: i64, most: i64, tried: Vec<i64> },
}

/// Where the points of a run stand in the order in which a plan is extended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    pub at_ms: u64,
    pub rank: (usize, u64),
}

impl Point {
    pub fn place(&self) -> Place {
        Place { at_ms: self.at_ms, rank: self.rank }
    }

    pub fn step(&self, value: i64) -> Step {
        Step { at_ms: self.at_ms, action: (self.make)(value) }
    }
}

/// The points of a run while they are gathered.
pub struct Points {
    found: Vec<Point>,
    /// The family that is asked now, by its place among all.
    family: (usize, &'static str),
    horizon_ms: u64,
}

impl Points {
    pub fn new(horizon_ms: u64) -> Self {
        Self { found: Vec::new(), family: (0, ""), horizon_ms }
    }

    /// From now on points are of this family.
    pub fn turn_to(&mut self, place: usize, name: &'static str) {
        self.family = (place, name);
    }

    /// All of them, in order, each once.
    pub fn in_order(mut self) -> Vec<Point> {
        self.found.sort_by_key(Point::place);
        self.found.dedup_by_key(|point| point.place());
        self.found
    }

    /// `target` tells the points of one family and instant apart.
    pub fn add(
        &mut self,
        at_ms: u64,
        target: u64,
        values: Values,
        make: impl Fn(i64) -> Action + Send + Sync + 'static,
    ) {
        let is_empty = matches!(&values, Values::Lasting { most_ms: 0, .. });
        if at_ms < self.horizon_ms && !is_empty {
            let ((place, family), make) = (self.family, Box::new(make));
            self.found.push(Point { family, at_ms, rank: (place, target), values, make });
        }
    }

    pub fn once(&mut self, at_ms: u64, target: u64, action: impl Into<Action>) {
        let action = action.into();
        self.add(at_ms, target, Values::Once, move |_| action.clone());
    }

    /// From `since_ms` to any instant before the liveness phase.
    pub fn lasting(
        &mut self,
        at_ms: u64,
        target: u64,
        since_ms: u64,
        make: impl Fn(u64) -> Action + Send + Sync + 'static,
    ) {
        let most_ms = self.horizon_ms.saturating_sub(since_ms);
        let make = move |value: i64| make(value.unsigned_abs());
        self.add(at_ms, target, Values::Lasting { since_ms, most_ms }, make);
    }
}
