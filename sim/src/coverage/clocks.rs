//! Marks of clocks that are wrong: workers' clocks that drift or are stepped, and the registry's clock stepped across the
//! expiry of a stored lease.

use crate::coverage::leases::LeaseObserver;
use crate::coverage::{CoverageCounts, Mark};
use crate::plan::{Node, Plan};

/// The clocks that are wrong from the beginning.
pub fn drifting(plan: &Plan, counts: &mut CoverageCounts) {
    for clock in &plan.clocks {
        if matches!(clock.node, Node::Worker(_)) && clock.drift_ppm != 0 {
            counts.hit(if clock.drift_ppm > 0 { Mark::WorkerClockFast } else { Mark::WorkerClockSlow });
        }
    }
}

pub fn stepped(node: Node, at_us: u64, by_ms: i64, leases: &mut LeaseObserver, counts: &mut CoverageCounts) {
    match node {
        Node::Registry => registry_stepped(at_us, by_ms, leases, counts),
        Node::Worker(_) => counts.hit(Mark::WorkerClockStepped),
        Node::Host(_) | Node::Ledger => {}
    }
}

fn registry_stepped(at_us: u64, by_ms: i64, leases: &mut LeaseObserver, counts: &mut CoverageCounts) {
    let before_ms = leases.registry_clock_ms(at_us);
    let after_ms = before_ms.saturating_add_signed(by_ms);
    for (expires_ms, was_past_expiry) in leases.expiries() {
        if before_ms < expires_ms && expires_ms <= after_ms {
            counts.hit(Mark::SteppedForwardAcrossExpiry);
            *was_past_expiry = true;
        }
        if after_ms < expires_ms && expires_ms <= before_ms {
            counts.hit(Mark::SteppedBackAcrossExpiry);
        }
    }
}
