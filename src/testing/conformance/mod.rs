//! The conformance suite: what every process registry must do, one named case a sentence. Say how to open yours (a
//! [`Backend`]) and write [`crate::conformance_tests!`]; each case becomes a test, so a failure names its sentence. Clocks
//! stand still while a call is made, so a registry that sleeps in a call fails.
//!
//! ```ignore
//! fencepost::conformance_tests!(MyBackend::new());
//! ```

mod bench;
mod durability;
mod events;
mod fencing;
mod handles;
mod leases;
mod lifecycle;
mod order;
mod registration;
mod retention;

pub use bench::{Backend, Bench};

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

use crate::testing::block_on::block_on_beside;

/// One sentence, and what shows that it holds; it panics when it does not.
pub struct ConformanceCase {
    pub name: &'static str,
    pub run: fn(Bench) -> Pin<Box<dyn Future<Output = ()>>>,
}

/// Runs the case of this name on a backend of its own.
pub fn run(name: &str, backend: impl Backend + 'static) {
    let case = CASES.iter().find(|case| case.name == name).expect("the macro names only cases that exist");
    let bench = Bench::new(Box::new(backend));
    let environment = bench.environment.clone();
    block_on_beside(&environment, (case.run)(bench)).unwrap_or_else(|| {
        panic!(
            "a call of the registry waits for its environment's clock, which stands still while a call is made: in this suite a \
             registry must answer without sleeping"
        )
    });
}

/// A case that a registry does not keep, and why.
#[derive(Debug, Clone, Copy)]
pub struct ConformanceException {
    pub case: &'static str,
    pub why: &'static str,
}

/// Runs the case of this name, unless it is one of the exceptions. An exception must fail: one that passes is none any more.
pub fn run_except(name: &str, backend: impl Backend + 'static, exceptions: &[ConformanceException]) {
    for ConformanceException { case, why } in exceptions {
        assert!(
            CASES.iter().any(|known| known.name == *case),
            "there is no case `{case}`: take it off the list"
        );
        assert!(!why.trim().is_empty(), "`{case}` is an exception: say why");
    }
    let Some(exception) = exceptions.iter().find(|exception| exception.case == name) else {
        return run(name, backend);
    };
    let shown = catch_unwind(AssertUnwindSafe(|| run(name, backend)));
    assert!(shown.is_err(), "`{name}` passes: take it off the list of exceptions");
    println!("{name} is not claimed: {}", exception.why);
}

macro_rules! suite {
    ($($file:ident: $($case:ident)*;)*) => {
        /// Every case, in reading order.
        pub const CASES: &[ConformanceCase] = &[
            $($(ConformanceCase { name: stringify!($case), run: |bench| Box::pin($file::$case(bench)) },)*)*
        ];

        /// One `#[test]` a case, each on the [`Backend`](crate::testing::conformance::Backend) that the expression
        /// makes anew. A second expression, after `except`, lists the cases that the registry does not keep, as
        /// [`ConformanceException`](crate::testing::conformance::ConformanceException)s.
        #[macro_export]
        macro_rules! conformance_tests {
            ($backend:expr) => {
                $crate::conformance_case_tests!(|name| $crate::testing::conformance::run(name, $backend));
            };
            ($backend:expr, except $exceptions:expr) => {
                $crate::conformance_case_tests!(|name| {
                    $crate::testing::conformance::run_except(name, $backend, $exceptions)
                });
            };
        }

        /// One `#[test]` a case, for a backend that is not always there: what each test does is said as a closure of
        /// the case's name, which calls [`run`](crate::testing::conformance::run) or says that it cannot.
        #[macro_export]
        macro_rules! conformance_case_tests {
            (|$name:ident| $show:expr) => {
                $($(#[test]
                fn $case() {
                    let $name = stringify!($case);
                    $show
                })*)*
            };
        }
    };
}

suite! {
    registration:
        a_registered_process_is_running_and_untouched
        registering_the_same_content_again_answers_the_stored_record
        registering_an_ended_process_again_answers_its_outcome
        other_content_under_the_same_id_is_a_conflict
        the_order_of_maps_is_not_content
        later_changes_do_not_touch_the_registration_hash
        a_repeat_is_recognised_after_its_wake_target_was_cleared
        external_input_must_be_externally_owned
        an_externally_owned_process_may_carry_any_input
        ids_and_names_must_not_be_empty
        ids_and_names_have_at_most_512_bytes
        ids_are_kept_verbatim
        every_other_id_and_name_is_held_to_the_same_bounds
        declared_event_types_are_unique_and_outside_the_owned_prefixes
        values_nested_too_deep_to_be_read_back_are_refused
        an_external_reference_is_assigned_once
        an_external_reference_may_be_assigned_to_an_ended_process
        everything_stored_comes_back_as_it_was_sent;
    handles:
        granting_a_handle_again_replaces_its_descriptor
        a_handle_may_be_granted_on_an_ended_process
        a_handle_needs_a_known_process
        revoking_a_missing_handle_is_fine
        handles_are_listed_by_exact_scope_in_process_order
        live_handles_leave_out_ended_processes
        the_handles_of_a_process_are_listed_by_session_then_scope
        scopes_that_join_alike_are_still_different
        a_scope_nobody_knows_lists_nothing
        a_transfer_moves_and_overwrites
        a_transfer_is_all_or_nothing
        repeated_ids_in_a_transfer_collapse
        a_transfer_to_itself_is_checked_and_changes_nothing
        deleting_a_session_revokes_every_frame_and_reports_who_is_left
        deleting_a_session_clears_the_wake_targets_that_point_at_it
        deleting_a_session_cancels_nothing
        handles_do_not_move_the_record;
    events:
        sequences_are_dense_and_start_at_one
        a_replayed_append_answers_the_stored_event_and_changes_nothing
        a_replay_key_with_other_content_is_a_conflict
        replay_keys_belong_to_one_process
        an_undeclared_type_is_refused
        signals_and_cancel_requests_are_always_declared
        a_malformed_signal_name_is_undeclared
        a_cancel_request_needs_a_replay_key
        lifecycle_types_cannot_be_appended
        a_terminal_process_accepts_no_new_event
        a_replay_is_answered_after_the_end
        events_after_is_exclusive_and_ascending
        the_largest_cursor_is_past_the_end
        recent_events_are_the_last_ones_ascending
        counting_events_includes_the_bound
        a_wake_needs_what_it_looks_for_to_be_true
        a_wake_takes_its_input_from_the_payload
        a_wake_without_its_input_appends_nothing
        a_wake_goes_to_the_scope_of_the_append_before_the_registered_one
        a_wake_without_a_target_is_kept_and_not_delivered
        a_replay_answers_the_same_delivery
        wakes_are_listed_until_acked
        an_ack_is_idempotent_and_allowed_after_the_end
        an_ack_of_no_wake_is_an_invalid_argument
        reading_the_log_of_an_unknown_process_is_an_error
        an_append_moves_the_record_and_an_ack_does_not;
    lifecycle:
        the_output_decides_the_status
        a_process_ends_once_with_one_terminal_event
        the_same_output_again_ends_an_externally_owned_process_once
        another_output_after_the_end_is_refused_with_the_stored_one
        ending_clears_the_wait_without_a_resumed_event
        ending_clears_the_lease
        a_first_start_writes_its_event_and_never_changes
        a_first_start_needs_the_starter_to_hold_the_live_lease
        a_first_start_after_the_end_is_refused
        lifecycle_events_carry_their_facts
        every_lifecycle_change_moves_the_record
        times_that_callers_send_decide_nothing
        abandon_requests_keep_the_first_one_and_end_nothing
        an_abandon_request_after_the_end_is_refused
        a_wait_is_set_and_cleared_with_an_event_each
        the_same_wait_again_and_clearing_none_change_nothing
        times_that_callers_send_are_kept_as_sent
        the_update_time_follows_the_clock_back_too
        lists_are_in_byte_order_of_ids
        waiting_processes_are_in_the_work_list
        ended_processes_are_not_in_the_work_list
        list_filters_are_joined_by_and
        list_limits_and_cursors_mean_what_they_say
        reading_an_unknown_process_answers_none;
    fencing:
        unfenced_execution_writes_on_a_worker_run_process_need_a_lease
        unfenced_execution_writes_serve_externally_owned_processes
        fenced_writes_on_externally_owned_processes_are_invalid
        a_requested_abandonment_settles_an_externally_owned_process_under_a_lease
        the_live_grant_writes
        a_superseded_grant_writes_nothing
        a_released_grant_writes_nothing
        an_expired_grant_writes_nothing_although_nobody_took_over
        a_grant_with_another_token_fence_or_incarnation_is_not_the_live_one
        the_presented_expiry_and_liveness_are_not_believed
        a_retried_completion_by_the_same_grant_succeeds_after_its_lease_is_gone
        a_retried_completion_with_another_output_is_already_terminal
        a_retried_completion_by_another_grant_is_already_terminal
        the_same_grant_starting_again_is_already_yours
        another_grant_of_the_same_incarnation_is_not_yours
        an_unfenced_start_is_remembered_under_the_grant_that_held_the_lease
        a_start_under_a_lease_is_in_the_name_of_its_owner
        a_sweep_or_drain_abandons_only_started_owner_bound_processes
        a_reconciled_abandonment_needs_a_recorded_request
        a_fenced_append_replays_only_while_the_grant_is_live
        hosts_send_signals_without_a_lease;
    leases:
        a_free_lease_is_granted_with_a_fresh_token
        every_new_grant_raises_the_fence
        a_live_lease_of_another_is_busy_and_shows_its_holder
        the_same_incarnation_reenters_and_keeps_its_grant
        a_new_incarnation_of_the_same_owner_is_another_holder
        reentry_keeps_the_stored_liveness
        at_its_expiry_a_lease_is_free_and_one_millisecond_earlier_it_is_not
        a_renewal_extends_and_keeps_the_grant
        renewal_and_reentry_never_shorten
        a_renewal_after_expiry_is_refused_although_nobody_took_over
        a_renewal_of_a_superseded_lease_names_the_current_fence
        a_renewal_of_a_released_lease_does_not_bring_it_back
        a_clock_that_steps_back_makes_an_unsuperseded_lease_live_again
        a_clock_that_steps_back_revives_no_superseded_or_released_lease
        a_release_frees_the_lease_it_names
        a_stale_release_succeeds_and_frees_nothing
        a_release_is_idempotent_and_works_after_expiry
        a_release_of_an_unknown_process_succeeds
        reading_a_lease_shows_it_expired_or_not_and_changes_nothing
        a_free_released_or_unknown_lease_reads_as_none
        unknown_and_ended_processes_cannot_be_claimed
        a_reclaim_of_a_free_or_expired_lease_is_a_claim
        a_reclaim_takes_the_observed_holder_that_is_dead
        a_reclaim_of_a_living_holder_is_busy
        a_reclaim_asks_about_the_stored_holder_not_the_presented_one
        a_reclaim_of_a_holder_that_was_not_observed_is_busy
        a_reclaim_of_ones_own_live_lease_is_busy
        a_ttl_must_be_positive_and_must_not_overflow
        an_owner_needs_both_ids
        leases_do_not_move_the_record
        each_new_grant_draws_at_least_sixteen_bytes;
    retention:
        a_prune_takes_ended_processes_before_the_cutoff
        a_prune_never_takes_a_running_process
        the_largest_cutoff_is_everything
        cutoffs_are_compared_as_numbers_however_large
        a_pruned_process_is_unknown_and_leaves_no_handles
        a_fence_survives_the_prune
        a_sequence_survives_the_prune
        a_new_life_knows_nothing_of_the_old_one
        a_lease_of_a_pruned_life_is_stale_in_the_next
        prune_reports_count_processes_and_events;
    order:
        an_invalid_argument_comes_before_an_unknown_process
        lease_required_comes_before_already_terminal
        already_terminal_comes_before_superseded
        superseded_comes_before_the_replay
        the_replay_comes_before_an_undeclared_type
        an_unfenced_replay_comes_before_already_terminal
        a_reclaim_does_not_believe_the_observed_expiry
        writes_to_an_unknown_process_are_errors
        a_refused_call_changes_nothing;
    durability:
        a_durable_registry_says_so_and_only_then_can_be_reopened
        acknowledged_writes_are_there_after_reopening
        a_fence_never_repeats_after_reopening
        a_lease_is_as_long_after_reopening_as_before;
}
