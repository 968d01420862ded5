//! Deviations: what can go wrong at a point of a run, one file for each family. A deviation is a step of a plan, so a run with
//! deviations is a plan, too. A new family is a file here and its line below.

mod clock;
mod disk;
mod held_call;
mod message;
mod node;
mod old_call;
mod probe;
mod store;
mod sweep;

use crate::plan::step::{Action, Step};
use crate::prove::one_run::RecordedRun;

/// One thing that can go wrong at one place of a run, in one way or in several that differ by a number.
pub struct Point {
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub at_ms: u64,
    pub rank: (usize, u64),
}

impl Point {
    pub fn place(&self) -> Place {
        Place { at_ms: self.at_ms, rank: self.rank }
    }

    pub fn family(&self) -> &'static str {
        FAMILIES.get(self.rank.0).map_or("", |family| family.name)
    }

    pub fn step(&self, value: i64) -> Step {
        Step { at_ms: self.at_ms, action: (self.make)(value) }
    }
}

/// A family of deviations, and where it can make a difference in a run.
pub struct Family {
    pub name: &'static str,
    points: fn(&RecordedRun, &mut Points),
}

const FAMILIES: &[Family] = &[
    Family { name: "a message is lost", points: message::lost },
    Family { name: "a request arrives twice", points: message::doubled },
    Family { name: "a message is late", points: message::late },
    Family { name: "a link is slow from here on", points: message::slow_link },
    Family {
        name: "a call waits for the expiry of a lease, and its caller with it",
        points: held_call::asleep,
    },
    Family { name: "a node stands still", points: node::pause },
    Family { name: "a worker or host dies and starts again", points: node::crash },
    Family { name: "the registry dies and starts again", points: node::registry_crash },
    Family { name: "a task starts late", points: node::late_start },
    Family { name: "ready tasks run in the opposite order", points: node::reversed_tasks },
    Family { name: "the registry's clock is set", points: clock::registry_step },
    Family { name: "a worker's wall clock is set", points: clock::worker_step },
    Family { name: "a node's clocks are fast or slow from here on", points: clock::drift },
    Family { name: "a call fails", points: store::fails },
    Family { name: "a call is lost in the store", points: store::loses },
    Family { name: "a call is applied and not answered", points: store::forgets },
    Family { name: "a read fails", points: store::fails_to_read },
    Family { name: "a call waits for the store", points: store::slow },
    Family { name: "the registry's process dies at a disk call", points: disk::crash },
    Family { name: "the registry's machine loses power at a disk call", points: disk::power_off },
    Family { name: "the disk fails for the length of a call", points: disk::trouble },
    Family { name: "a living worker is called dead", points: probe::lies },
    Family { name: "an old holder's call comes late", points: old_call::late },
    Family { name: "a call comes at an expiry", points: old_call::at_expiry },
    Family { name: "the starter comes back", points: old_call::returns },
    Family { name: "a worker sweeps between its sweeps", points: sweep::sweep },
];

/// The names of all families.
pub fn families() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().map(|family| family.name)
}

/// Every point of a run, in order.
pub fn points_of(run: &RecordedRun) -> Vec<Point> {
    let mut points = Points { found: Vec::new(), family: 0, horizon_ms: run.plan.horizon_ms };
    for (family, Family { points: add, .. }) in FAMILIES.iter().enumerate() {
        points.family = family;
        add(run, &mut points);
    }
    points.found.sort_by_key(Point::place);
    points.found.dedup_by_key(|point| point.place());
    points.found
}

/// The points of a run while they are gathered.
pub struct Points {
    found: Vec<Point>,
    family: usize,
    horizon_ms: u64,
}

impl Points {
    /// `target` tells the points of one family and instant apart.
    fn add(
        &mut self,
        at_ms: u64,
        target: u64,
        values: Values,
        make: impl Fn(i64) -> Action + Send + Sync + 'static,
    ) {
        let is_empty = matches!(&values, Values::Lasting { most_ms: 0, .. });
        if at_ms < self.horizon_ms && !is_empty {
            let rank = (self.family, target);
            self.found.push(Point { at_ms, rank, values, make: Box::new(make) });
        }
    }

    fn once(&mut self, at_ms: u64, target: u64, action: impl Into<Action>) {
        let action = action.into();
        self.add(at_ms, target, Values::Once, move |_| action.clone());
    }

    /// From `since_ms` to any instant before the liveness phase.
    fn lasting(
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
