//! A call that arrives when the lease of its process expires, a millisecond before or any time after it, while its caller stands
//! still. (If the caller goes on, the call is one on a slow link.)

use crate::plan::fault::hold_call::HoldCall;
use crate::prove::deviation::point::{Points, Values};
use crate::prove::one_run::{KnownLease, RecordedRun};

/// The first offset that is tried: the last millisecond of a lease is the second.
const FIRST_MS: i64 = -2;

pub fn asleep(run: &RecordedRun, points: &mut Points) {
    let leases = run.leases();
    for message in &run.messages.sent {
        let Some((method, process)) = message.call else { continue };
        let at_ms = message.at_us / 1_000;
        // The lease that is stored when the call is sent.
        let is_stored = |lease: &&KnownLease| {
            lease.process == process && lease.since_ms <= at_ms && at_ms < lease.expires_ms
        };
        let Some(lease) = leases.iter().rev().find(is_stored) else { continue };
        let since_ms = lease.expires_ms.saturating_add_signed(FIRST_MS);
        let most_ms = run.plan.horizon_ms.saturating_sub(since_ms);
        let target = u64::from(process.0) << 8 | method as u64;
        points.add(at_ms, target, Values::Lasting { since_ms, most_ms }, move |value| {
            HoldCall { method, process, offset_ms: value + FIRST_MS, is_caller_asleep: true }.into()
        });
    }
}
