//! Cases of lost-means-silent.

use fencepost_sim::history::event::{CallKind, CallResult, What};

use crate::laws::history_builder::{ANN, Case, HistoryBuilder, NOBODY, case, history};

/// Worker 1 claimed at 1,000 ms and heard that it won.
fn believing() -> HistoryBuilder {
    history().called(ANN, CallKind::Claim, 1, CallResult::Done)
}

pub fn cases() -> Vec<Case> {
    let effect = What::EffectStarted { fence: 1 };
    vec![
        case(
            "an effect carries a fence that was granted to its node",
            believing().by(ANN, effect),
            believing().event(1, NOBODY, What::EffectStarted { fence: 0 }),
        ),
        case(
            "an effect begins before the deadline on the worker's clock, not at it",
            believing().at(3_999).by(ANN, effect),
            believing().at(4_000).by(ANN, effect),
        ),
        case(
            "a renewal that failed changes nothing, one that was superseded ends everything",
            believing().called(ANN, CallKind::Renew, 2, CallResult::Failed).called(
                ANN,
                CallKind::Emit,
                3,
                CallResult::Done,
            ),
            believing()
                .called(ANN, CallKind::Renew, 2, CallResult::Superseded)
                .by(ANN, What::Sent { call: CallKind::Release, number: 3 }),
        ),
        case(
            "a renewal counts from when it was sent, and only if it succeeded",
            believing().at(2_000).called(ANN, CallKind::Renew, 2, CallResult::Done).at(4_999).by(ANN, effect),
            believing()
                .at(2_000)
                .called(ANN, CallKind::Renew, 2, CallResult::Failed)
                .at(4_999)
                .by(ANN, effect),
        ),
    ]
}
