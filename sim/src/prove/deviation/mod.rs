//! Deviations: what can go wrong at a point of a run, one file for each family. A deviation is a step of a plan, so a run with
//! deviations is a plan, too. A new family is a file here and its line below.

mod clock;
mod disk;
mod held_call;
mod message;
mod node;
mod old_call;
mod point;
mod probe;
mod store;
mod sweep;

use crate::prove::one_run::RecordedRun;

pub use point::{Place, Point, Points, Values};

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
    let mut points = Points::new(run.plan.horizon_ms);
    for (place, family) in FAMILIES.iter().enumerate() {
        points.turn_to(place, family.name);
        (family.points)(run, &mut points);
    }
    points.in_order()
}
