//! Cases of tokens-are-drawn.

use fencepost_sim::history::event::{GrantNo, What};

use crate::laws::history_builder::{ANN, BOB, Case, HistoryBuilder, case, history};

fn drawn(history: HistoryBuilder, grant: GrantNo, token: u64, entropy_bytes: u64) -> HistoryBuilder {
    history.event(1, grant, What::TokenDrawn { token, entropy_bytes })
}

pub fn cases() -> Vec<Case> {
    vec![
        case(
            "every grant has a token of its own",
            drawn(drawn(history(), ANN, 1, 16), BOB, 2, 32),
            drawn(drawn(history(), ANN, 1, 16), BOB, 1, 16),
        ),
        case(
            "a token takes at least 16 bytes of entropy",
            drawn(history(), ANN, 1, 16),
            drawn(history(), ANN, 1, 15),
        ),
    ]
}
