//! After the answer to a claim or a reclaim.

use fencepost::rules::worker::{self, NextStep};

use crate::decisions::{WrongDecision, wrong};
use crate::{keeping, stories};

pub fn after_claim() -> Vec<WrongDecision> {
    vec![
        wrong!(
            "The worker reclaims from every holder, dead or alive.",
            after_claim,
            |answer, again, _| worker::after_claim(answer, again, &|_| true),
            stories::a_live_holder_that_is_dead_is_reclaimed_and_a_busy_one_is_left
        ),
        wrong!(
            "The worker never reclaims, although the holder is proved dead.",
            after_claim,
            |answer, again, _| worker::after_claim(answer, again, &|_| false),
            stories::a_live_holder_that_is_dead_is_reclaimed_and_a_busy_one_is_left
        ),
        wrong!(
            "The worker repeats a reclaim that the registry refused, for ever.",
            after_claim,
            |answer, _, dead| worker::after_claim(answer, false, dead),
            stories::a_reclaim_that_the_registry_refuses_is_not_asked_for_again
        ),
        wrong!(
            "The worker gives up on a claim that may have been granted.",
            after_claim,
            |answer, again, dead| match worker::after_claim(answer, again, dead) {
                NextStep::Again => NextStep::Leave,
                next => next,
            },
            keeping::an_unknown_claim_is_asked_for_again_by_the_same_incarnation
        ),
        wrong!(
            "The worker starts from the row as it was listed, and does not read it again under its lease.",
            after_claim,
            |answer, again, dead| match worker::after_claim(answer, again, dead) {
                NextStep::Read => NextStep::Start,
                next => next,
            },
            stories::a_started_owner_bound_row_with_a_dead_holder_is_abandoned_with_the_evidence
        ),
    ]
}
