//! Cases of live-writer-accepted.

use fencepost_sim::history::event::{CallKind, CallResult};

use crate::laws::history_builder::{ANN, BOB, Case, case, running};

pub fn cases() -> Vec<Case> {
    vec![
        case(
            "a holder is told that it expired from the expiry on, and not a millisecond before",
            running().at(4_000).refused(ANN, CallKind::Renew, CallResult::Expired),
            running().at(3_999).refused(ANN, CallKind::Renew, CallResult::Expired),
        ),
        case(
            "a completion is refused for its grant only when that grant is gone",
            running().released(ANN).granted(BOB, 2).refused(ANN, CallKind::Complete, CallResult::Superseded),
            running().refused(ANN, CallKind::Complete, CallResult::LeaseRequired),
        ),
        case(
            "a holder is told that its lease is lost when it is, whatever the reason",
            running().at(4_000).refused(ANN, CallKind::Emit, CallResult::LeaseLost),
            running().at(3_999).refused(ANN, CallKind::Emit, CallResult::LeaseLost),
        ),
    ]
}
