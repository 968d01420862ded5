//! Cases of replay-key-is-one-event.

use crate::laws::history_builder::{Case, case, history};

pub fn cases() -> Vec<Case> {
    vec![case(
        "an append that is sent again is the same event; one without a replay key is always another",
        history().appended(1, 77).appended(1, 77).appended(2, 0),
        history().appended(1, 77).appended(2, 77),
    )]
}
