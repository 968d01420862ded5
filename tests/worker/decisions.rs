//! Every decision of the worker, made wrongly: a story that knows nothing of the decision must fail.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fencepost::model::error::RegistryError;
use fencepost::model::process::{AbandonWriter, ProcessAwaitOutput};
use fencepost::rules::worker::{self, AttemptRules, BodyEnd, Next, Renewal};

use crate::stage::under;
use crate::{draining, keeping, signals, stories};

const LAWFUL: AttemptRules = AttemptRules::LAWFUL;

type Story = fn();

/// The wrong decision, in words and as a rule, and the story that must notice.
fn wrong_decisions() -> Vec<(&'static str, AttemptRules, Story)> {
    vec![
        (
            "one incarnation for all attempts",
            AttemptRules { incarnation: |_| "the one".into(), ..LAWFUL },
            stories::every_attempt_is_an_incarnation_of_its_own,
        ),
        (
            "the list says nothing about who runs a row",
            AttemptRules { after_list: |_| Next::Claim, ..LAWFUL },
            stories::an_externally_owned_row_is_claimed_only_to_settle_a_request,
        ),
        (
            "the list decides to leave everything",
            AttemptRules { after_list: |_| Next::Leave, ..LAWFUL },
            stories::a_sweep_runs_what_is_pending_to_its_end,
        ),
        (
            "a busy holder is always worth a reclaim",
            AttemptRules {
                after_claim: |answer, again, _| worker::after_claim(answer, again, &|_| true),
                ..LAWFUL
            },
            stories::a_live_holder_that_is_dead_is_reclaimed_and_a_busy_one_is_left,
        ),
        (
            "a dead holder is never reclaimed from",
            AttemptRules {
                after_claim: |answer, again, _| worker::after_claim(answer, again, &|_| false),
                ..LAWFUL
            },
            stories::a_live_holder_that_is_dead_is_reclaimed_and_a_busy_one_is_left,
        ),
        (
            "a refused reclaim is asked for again",
            AttemptRules {
                after_claim: |answer, _, dead| worker::after_claim(answer, false, dead),
                ..LAWFUL
            },
            stories::a_reclaim_that_the_registry_refuses_is_not_asked_for_again,
        ),
        (
            "any renewed lease is one's own",
            AttemptRules {
                after_renewal: |answer, held, timings| match answer {
                    Ok(_) => worker::after_renewal(&Ok(held.clone()), held, timings),
                    refused => worker::after_renewal(refused, held, timings),
                },
                ..LAWFUL
            },
            keeping::a_renewal_answered_with_anothers_lease_extends_nothing,
        ),
        (
            "a hanging completion is given up",
            AttemptRules {
                after_completion: |answer| match worker::after_completion(answer) {
                    Next::Again => Next::Leave,
                    next => next,
                },
                ..LAWFUL
            },
            keeping::a_completion_that_hangs_is_sent_again_and_stored_once,
        ),
        (
            "an unknown claim is given up",
            AttemptRules {
                after_claim: |answer, again, dead| match worker::after_claim(answer, again, dead) {
                    Next::Again => Next::Leave,
                    next => next,
                },
                ..LAWFUL
            },
            keeping::an_unknown_claim_is_asked_for_again_by_the_same_incarnation,
        ),
        (
            "the listed row is believed",
            AttemptRules {
                after_claim: |answer, again, dead| match worker::after_claim(answer, again, dead) {
                    Next::Read => Next::Start,
                    next => next,
                },
                ..LAWFUL
            },
            stories::a_started_owner_bound_row_with_a_dead_holder_is_abandoned_with_the_evidence,
        ),
        (
            "a failed read is \"not terminal\"",
            AttemptRules {
                after_read: |answer, holder, dead| match answer {
                    Err(_) => Next::Start,
                    _ => worker::after_read(answer, holder, dead),
                },
                ..LAWFUL
            },
            stories::a_failed_read_after_the_claim_runs_nothing_and_leaves_the_row_free,
        ),
        (
            "a failed read keeps the lease",
            AttemptRules {
                after_read: |answer, holder, dead| match answer {
                    Err(_) => Next::Leave,
                    _ => worker::after_read(answer, holder, dead),
                },
                ..LAWFUL
            },
            stories::a_failed_read_after_the_claim_runs_nothing_and_leaves_the_row_free,
        ),
        (
            "time alone abandons",
            AttemptRules {
                after_read: |answer, holder, dead| match worker::after_read(answer, holder, dead) {
                    Next::Release => Next::Settle { writer: AbandonWriter::Sweep },
                    next => next,
                },
                ..LAWFUL
            },
            stories::time_alone_abandons_nothing,
        ),
        (
            "proof of death is asked of the last holder",
            AttemptRules {
                after_read: |answer, holder, dead| {
                    let holder_is_dead = holder.is_some_and(dead);
                    worker::after_read(answer, holder, &|_| holder_is_dead)
                },
                ..LAWFUL
            },
            stories::a_later_holders_death_proves_nothing_about_the_starter,
        ),
        (
            "proof of death is never asked",
            AttemptRules {
                after_read: |answer, holder, _| worker::after_read(answer, holder, &|_| false),
                ..LAWFUL
            },
            stories::a_started_owner_bound_row_with_a_dead_holder_is_abandoned_with_the_evidence,
        ),
        (
            "requests are not carried out",
            AttemptRules {
                after_read: |answer, holder, dead| match worker::after_read(answer, holder, dead) {
                    Next::Settle { writer: AbandonWriter::ReconciledRequest } => Next::Release,
                    next => next,
                },
                ..LAWFUL
            },
            stories::a_requested_abandonment_is_settled_once_the_lease_has_lapsed,
        ),
        (
            "the disposition is ignored",
            AttemptRules {
                after_read: |answer, _, _| match answer {
                    Ok(Some(record)) if !record.is_terminal() => Next::Start,
                    _ => Next::Release,
                },
                ..LAWFUL
            },
            stories::a_started_owner_bound_row_with_a_dead_holder_is_abandoned_with_the_evidence,
        ),
        (
            "a taken first start is no reason to stop",
            AttemptRules { after_start: |_, _, _| Next::Run, ..LAWFUL },
            stories::a_first_start_that_was_taken_stops_an_owner_bound_body_by_itself,
        ),
        (
            "a refused first start is no reason to stop",
            AttemptRules { after_start: |_, _, _| Next::Run, ..LAWFUL },
            stories::a_first_start_that_is_refused_runs_nothing,
        ),
        (
            "a refused first start is released",
            AttemptRules {
                after_start: |answer, disposition, was| match worker::after_start(answer, disposition, was) {
                    Next::Leave => Next::Release,
                    next => next,
                },
                ..LAWFUL
            },
            stories::a_first_start_that_is_refused_runs_nothing,
        ),
        (
            "an unknown first start is given up",
            AttemptRules {
                after_start: |answer, disposition, was| match worker::after_start(answer, disposition, was) {
                    Next::Again => Next::Leave,
                    next => next,
                },
                ..LAWFUL
            },
            stories::an_unknown_first_start_is_settled_and_runs_an_owner_bound_body_once,
        ),
        (
            "an unknown first start is forgotten once a later one fails",
            AttemptRules {
                after_start: |answer, disposition, _| worker::after_start(answer, disposition, false),
                ..LAWFUL
            },
            keeping::a_first_start_that_may_have_been_recorded_is_settled_whatever_fails_after_it,
        ),
        (
            "it never renews",
            AttemptRules { first_renewal_in_ms: |_| u64::MAX, ..LAWFUL },
            keeping::a_transient_renewal_error_does_not_end_a_healthy_run,
        ),
        (
            "one failed renewal ends the renewals",
            AttemptRules {
                after_renewal: |answer, held, timings| match worker::after_renewal(answer, held, timings) {
                    Renewal::NotBelieved { .. } => Renewal::NotBelieved { next_in_ms: u64::MAX },
                    other => other,
                },
                ..LAWFUL
            },
            keeping::a_transient_renewal_error_does_not_end_a_healthy_run,
        ),
        (
            "one failed renewal ends the run",
            AttemptRules {
                after_renewal: |answer, held, timings| match worker::after_renewal(answer, held, timings) {
                    Renewal::NotBelieved { .. } => Renewal::Lost,
                    other => other,
                },
                ..LAWFUL
            },
            keeping::a_transient_renewal_error_does_not_end_a_healthy_run,
        ),
        (
            "a refused renewal is tried again",
            AttemptRules {
                after_renewal: |answer, held, timings| match worker::after_renewal(answer, held, timings) {
                    Renewal::Lost => Renewal::NotBelieved { next_in_ms: 100 },
                    other => other,
                },
                ..LAWFUL
            },
            keeping::a_renewal_that_answers_superseded_ends_the_attempt_at_once,
        ),
        (
            "the deadline is not looked at",
            AttemptRules { may_act: |_, _, is_lost| !is_lost, ..LAWFUL },
            keeping::it_starts_no_effect_after_its_lease_is_lost_and_says_so_before_the_ttl_has_passed,
        ),
        (
            "what it was told is not remembered",
            AttemptRules { may_act: |now, deadline, _| now < deadline, ..LAWFUL },
            stories::an_emission_that_answers_superseded_ends_the_attempt_at_once,
        ),
        (
            "a lost lease is released",
            AttemptRules {
                after_body: |end| match end {
                    BodyEnd::LeaseLost => Next::Release,
                    end => worker::after_body(end),
                },
                ..LAWFUL
            },
            keeping::a_renewal_that_answers_superseded_ends_the_attempt_at_once,
        ),
        (
            "an infrastructure failure ends the process",
            AttemptRules {
                after_body: |end| match end {
                    BodyEnd::InfrastructureFailed => {
                        worker::after_body(BodyEnd::Panicked { message: String::new() })
                    }
                    end => worker::after_body(end),
                },
                ..LAWFUL
            },
            stories::an_infrastructure_failure_leaves_the_row_claimable,
        ),
        (
            "a body may call itself abandoned",
            AttemptRules {
                after_body: |end| match end {
                    BodyEnd::Output(output @ ProcessAwaitOutput::Abandoned { .. }) => Next::End { output },
                    end => worker::after_body(end),
                },
                ..LAWFUL
            },
            stories::a_body_that_panics_fails_and_so_does_one_that_calls_itself_abandoned,
        ),
        (
            "a panic is a failure of the infrastructure",
            AttemptRules {
                after_body: |end| match end {
                    BodyEnd::Panicked { .. } => Next::Release,
                    end => worker::after_body(end),
                },
                ..LAWFUL
            },
            stories::a_body_that_panics_fails_and_so_does_one_that_calls_itself_abandoned,
        ),
        (
            "a drained body is released",
            AttemptRules {
                after_body: |end| match end {
                    BodyEnd::Drained => Next::Release,
                    end => worker::after_body(end),
                },
                ..LAWFUL
            },
            draining::a_drain_drops_a_running_owner_bound_body_under_its_own_grant,
        ),
        (
            "an unknown completion is released",
            AttemptRules {
                after_completion: |answer| match answer {
                    Err(RegistryError::Unavailable { .. }) => Next::Release,
                    _ => worker::after_completion(answer),
                },
                ..LAWFUL
            },
            keeping::an_unknown_answer_to_a_completion_is_settled_once,
        ),
        (
            "an outcome that cannot be stored is dropped",
            AttemptRules {
                after_completion: |answer| match worker::after_completion(answer) {
                    Next::End { .. } => Next::Leave,
                    next => next,
                },
                ..LAWFUL
            },
            stories::an_outcome_that_cannot_be_stored_is_a_failure_that_says_so,
        ),
        (
            "a permit is held while waiting for a child",
            AttemptRules { gives_permit_back_while_waiting: || false, ..LAWFUL },
            signals::a_parent_that_awaits_its_child_does_not_block_it_with_a_bound_of_one,
        ),
    ]
}

#[test]
fn every_wrong_decision_fails_a_story() {
    let unnoticed: Vec<_> = wrong_decisions()
        .into_iter()
        .filter(|(_, rules, story)| {
            let rules = *rules;
            catch_unwind(AssertUnwindSafe(|| under(rules, story))).is_ok()
        })
        .map(|(decision, ..)| decision)
        .collect();
    assert!(unnoticed.is_empty(), "no story noticed: {unnoticed:#?}");
}

#[test]
fn every_decision_is_made_wrongly_at_least_once() {
    let source = include_str!("../../src/rules/worker.rs");
    let body =
        source.split("pub struct AttemptRules {").nth(1).and_then(|rest| rest.split("\n}").next()).unwrap();
    let here = include_str!("decisions.rs");
    let decisions: Vec<&str> =
        body.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next()).collect();
    let missing: Vec<_> = decisions
        .iter()
        .filter(|decision| {
            !here.split("AttemptRules {").any(|planted| planted.trim_start().starts_with(*decision))
        })
        .collect();
    assert!(!decisions.is_empty() && missing.is_empty(), "never made wrongly: {missing:?}");
}
