//! Cases of one-live-grant.

use crate::laws::history_builder::{ANN, BOB, Case, case, running};

pub fn cases() -> Vec<Case> {
    vec![
        case(
            "another grant is made once the first expired, and not a millisecond before",
            running().at(4_000).granted(BOB, 2),
            running().at(3_999).granted(BOB, 2),
        ),
        case(
            "a release makes place for another grant, if it names the stored one",
            running().released(ANN).granted(BOB, 2),
            running().released(BOB).granted(BOB, 2),
        ),
        case(
            "an incarnation enters its own grant again while it is live",
            running().reentered(ANN, 4_500),
            running().at(4_000).reentered(ANN, 7_000),
        ),
        case(
            "a renewal moves the expiry on",
            running().renewed(ANN).at(4_000).granted(BOB, 2),
            running().renewed(ANN).at(3_900).granted(BOB, 2),
        ),
        case(
            "by the word of a lease service a key passes on, and is never held by two",
            running().believed(ANN, true).at(4_000).granted(BOB, 2).believed(ANN, false).believed(BOB, true),
            running().believed(ANN, true).at(4_000).granted(BOB, 2).believed(BOB, true),
        ),
    ]
}
