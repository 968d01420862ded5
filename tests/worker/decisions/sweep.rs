//! The identity of an attempt, and which listed rows are worth a claim.

use fencepost::rules::worker::NextStep;

use crate::decisions::{WrongDecision, wrong};
use crate::stories;

pub fn incarnation() -> Vec<WrongDecision> {
    vec![wrong!(
        "Every attempt takes the same incarnation, so that two attempts of one worker share a grant.",
        incarnation,
        |_| "the one".into(),
        stories::every_attempt_is_an_incarnation_of_its_own
    )]
}

pub fn after_list() -> Vec<WrongDecision> {
    vec![
        wrong!(
            "A sweep claims every listed row, also externally owned ones that no worker may run.",
            after_list,
            |_| NextStep::Claim,
            stories::an_externally_owned_row_is_claimed_only_to_settle_a_request
        ),
        wrong!(
            "A sweep leaves every listed row as it is.",
            after_list,
            |_| NextStep::Leave,
            stories::a_sweep_runs_what_is_pending_to_its_end
        ),
    ]
}
