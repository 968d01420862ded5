//! Calls of somebody who held a process once: after each change of its row, and at the instants around an expiry.

use std::collections::BTreeSet;

use crate::history::event::{NO_PROCESS, What};
use crate::plan::Process;
use crate::plan::fault::stale_call::StaleCall;
use crate::plan::step::{Method, StaleCallKind};
use crate::prove::decision_order::changes_rows;
use crate::prove::deviation::point::Points;
use crate::prove::one_run::RecordedRun;

const LATE: [Method; 6] =
    [Method::Renew, Method::Start, Method::Emit, Method::Wait, Method::Complete, Method::Release];

/// The millisecond after each change of a process that was granted before.
fn after_changes(run: &RecordedRun) -> BTreeSet<(u64, u16)> {
    let mut granted = BTreeSet::new();
    let mut after = BTreeSet::new();
    for event in run.events.iter().filter(|event| event.process != NO_PROCESS) {
        if matches!(event.what(), What::Granted { .. } | What::Reclaimed { .. }) {
            granted.insert(event.process);
        }
        // A process that is registered again after a prune, or pruned, has had holders, too.
        if changes_rows(event) {
            for process in granted.iter().filter(|process| **process == event.process) {
                after.insert((event.at_us / 1_000 + 1, *process));
            }
        }
    }
    after
}

pub fn late(run: &RecordedRun, points: &mut Points) {
    for (at_ms, process) in after_changes(run) {
        for (number, method) in (0..).zip(LATE) {
            let (process, kind) = (Process(process), StaleCallKind::Late(method));
            points.once(at_ms, u64::from(process.0) << 8 | number, StaleCall { process, kind });
        }
    }
}

pub fn at_expiry(run: &RecordedRun, points: &mut Points) {
    for lease in run.leases() {
        let process = lease.process;
        for (number, method) in (0..).zip([Method::Renew, Method::Claim]) {
            for (place, offset_ms) in (0..).zip([-1, 0, 1]) {
                let kind = StaleCallKind::AtExpiry { method, offset_ms };
                let target = u64::from(process.0) << 8 | number << 4 | place;
                points.once(lease.since_ms + 1, target, StaleCall { process, kind });
            }
        }
    }
}

pub fn returns(run: &RecordedRun, points: &mut Points) {
    for (at_ms, process) in after_changes(run) {
        let process = Process(process);
        points.once(at_ms, u64::from(process.0), StaleCall { process, kind: StaleCallKind::Returns });
    }
}
