//! Cases of refusal-changes-nothing.

use fencepost_sim::history::event::What;

use crate::laws::history_builder::{ANN, Case, case, history};

pub fn cases() -> Vec<Case> {
    vec![case(
        "the state after a refused call is the state before it",
        history().by(ANN, What::ReadBack { before: 5, after: 5 }),
        history().by(ANN, What::ReadBack { before: 5, after: 6 }),
    )]
}
