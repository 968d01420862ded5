//! After the answer to a completion.

use fencepost::model::error::RegistryError;
use fencepost::rules::worker::{self, NextStep};

use crate::decisions::{WrongDecision, wrong};
use crate::{keeping, stories};

pub fn after_completion() -> Vec<WrongDecision> {
    vec![
        wrong!(
            "The worker gives up on a completion that got no answer.",
            after_completion,
            |answer| match worker::after_completion(answer) {
                NextStep::Again => NextStep::Leave,
                next => next,
            },
            keeping::a_completion_that_hangs_is_sent_again_and_stored_once
        ),
        wrong!(
            "The worker releases its lease although its completion may have been stored.",
            after_completion,
            |answer| match answer {
                Err(RegistryError::Unavailable { .. }) => NextStep::Release,
                _ => worker::after_completion(answer),
            },
            keeping::an_unknown_answer_to_a_completion_is_settled_once
        ),
        wrong!(
            "The worker drops an outcome that the registry cannot store.",
            after_completion,
            |answer| match worker::after_completion(answer) {
                NextStep::End { .. } => NextStep::Leave,
                next => next,
            },
            stories::an_outcome_that_cannot_be_stored_is_a_failure_that_says_so
        ),
    ]
}
