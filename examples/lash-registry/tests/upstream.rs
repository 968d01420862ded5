//! Upstream's own conformance suite, as published, against fencepost's registry. The suite stops at its first failure and opens
//! a registry for each of its cases: so it is run once a case, with ours for that case and upstream's own double for the
//! others. README explains each case that differs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fencepost::store::MemoryStore;
use fencepost::{Registry, System};
use lash_core::testing::conformance;
use lash_core::{ProcessRegistry, TestLocalProcessRegistry};
use lash_registry::Opposite;

/// In the order in which the suite opens registries.
const CASES: &[&str] = &[
    "process_registry_reports_declared_durability",
    "registration_is_idempotent_and_hash_conflicts_fail",
    "external_refs_and_handle_grant_membership_round_trip",
    "validates_custom_events_and_materializes_wakes",
    "custom_wake_events_preserve_typed_provenance_and_replay",
    "event_streams_filter_order_and_wait_without_leaking_old_events",
    "wake_semantics_matrix_materializes_declared_wakes",
    "keyed_events_materialize_idempotent_wakes",
    "wake_semantic_events_without_target_record_without_delivery",
    "terminal_and_cancel_events_require_keys",
    "await_reads_terminal_materialized_output",
    "disposition_first_started_and_abandon_request_persist",
    "abandoned_terminal_round_trips_and_pins_writer_rules",
    "completion_authority_validated_against_disposition",
    "completion_authority_reads_live_disposition_not_stale",
    "wait_state_round_trips_filters_and_clears_on_terminal",
    "list_processes_filters_by_status_and_waiting",
    "list_processes_filters_by_enriched_fields",
    "live_reference_summary_tracks_non_terminal_reference_counts",
    "process_change_feed_orders_resumes_and_includes_terminal_transitions",
    "process_change_feed_never_misses_concurrent_terminal_writers",
    "count_and_recent_events_match_the_log",
    "transfer_handle_grants_moves_addressability",
    "multiple_sessions_can_hold_grants",
    "processes_can_exist_with_zero_grants",
    "delete_session_revokes_handles_by_session",
    "list_non_terminal_excludes_terminal_processes",
    "list_live_handle_grants_excludes_terminal_history",
    "active_process_lease_fences_competing_owner",
    "superseded_process_lease_cannot_renew",
    "renewed_process_lease_survives_original_expiry",
    "completed_lease_releases_and_reclaim_bumps_fencing",
    "stale_lease_completion_cannot_release_live_lease",
    "leased_terminal_completion_is_atomic_and_fenced",
    "process_lease_reclaim_contract",
    "prune_removes_terminal_processes_older_than_cutoff",
    "awaiter_cross_task_completion_resolves_promptly",
    "awaiter_await_event_never_returns_events_at_or_before_cursor",
    "watched_decorator_preserves_registry_semantics",
    "prune_respects_leases_grants_and_wake_acks",
    "prune_respects_filter",
    "prune_respects_watermark",
    "prune_never_touches_non_terminal_rows",
];

/// Those that README explains.
const DIFFER: &[&str] = &[
    "disposition_first_started_and_abandon_request_persist",
    "abandoned_terminal_round_trips_and_pins_writer_rules",
    "completion_authority_validated_against_disposition",
    "completion_authority_reads_live_disposition_not_stale",
    "live_reference_summary_tracks_non_terminal_reference_counts",
    "process_change_feed_orders_resumes_and_includes_terminal_transitions",
    "process_change_feed_never_misses_concurrent_terminal_writers",
    "delete_session_revokes_handles_by_session",
    "leased_terminal_completion_is_atomic_and_fenced",
    "process_lease_reclaim_contract",
    "prune_respects_leases_grants_and_wake_acks",
    "prune_respects_filter",
    "prune_respects_watermark",
];

fn ours() -> Arc<dyn ProcessRegistry> {
    let registry = Registry::new(MemoryStore::new(), Arc::new(System::new().unwrap())).inline();
    Arc::new(Opposite(Arc::new(registry)))
}

/// The suite with our registry in this case alone. Returns the number of registries it opened.
fn run(case: usize) -> usize {
    let opened = AtomicUsize::new(0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(conformance::process_registry(|| {
        match opened.fetch_add(1, Ordering::Relaxed) == case {
            true => ours(),
            false => Arc::new(TestLocalProcessRegistry::default()),
        }
    }));
    opened.into_inner()
}

#[test]
fn the_suite_has_these_cases() {
    assert_eq!(run(usize::MAX), CASES.len());
}

#[test]
fn all_but_the_explained_cases_pass() {
    let fails = |case: &usize| catch_unwind(AssertUnwindSafe(|| run(*case))).is_err();
    let failed: Vec<&str> = (0..CASES.len()).filter(fails).map(|case| CASES[case]).collect();
    assert_eq!(failed, DIFFER);
}

#[test]
fn readme_explains_each_that_differs() {
    let readme = include_str!("../README.md");
    for case in DIFFER {
        assert!(readme.contains(&format!("`{case}`")), "{case}");
    }
}
