//! Cases of nothing-after-the-end.

use fencepost_sim::history::event::Write;

use crate::laws::history_builder::{ANN, BOB, Case, case, running};

pub fn cases() -> Vec<Case> {
    vec![
        case(
            "an abandon request after the end adds nothing, a signal would",
            running().ended(ANN, 7).asked(Write::AbandonRequest),
            running().ended(ANN, 7).asked(Write::Signal),
        ),
        case(
            "the next life is written, the ended one is not",
            running().reborn().granted(BOB, 2).wrote(BOB, Write::Progress),
            running().ended(ANN, 7).wrote(ANN, Write::Progress),
        ),
        case(
            "nobody gets a lease for an ended process",
            running().ended(ANN, 7),
            running().ended(ANN, 7).granted(BOB, 2),
        ),
    ]
}
