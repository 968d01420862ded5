//! Cases of calls-apply-once.

use fencepost_sim::history::event::{CallKind, What};

use crate::laws::history_builder::{ANN, Case, HistoryBuilder, NOBODY, case, running};

fn renewed_again(history: HistoryBuilder) -> HistoryBuilder {
    history.event(1, ANN, What::AppliedAgain { call: CallKind::Renew, number: 4 })
}

pub fn cases() -> Vec<Case> {
    let repeated = || running().event(1, NOBODY, What::Repeated { age_us: 3_000 });
    let from_before = || running().event(1, NOBODY, What::FromEarlierLife { was_applied: true });
    vec![
        case("a second copy of a request changes nothing", repeated(), renewed_again(repeated())),
        case("a request from before a restart changes nothing", from_before(), renewed_again(from_before())),
    ]
}
