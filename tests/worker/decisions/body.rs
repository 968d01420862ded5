//! While the body runs, and after it.

use fencepost::model::process::ProcessAwaitOutput;
use fencepost::rules::worker::{self, BodyEnd, NextStep};

use crate::decisions::{WrongDecision, wrong};
use crate::{draining, keeping, signals, stories};

pub fn gives_permit_back_while_waiting() -> Vec<WrongDecision> {
    vec![wrong!(
        "A parent keeps its permit while it waits for a child that needs one.",
        gives_permit_back_while_waiting,
        || false,
        signals::a_parent_that_awaits_its_child_does_not_block_it_with_a_bound_of_one
    )]
}

pub fn after_body() -> Vec<WrongDecision> {
    vec![
        wrong!(
            "The worker sends a release for a lease that it has lost.",
            after_body,
            |end| match end {
                BodyEnd::LeaseLost => NextStep::Release,
                end => worker::after_body(end),
            },
            keeping::a_renewal_that_answers_superseded_ends_the_attempt_at_once
        ),
        wrong!(
            "The worker ends the process because its own infrastructure failed.",
            after_body,
            |end| match end {
                BodyEnd::InfrastructureFailed => {
                    worker::after_body(BodyEnd::Panicked { message: String::new() })
                }
                end => worker::after_body(end),
            },
            stories::an_infrastructure_failure_leaves_the_row_claimable
        ),
        wrong!(
            "The worker stores `Abandoned` as a body's own outcome.",
            after_body,
            |end| match end {
                BodyEnd::Output(output @ ProcessAwaitOutput::Abandoned { .. }) => {
                    NextStep::End { output }
                }
                end => worker::after_body(end),
            },
            stories::a_body_that_panics_fails_and_so_does_one_that_calls_itself_abandoned
        ),
        wrong!(
            "The worker takes a body's panic for a failure of the infrastructure and leaves the row.",
            after_body,
            |end| match end {
                BodyEnd::Panicked { .. } => NextStep::Release,
                end => worker::after_body(end),
            },
            stories::a_body_that_panics_fails_and_so_does_one_that_calls_itself_abandoned
        ),
        wrong!(
            "The worker releases an owner-bound process that it drained, instead of settling it.",
            after_body,
            |end| match end {
                BodyEnd::Drained => NextStep::Release,
                end => worker::after_body(end),
            },
            draining::a_drain_drops_a_running_owner_bound_body_under_its_own_grant
        ),
    ]
}
