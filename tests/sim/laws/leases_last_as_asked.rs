//! Cases of leases-last-as-asked.

use fencepost_sim::history::event::{CallKind, What};

use crate::laws::history_builder::{ANN, BOB, Case, NOBODY, TTL_MS, case, running};

pub fn cases() -> Vec<Case> {
    let granted_until = |expires_ms| What::Granted { expires_ms, fence: 2 };
    vec![
        case(
            "a new grant lasts exactly as long as was asked for",
            running().claims(1, NOBODY).granted(BOB, 2).at(2_000).renewed(BOB),
            running().claims(1, NOBODY).event(1, BOB, granted_until(1_001 + TTL_MS)),
        ),
        case(
            "a renewal never shortens a lease, when the clock stepped back or less was asked for",
            running().renewed_until(ANN, 4_000, 1).at(500).renewed_until(ANN, 4_000, TTL_MS),
            running().at(500).renewed_until(ANN, 3_500, TTL_MS),
        ),
        case(
            "a re-entry keeps what the grant had; a renewal does not add to it",
            running().claims(1, ANN).reentered(ANN, 4_000),
            running().at(2_000).renewed_until(ANN, 4_000 + TTL_MS, TTL_MS),
        ),
        case(
            "a decision that took time may have read the clock at any instant of it, the next one may not",
            running()
                .claims(2, NOBODY)
                .span_began(2, NOBODY, CallKind::Claim)
                .at(1_500)
                .span_ended(2, NOBODY, 1_000)
                .by(BOB, granted_until(1_200 + TTL_MS))
                .at(2_000)
                .renewed(BOB),
            running()
                .span_began(1, ANN, CallKind::Renew)
                .span_ended(1, ANN, 1_000)
                .renewed(ANN)
                .at(1_001)
                .renewed_until(ANN, 1_000 + TTL_MS, TTL_MS),
        ),
    ]
}
