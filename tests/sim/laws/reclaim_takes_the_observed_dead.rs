//! Cases of reclaim-takes-the-observed-dead.

use fencepost_sim::history::event::{GrantNo, What};

use crate::laws::history_builder::{ANN, BOB, Case, HistoryBuilder, case, running};

fn observed(history: HistoryBuilder, grant: GrantNo, is_dead: bool) -> HistoryBuilder {
    history.event(1, grant, What::Observed { is_dead, do_probes_lie: false })
}

pub fn cases() -> Vec<Case> {
    let taken =
        |history: HistoryBuilder, expires_ms| history.by(BOB, What::Reclaimed { expires_ms, fence: 2 });
    vec![
        case(
            "a live grant is taken over from a dead holder, not from a living one",
            taken(observed(running(), ANN, true), 5_000),
            taken(observed(running(), ANN, false), 5_000),
        ),
        case(
            "an expired grant may be taken whoever was observed, a live one only if it was observed itself",
            taken(observed(running().at(4_000), BOB, false), 8_000),
            taken(observed(running(), BOB, true), 5_000),
        ),
    ]
}
