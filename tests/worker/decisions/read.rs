//! After the read of the row under the lease.

use fencepost::model::process::AbandonWriter;
use fencepost::rules::worker::{self, NextStep};

use crate::decisions::{WrongDecision, wrong};
use crate::stories;

pub fn after_read() -> Vec<WrongDecision> {
    vec![
        wrong!(
            "The worker takes a read that failed for a row that can be started.",
            after_read,
            |answer, holder, dead| match answer {
                Err(_) => NextStep::Start,
                _ => worker::after_read(answer, holder, dead),
            },
            stories::a_failed_read_after_the_claim_runs_nothing_and_leaves_the_row_free
        ),
        wrong!(
            "The worker leaves the row after a failed read without releasing its lease.",
            after_read,
            |answer, holder, dead| match answer {
                Err(_) => NextStep::Leave,
                _ => worker::after_read(answer, holder, dead),
            },
            stories::a_failed_read_after_the_claim_runs_nothing_and_leaves_the_row_free
        ),
        wrong!(
            "The worker abandons an owner-bound process because its lease ran out, without any proof of death.",
            after_read,
            |answer, holder, dead| match worker::after_read(answer, holder, dead) {
                NextStep::Release => NextStep::Settle { writer: AbandonWriter::Sweep },
                next => next,
            },
            stories::time_alone_abandons_nothing
        ),
        wrong!(
            "The worker asks whether the last holder is dead, instead of whoever started the process.",
            after_read,
            |answer, holder, dead| {
                let holder_is_dead = holder.is_some_and(dead);
                worker::after_read(answer, holder, &|_| holder_is_dead)
            },
            stories::a_later_holders_death_proves_nothing_about_the_starter
        ),
        wrong!(
            "The worker never asks whether the starter is dead.",
            after_read,
            |answer, holder, _| worker::after_read(answer, holder, &|_| false),
            stories::a_started_owner_bound_row_with_a_dead_holder_is_abandoned_with_the_evidence
        ),
        wrong!(
            "The worker does not carry out a recorded abandon request.",
            after_read,
            |answer, holder, dead| match worker::after_read(answer, holder, dead) {
                NextStep::Settle { writer: AbandonWriter::ReconciledRequest } => NextStep::Release,
                next => next,
            },
            stories::a_requested_abandonment_is_settled_once_the_lease_has_lapsed
        ),
        wrong!(
            "The worker starts every row that has not ended, whatever its disposition.",
            after_read,
            |answer, _, _| match answer {
                Ok(Some(record)) if !record.is_terminal() => NextStep::Start,
                _ => NextStep::Release,
            },
            stories::a_started_owner_bound_row_with_a_dead_holder_is_abandoned_with_the_evidence
        ),
    ]
}
