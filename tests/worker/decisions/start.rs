//! After the answer to a first start.

use fencepost::rules::worker::{self, NextStep};

use crate::decisions::{WrongDecision, wrong};
use crate::{keeping, stories};

pub fn after_start() -> Vec<WrongDecision> {
    vec![
        wrong!(
            "The worker runs an owner-bound body although another grant had recorded the first start.",
            after_start,
            |_, _, _| NextStep::Run,
            stories::a_first_start_that_was_taken_stops_an_owner_bound_body_by_itself
        ),
        wrong!(
            "The worker runs the body although its first start was refused.",
            after_start,
            |_, _, _| NextStep::Run,
            stories::a_first_start_that_is_refused_runs_nothing
        ),
        wrong!(
            "The worker releases a lease that it was just told it no longer holds.",
            after_start,
            |answer, disposition, was| match worker::after_start(answer, disposition, was) {
                NextStep::Leave => NextStep::Release,
                next => next,
            },
            stories::a_first_start_that_is_refused_runs_nothing
        ),
        wrong!(
            "The worker gives up on a first start that may have been recorded.",
            after_start,
            |answer, disposition, was| match worker::after_start(answer, disposition, was) {
                NextStep::Again => NextStep::Leave,
                next => next,
            },
            stories::an_unknown_first_start_is_settled_and_runs_an_owner_bound_body_once
        ),
        wrong!(
            "The worker forgets that an earlier first start may have been recorded once a later try fails.",
            after_start,
            |answer, disposition, _| worker::after_start(answer, disposition, false),
            keeping::a_first_start_that_may_have_been_recorded_is_settled_whatever_fails_after_it
        ),
    ]
}
