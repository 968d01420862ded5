//! Cases of bodies-overlap-within-bound. Clocks neither drift nor step here, so 4 ms is all that is allowed.

use fencepost_sim::history::event::{BodyOutcome, What};

use crate::laws::history_builder::{ANN, BOB, Case, HistoryBuilder, NOBODY, case, running};

/// Bob's body begins at the expiry of Ann's lease.
fn taken_over(history: HistoryBuilder) -> HistoryBuilder {
    history.at(4_000).granted(BOB, 2).body_began(BOB, 2)
}

pub fn cases() -> Vec<Case> {
    let dropped = What::BodyEnded { outcome: BodyOutcome::Dropped, output: 0 };
    let paused = || taken_over(running().body_began(ANN, 1).event(1, NOBODY, What::Paused));
    vec![
        case(
            "the first body stops within 4 ms of the second's beginning",
            taken_over(running().body_began(ANN, 1)).at(4_004).by(ANN, dropped),
            taken_over(running().body_began(ANN, 1)).at(4_005).by(ANN, dropped),
        ),
        case(
            "time in which a node stands still does not count",
            paused().at(9_000).event(1, NOBODY, What::Resumed).by(ANN, dropped),
            paused().at(9_000).event(1, NOBODY, What::Resumed).at(9_010).by(ANN, dropped),
        ),
    ]
}
