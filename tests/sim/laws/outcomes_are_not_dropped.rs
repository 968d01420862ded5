//! Cases of outcomes-are-not-dropped.

use fencepost_sim::history::event::{BodyOutcome, CallKind, What};

use crate::laws::history_builder::{ANN, BOB, Case, case, running};

pub fn cases() -> Vec<Case> {
    let gave_7 = What::BodyEnded { outcome: BodyOutcome::Output, output: 7 };
    let broke = What::BodyEnded { outcome: BodyOutcome::Broke, output: 0 };
    let releases = What::Sent { call: CallKind::Release, number: 4 };
    vec![
        case(
            "what the body gave is what is recorded",
            running().by(ANN, gave_7).ended(ANN, 7),
            running().by(ANN, gave_7).ended(ANN, 8),
        ),
        case(
            "a worker releases after its body broke, and not after its body gave an outcome",
            running().by(ANN, broke).by(ANN, releases).at(4_000).granted(BOB, 2).ended(BOB, 8),
            running().ended(BOB, 8).by(ANN, gave_7).by(ANN, releases),
        ),
    ]
}
