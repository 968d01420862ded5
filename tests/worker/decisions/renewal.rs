//! Renewing the lease, and knowing that it is lost.

use fencepost::rules::worker::{self, Renewal};

use crate::decisions::{WrongDecision, wrong};
use crate::{keeping, stories};

pub fn first_renewal_in_ms() -> Vec<WrongDecision> {
    vec![wrong!(
        "The worker never renews.",
        first_renewal_in_ms,
        |_| u64::MAX,
        keeping::a_transient_renewal_error_does_not_end_a_healthy_run
    )]
}

pub fn after_renewal() -> Vec<WrongDecision> {
    vec![
        wrong!(
            "The worker takes any lease that a renewal answers for its own.",
            after_renewal,
            |answer, held, timings| match answer {
                Ok(_) => worker::after_renewal(&Ok(held.clone()), held, timings),
                refused => worker::after_renewal(refused, held, timings),
            },
            keeping::a_renewal_answered_with_anothers_lease_extends_nothing
        ),
        wrong!(
            "The worker sends no further renewal after one that failed.",
            after_renewal,
            |answer, held, timings| match worker::after_renewal(answer, held, timings) {
                Renewal::NotBelieved { .. } => Renewal::NotBelieved { next_in_ms: u64::MAX },
                other => other,
            },
            keeping::a_transient_renewal_error_does_not_end_a_healthy_run
        ),
        wrong!(
            "The worker takes one failed renewal for the loss of its lease.",
            after_renewal,
            |answer, held, timings| match worker::after_renewal(answer, held, timings) {
                Renewal::NotBelieved { .. } => Renewal::Lost,
                other => other,
            },
            keeping::a_transient_renewal_error_does_not_end_a_healthy_run
        ),
        wrong!(
            "The worker repeats a renewal that was refused, instead of stopping.",
            after_renewal,
            |answer, held, timings| match worker::after_renewal(answer, held, timings) {
                Renewal::Lost => Renewal::NotBelieved { next_in_ms: 100 },
                other => other,
            },
            keeping::a_renewal_that_answers_superseded_ends_the_attempt_at_once
        ),
    ]
}

pub fn may_act() -> Vec<WrongDecision> {
    vec![
        wrong!(
            "The worker acts past the deadline of its lease until it is told of the loss.",
            may_act,
            |_, _, is_lost| !is_lost,
            keeping::it_starts_no_effect_after_its_lease_is_lost_and_says_so_before_the_ttl_has_passed
        ),
        wrong!(
            "The worker was told that its lease is lost and acts until the deadline all the same.",
            may_act,
            |now, deadline, _| now < deadline,
            stories::an_emission_that_answers_superseded_ends_the_attempt_at_once
        ),
    ]
}
