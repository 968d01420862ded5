//! Cases of fences-only-grow.

use crate::laws::history_builder::{BOB, Case, case, running};

pub fn cases() -> Vec<Case> {
    vec![
        case(
            "the next grant has a higher fence, not the same",
            running().at(4_000).granted(BOB, 2),
            running().at(4_000).granted(BOB, 1),
        ),
        case(
            "a prune does not make the registry forget the fences of the life before",
            running().reborn().granted(BOB, 5),
            running().reborn().granted(BOB, 1),
        ),
    ]
}
