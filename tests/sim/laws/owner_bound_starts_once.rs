//! Cases of owner-bound-starts-once.

use fencepost::model::process::RecoveryDisposition;
use fencepost_sim::history::event::Write;

use crate::laws::history_builder::{ANN, BOB, Case, case, owner_bound};

pub fn cases() -> Vec<Case> {
    vec![
        case(
            "one body begins, and no second",
            owner_bound().body_began(ANN, 1),
            owner_bound().body_began(ANN, 1).body_began(BOB, 2),
        ),
        case(
            "a body begins only under the grant that recorded the first start",
            owner_bound().body_began(ANN, 1),
            owner_bound().body_began(BOB, 2),
        ),
        case(
            "a body of the life before may begin late, and counts for that life",
            owner_bound()
                .ended(ANN, 7)
                .pruned()
                .registered(RecoveryDisposition::OwnerBound)
                .body_began(ANN, 1)
                .granted(BOB, 2)
                .wrote(BOB, Write::FirstStart)
                .body_began(BOB, 2),
            owner_bound().at(4_000).granted(BOB, 2).wrote(BOB, Write::FirstStart).body_began(BOB, 2),
        ),
    ]
}
