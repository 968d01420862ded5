//! Cases of nobody-panics.

use fencepost_sim::history::event::What;

use crate::laws::history_builder::{Case, case, history};

pub fn cases() -> Vec<Case> {
    vec![case(
        "a run may finish, and no code under test may panic in it",
        history().at_registry(What::Finished),
        history().at_registry(What::Panicked),
    )]
}
