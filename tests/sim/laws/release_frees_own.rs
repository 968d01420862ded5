//! Cases of release-frees-own.

use fencepost_sim::history::event::What;

use crate::laws::history_builder::{ANN, BOB, Case, HistoryBuilder, NOBODY, case, running};

pub fn cases() -> Vec<Case> {
    let stale = || running().at(4_000).granted(BOB, 2).released(ANN);
    let stored = |history: HistoryBuilder, grant| history.event(1, grant, What::LeaseAfter);
    vec![
        case(
            "a release frees its own grant",
            stored(running().released(ANN), NOBODY),
            stored(running().released(ANN), ANN),
        ),
        case("a stale release leaves another's grant alone", stored(stale(), BOB), stored(stale(), NOBODY)),
        case(
            "a release whose effect nobody read has freed its grant all the same, and the next one finds nothing",
            stored(running().released(ANN).released(ANN), NOBODY),
            stored(running().released(ANN).released(ANN), ANN),
        ),
    ]
}
