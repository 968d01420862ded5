//! Cases of lives-do-not-mix.

use crate::laws::history_builder::{ANN, BOB, Case, case, running};

pub fn cases() -> Vec<Case> {
    vec![case(
        "in a new life its own grant acts, and no grant of the life before",
        running().reborn().granted(BOB, 2).renewed(BOB),
        running().reborn().renewed(ANN),
    )]
}
