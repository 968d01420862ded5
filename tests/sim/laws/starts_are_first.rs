//! Cases of starts-are-first.

use fencepost_sim::history::event::Write;

use crate::laws::history_builder::{ANN, BOB, Case, case, owner_bound};

pub fn cases() -> Vec<Case> {
    vec![case(
        "a later start is answered that the process was started before, and is not recorded",
        owner_bound()
            .wrote(ANN, Write::StartedBefore)
            .at(4_000)
            .granted(BOB, 2)
            .wrote(BOB, Write::StartedBefore),
        owner_bound().at(4_000).granted(BOB, 2).wrote(BOB, Write::FirstStart),
    )]
}
