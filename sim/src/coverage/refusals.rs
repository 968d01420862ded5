//! Marks of calls under a stale grant that were refused, as superseded or as expired.

use crate::coverage::leases::HeldLease;
use crate::coverage::{CoverageCounts, Mark};
use crate::history::event::{CallKind, CallResult, Event};

pub fn refused(
    event: &Event,
    call: CallKind,
    why: CallResult,
    held: Option<HeldLease>,
    counts: &mut CoverageCounts,
) {
    let is_expired = match why {
        CallResult::LeaseLost => held.is_some_and(|lease| lease.grant == event.grant),
        CallResult::Expired => true,
        CallResult::Superseded => false,
        CallResult::Done
        | CallResult::UnknownProcess
        | CallResult::InvalidArgument
        | CallResult::AlreadyTerminal
        | CallResult::LeaseRequired
        | CallResult::FenceExhausted
        | CallResult::Failed
        | CallResult::OutcomeUnknown
        | CallResult::Busy
        | CallResult::OtherRefusal => return,
    };
    counts.hit(match call {
        CallKind::Renew if is_expired => Mark::RenewRefusedExpired,
        CallKind::Renew => Mark::RenewRefusedSuperseded,
        CallKind::Complete => Mark::StaleTerminalRefused,
        CallKind::Emit => Mark::StaleEventRefused,
        CallKind::SetWait | CallKind::ClearWait => Mark::StaleWaitRefused,
        CallKind::Start => Mark::StaleStartRefused,
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
        | CallKind::Other => return,
    });
}
