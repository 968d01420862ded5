//! Sweeps: a worker looks for work after a change of the rows, or around an expiry.

use std::collections::BTreeSet;

use crate::plan::Node;
use crate::plan::work::sweep::Sweep;
use crate::prove::deviation::point::Points;
use crate::prove::one_run::RecordedRun;

pub fn sweep(run: &RecordedRun, points: &mut Points) {
    let mut instants: BTreeSet<u64> = run.changes().into_iter().map(|at_ms| at_ms + 1).collect();
    for lease in run.leases() {
        instants.extend([lease.expires_ms.saturating_sub(1), lease.expires_ms, lease.expires_ms + 1]);
    }
    for worker in run.plan.nodes().filter(|node| matches!(node, Node::Worker(_))) {
        for at_ms in &instants {
            points.once(*at_ms, u64::from(worker.code()), Sweep { worker });
        }
    }
}
