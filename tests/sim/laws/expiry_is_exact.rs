//! Cases of expiry-is-exact.

use fencepost_sim::history::event::{CallKind, CallResult, What, Write};

use crate::laws::history_builder::{ANN, BOB, Case, case, running};

pub fn cases() -> Vec<Case> {
    vec![
        case(
            "a grant keeps others out until the millisecond before its expiry",
            running().at(3_999).event(2, ANN, What::Busy).at(4_000).refused(
                ANN,
                CallKind::Renew,
                CallResult::Expired,
            ),
            running().at(4_000).event(2, ANN, What::Busy),
        ),
        case(
            "a millisecond before its expiry a grant is renewed, and not called expired",
            running().at(3_999).renewed(ANN),
            running().at(3_999).refused(ANN, CallKind::Emit, CallResult::Expired),
        ),
        case(
            "a grant that nobody superseded is lost from its expiry on, and not a millisecond before",
            running().at(4_000).refused(ANN, CallKind::Renew, CallResult::LeaseLost),
            running().at(3_999).refused(ANN, CallKind::Renew, CallResult::LeaseLost),
        ),
        case(
            "at its expiry a grant makes place for another, and writes nothing",
            running().at(4_000).granted(BOB, 2),
            running().at(4_000).wrote(ANN, Write::Wait),
        ),
    ]
}
