//! Cases of outside-sees-fences-in-order.

use fencepost_sim::history::event::{GrantNo, What};

use crate::laws::history_builder::{ANN, BOB, Case, HistoryBuilder, case, running};

/// The ledger takes an effect; `highest` is the highest fence it saw before.
fn taken(history: HistoryBuilder, grant: GrantNo, fence: u64, highest: u64) -> HistoryBuilder {
    history.event(1, grant, What::EffectTaken { fence, highest })
}

pub fn cases() -> Vec<Case> {
    let succeeded = |history: HistoryBuilder| history.at(4_000).granted(BOB, 2);
    vec![
        case(
            "a late effect of the predecessor is taken before the successor's first, and never after it",
            {
                let late = taken(succeeded(taken(running(), ANN, 1, 0)), ANN, 1, 1);
                taken(late, BOB, 2, 1).by(ANN, What::EffectRefused { fence: 1, highest: 2 })
            },
            taken(taken(succeeded(running()), BOB, 2, 1), ANN, 1, 2),
        ),
        case(
            "an effect with the highest fence granted is taken",
            taken(running(), ANN, 1, 0),
            running().by(ANN, What::EffectRefused { fence: 1, highest: 0 }),
        ),
    ]
}
