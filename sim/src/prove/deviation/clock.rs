//! Clocks: the registry's is set, so that a lease that was live has expired or the other way round; a worker's wall clock is set
//! far; the clocks of a node are fast or slow.

use crate::plan::Node;
use crate::plan::fault::clock_drift::ClockDrift;
use crate::plan::fault::clock_step::ClockStep;
use crate::prove::deviation::point::{Points, Values};
use crate::prove::one_run::RecordedRun;

/// Five percent: far more than any machine drifts, and within what the laws allow for.
const DRIFT_PPM: i32 = 50_000;

pub fn registry_step(run: &RecordedRun, points: &mut Points) {
    let (leases, ttl_ms) = (run.leases(), i64::try_from(run.plan.ttl_ms).unwrap_or(i64::MAX / 4));
    for at_ms in run.bursts(Node::Registry) {
        let mut tried = vec![-1, 1];
        for lease in leases.iter().filter(|lease| lease.since_ms <= at_ms) {
            let left_ms = lease.expires_ms as i64 - at_ms as i64;
            tried.extend([left_ms - 1, left_ms, left_ms + 1]);
        }
        let values = Values::Sized { least: -2 * ttl_ms, most: 2 * ttl_ms, tried };
        points.add(at_ms, 0, values, |by_ms| ClockStep { node: Node::Registry, by_ms }.into());
    }
}

/// Nothing that a worker believes goes by its wall clock: one large step each way shows that.
pub fn worker_step(run: &RecordedRun, points: &mut Points) {
    let ttl_ms = i64::try_from(run.plan.ttl_ms).unwrap_or(i64::MAX / 4);
    for node in run.plan.nodes().filter(|node| matches!(node, Node::Worker(_))) {
        let Some(first_ms) = run.bursts(node).first().copied() else { continue };
        for (number, by_ms) in [(0, 2 * ttl_ms), (1, -2 * ttl_ms)] {
            points.once(first_ms, u64::from(node.code()) << 1 | number, ClockStep { node, by_ms });
        }
    }
}

pub fn drift(run: &RecordedRun, points: &mut Points) {
    for node in run.plan.nodes() {
        let Some(first_ms) = run.bursts(node).first().copied() else { continue };
        for (number, ppm) in [(0, DRIFT_PPM), (1, -DRIFT_PPM)] {
            points.once(first_ms, u64::from(node.code()) << 1 | number, ClockDrift { node, ppm });
        }
    }
}
