//! Marks of calls that are decided within a millisecond of the expiry of the stored lease, and of a wait for the store that
//! an expiry falls into.

use crate::coverage::leases::HeldLease;
use crate::coverage::{CoverageCounts, Mark};
use crate::history::event::{CallKind, Event};

/// A claim or a reclaim, granted or not.
pub fn claim(event: &Event, held: Option<HeldLease>, counts: &mut CoverageCounts) {
    let marks = [Mark::ClaimBeforeExpiry, Mark::ClaimAtExpiry, Mark::ClaimAfterExpiry];
    hit_near_expiry(event, held, marks, counts);
}

/// A renewal by the holder, accepted or refused.
pub fn renewal(event: &Event, held: Option<HeldLease>, counts: &mut CoverageCounts) {
    let marks = [Mark::RenewBeforeExpiry, Mark::RenewAtExpiry, Mark::RenewAfterExpiry];
    hit_near_expiry(event, held.filter(|lease| lease.grant == event.grant), marks, counts);
}

/// A write by the holder, accepted or refused.
pub fn write(event: &Event, held: Option<HeldLease>, counts: &mut CoverageCounts) {
    let marks = [Mark::WriteBeforeExpiry, Mark::WriteAtExpiry, Mark::WriteAfterExpiry];
    hit_near_expiry(event, held.filter(|lease| lease.grant == event.grant), marks, counts);
}

pub fn refused(event: &Event, call: CallKind, held: Option<HeldLease>, counts: &mut CoverageCounts) {
    match call {
        CallKind::Renew => renewal(event, held, counts),
        CallKind::Start | CallKind::Emit | CallKind::SetWait | CallKind::ClearWait | CallKind::Complete => {
            write(event, held, counts)
        }
        // A claim that the lease keeps out is busy, not refused; the others present no lease, or need none.
        CallKind::Claim
        | CallKind::Reclaim
        | CallKind::Release
        | CallKind::UnfencedStart
        | CallKind::UnfencedEmit
        | CallKind::UnfencedSetWait
        | CallKind::UnfencedClearWait
        | CallKind::UnfencedComplete
        | CallKind::Register
        | CallKind::Abandon
        | CallKind::Prune
        | CallKind::Read
        | CallKind::GrantHandle
        | CallKind::Transfer
        | CallKind::Ack
        | CallKind::Other => {}
    }
}

/// A decision that waited for the store; its call arrived at `arrived_ms`, and its store wrote at `wrote_ms`.
pub fn store_waited(
    event: &Event,
    arrived_ms: u64,
    wrote_ms: u64,
    held: Option<HeldLease>,
    counts: &mut CoverageCounts,
) {
    let Some(lease) = held.filter(|lease| lease.grant == event.grant) else { return };
    let is_across = |from_ms: u64, to_ms: u64| from_ms < lease.expires_ms && lease.expires_ms <= to_ms;
    if is_across(arrived_ms, event.clock) {
        counts.hit(Mark::StoreWaitAcrossExpiry);
    }
    if is_across(event.clock, wrote_ms) {
        counts.hit(Mark::WriteAfterReadingAcrossExpiry);
    }
}

/// Counts the first mark 1 ms before the expiry, the second at the expiry, the third 1 ms after it.
#[inline]
fn hit_near_expiry(
    event: &Event,
    held: Option<HeldLease>,
    [before, at, after]: [Mark; 3],
    counts: &mut CoverageCounts,
) {
    let Some(HeldLease { expires_ms, .. }) = held else { return };
    match i128::from(event.clock) - i128::from(expires_ms) {
        -1 => counts.hit(before),
        0 => counts.hit(at),
        1 => counts.hit(after),
        _ => {}
    }
}
