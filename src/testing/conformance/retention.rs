//! Pruning, and what survives it.

use serde_json::json;

use super::bench::*;
use crate::model::error::RegistryError as E;
use crate::model::handle::SessionScope;
use crate::model::process::{ProcessPruneReport, RecoveryDisposition::OwnerBound};

async fn prune(t: &Bench, cutoff: u64) -> ProcessPruneReport {
    t.registry.prune_terminal_processes(cutoff).await.expect("pruned")
}

pub async fn a_prune_takes_ended_processes_before_the_cutoff(t: Bench) {
    t.ended("old").await;
    t.advance(1);
    t.ended("new").await;
    assert_eq!(prune(&t, START_MS).await.pruned_processes, 0);
    assert_eq!(prune(&t, START_MS + 1).await.pruned_processes, 1);
    assert_eq!(t.registry.read_process("old").await, Ok(None));
    assert!(t.read("new").await.is_terminal());
    t.advance(50);
    let reference =
        crate::model::process::ProcessExternalRef { backend: "b".into(), id: "i".into(), metadata: json!(1) };
    t.registry.set_external_ref("new", reference).await.expect("an ended process changes too");
    assert_eq!(prune(&t, START_MS + 51).await.pruned_processes, 0, "it counts from its last change");
    assert_eq!(prune(&t, START_MS + 52).await.pruned_processes, 1);
}

pub async fn a_prune_never_takes_a_running_process(t: Bench) {
    t.register("p").await;
    assert_eq!(prune(&t, u64::MAX).await, ProcessPruneReport::default());
    t.read("p").await;
}

pub async fn the_largest_cutoff_is_everything(t: Bench) {
    t.environment.set_wall(u64::MAX - TTL_MS);
    let lease = t.claimed("p").await;
    t.environment.set_wall(u64::MAX);
    refused!(t.registry.complete_process_with_lease(&lease, success(1)).await, E::LeaseExpired { .. });
    t.register_as("x", crate::model::process::RecoveryDisposition::ExternallyOwned).await;
    let ended = t.registry.complete_process("x", success(1)).await.expect("completed");
    assert_eq!(ended.updated_at_ms, u64::MAX);
    assert_eq!(prune(&t, u64::MAX - 1).await.pruned_processes, 0);
    assert_eq!(prune(&t, u64::MAX).await.pruned_processes, 1);
}

pub async fn a_pruned_process_is_unknown_and_leaves_no_handles(t: Bench) {
    t.ended("p").await;
    let scope = SessionScope::session("s");
    t.registry.grant_handle(&scope, "p", handle("view")).await.expect("granted");
    prune(&t, u64::MAX).await;
    assert_eq!(t.registry.read_process("p").await, Ok(None));
    assert_eq!(t.registry.get_process("p").await, None);
    assert_eq!(t.registry.get_process_lease("p").await, Ok(None));
    assert_eq!(t.registry.list_handle_grants(&scope).await, Ok(vec![]));
    assert_eq!(t.registry.has_handle_grant(&scope, "p").await, Ok(false));
    refused!(t.registry.events_after("p", 0).await, E::UnknownProcess { .. });
    refused!(t.registry.claim_process_lease("p", &ann(), TTL_MS).await, E::UnknownProcess { .. });
}

pub async fn a_fence_survives_the_prune(t: Bench) {
    let first = t.claimed("p").await;
    t.registry.complete_process_with_lease(&first, success(1)).await.expect("completed");
    prune(&t, u64::MAX).await;
    let second = t.claimed("p").await;
    assert_later(&second, &first);
    t.registry.complete_process_with_lease(&second, success(2)).await.expect("completed");
    prune(&t, u64::MAX).await;
    assert_later(&t.claimed("p").await, &second);
}

pub async fn a_sequence_survives_the_prune(t: Bench) {
    let lease = t.claimed("p").await;
    t.registry.append_event_with_lease(&lease, progress(json!(1))).await.expect("appended");
    t.registry.complete_process_with_lease(&lease, success(1)).await.expect("completed");
    prune(&t, u64::MAX).await;
    t.register("p").await;
    let appended = t.registry.append_event("p", signal("go")).await.expect("appended");
    assert_eq!(appended.event.sequence, 3);
    assert_eq!(t.registry.events_after("p", 0).await.expect("read").len(), 1);
    assert_eq!(t.registry.recent_events("p", 9).await.expect("read").len(), 1);
    assert_eq!(t.registry.count_events_through("p", "signal.go", 2).await, Ok(0));
    assert_eq!(t.registry.count_events_through("p", "signal.go", 3).await, Ok(1));
}

pub async fn a_new_life_knows_nothing_of_the_old_one(t: Bench) {
    let lease = t.started("p").await;
    let question = urgent_question().with_replay("k");
    t.registry.append_event_with_lease(&lease, question).await.expect("appended");
    t.registry.request_process_abandon("p", abandon_request("host")).await.expect("requested");
    t.registry.complete_process_with_lease(&lease, success(1)).await.expect("completed");
    prune(&t, u64::MAX).await;
    t.advance(3);
    let again = t.register_as("p", OwnerBound).await;
    assert!(again.first_started.is_none() && again.abandon_request.is_none() && !again.is_terminal());
    assert_eq!(again.created_at_ms, START_MS + 3);
    assert_eq!(t.event_types("p").await, Vec::<String>::new());
    assert_eq!(t.registry.wake_events_after("p", 0).await, Ok(vec![]));
    let reused = t.registry.append_event("p", signal("go").with_replay("k")).await.expect("a key of its own");
    assert!(!reused.replayed);
    refused!(t.registry.ack_wake("p", 2).await, E::InvalidArgument { .. });
}

pub async fn a_lease_of_a_pruned_life_is_stale_in_the_next(t: Bench) {
    let old = t.claimed("p").await;
    t.registry.complete_process_with_lease(&old, success(1)).await.expect("completed");
    prune(&t, u64::MAX).await;
    t.register("p").await;
    refused!(t.registry.complete_process_with_lease(&old, success(1)).await, E::LeaseSuperseded { .. });
    refused!(t.registry.renew_process_lease(&old, TTL_MS).await, E::LeaseSuperseded { .. });
    let new = t.claim("p", &bob()).await;
    t.registry.complete_process_lease(&old.completion()).await.expect("does nothing");
    assert_eq!(t.registry.get_process_lease("p").await, Ok(Some(new)));
}

pub async fn prune_reports_count_processes_and_events(t: Bench) {
    for id in ["a", "b"] {
        let lease = t.claimed(id).await;
        t.registry.append_event_with_lease(&lease, progress(json!(1))).await.expect("appended");
        t.registry.complete_process_with_lease(&lease, success(1)).await.expect("completed");
    }
    t.register("open").await;
    t.registry.append_event("open", signal("go")).await.expect("appended");
    let report = prune(&t, u64::MAX).await;
    assert_eq!(report, ProcessPruneReport { pruned_processes: 2, pruned_events: 4 });
}

pub async fn cutoffs_are_compared_as_numbers_however_large(t: Bench) {
    const MIDDLE: u64 = 1 << 63;
    for (id, now) in [("low", MIDDLE - 1), ("middle", MIDDLE), ("high", u64::MAX - 1)] {
        t.environment.set_wall(now);
        t.register_as(id, crate::model::process::RecoveryDisposition::ExternallyOwned).await;
        t.registry.complete_process(id, success(1)).await.expect("completed");
    }
    assert_eq!(prune(&t, MIDDLE - 1).await.pruned_processes, 0);
    assert_eq!(prune(&t, MIDDLE).await.pruned_processes, 1);
    assert_eq!(t.registry.read_process("low").await, Ok(None));
    assert_eq!(prune(&t, MIDDLE + 1).await.pruned_processes, 1);
    assert!(t.read("high").await.is_terminal());
}
