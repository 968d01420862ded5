//! The fencing rule: execution-owned writes, and whose they are.

use serde_json::json;

use super::bench::*;
use crate::model::error::RegistryError as E;
use crate::model::event::lifecycle;
use crate::model::lease::{LeaseOwnerIdentity, LeaseOwnerLiveness, ProcessLease};
use crate::model::process::{
    AbandonWriter, FirstStart, ProcessStatusKind,
    RecoveryDisposition::{ExternallyOwned, OwnerBound, Rerunnable},
};

/// Every fenced write and the renewal, refused in one way. `refusal` says which.
async fn all_refused(t: &Bench, lease: &ProcessLease, refusal: fn(&E) -> bool) {
    let id = lease.process_id.as_str();
    let before = t.everything_about(id).await;
    let refusals = [
        t.registry.complete_process_with_lease(lease, success(9)).await.err(),
        t.registry.append_event_with_lease(lease, progress(json!(9))).await.err(),
        t.registry.record_first_started_with_lease(lease, start_of(lease)).await.err(),
        t.registry.set_process_wait_with_lease(lease, wait_for("late")).await.err(),
        t.registry.clear_process_wait_with_lease(lease).await.err(),
        t.registry.renew_process_lease(lease, TTL_MS).await.err(),
    ];
    for (index, answer) in refusals.iter().enumerate() {
        assert!(answer.as_ref().is_some_and(refusal), "write {index} of a stale grant: {answer:?}");
    }
    assert_eq!(t.everything_about(id).await, before);
}

fn superseded(error: &E) -> bool {
    matches!(error, E::LeaseSuperseded { .. })
}

fn expired(error: &E) -> bool {
    matches!(error, E::LeaseExpired { .. })
}

pub async fn unfenced_execution_writes_on_a_worker_run_process_need_a_lease(t: Bench) {
    for (id, disposition) in [("r", Rerunnable), ("o", OwnerBound)] {
        t.register_as(id, disposition).await;
        t.claim(id, &ann()).await;
        let before = t.everything_about(id).await;
        refused!(t.registry.complete_process(id, success(1)).await, E::LeaseRequired { .. });
        refused!(t.registry.set_process_wait(id, wait_for("go")).await, E::LeaseRequired { .. });
        refused!(t.registry.clear_process_wait(id).await, E::LeaseRequired { .. });
        refused!(t.registry.append_event(id, progress(json!(1))).await, E::LeaseRequired { .. });
        assert_eq!(t.everything_about(id).await, before);
    }
}

pub async fn unfenced_execution_writes_serve_externally_owned_processes(t: Bench) {
    t.register_as("x", ExternallyOwned).await;
    let started = crate::model::process::ProcessStarted { owner: ann(), started_at_ms: 1 };
    t.registry.record_first_started("x", started).await.expect("started");
    t.registry.append_event("x", progress(json!(1))).await.expect("appended");
    t.registry.set_process_wait("x", wait_for("go")).await.expect("waits");
    t.registry.clear_process_wait("x").await.expect("resumed");
    t.registry.complete_process("x", success(1)).await.expect("completed");
    let types =
        [lifecycle::STARTED, "progress", lifecycle::WAITING, lifecycle::RESUMED, lifecycle::COMPLETED];
    assert_eq!(t.event_types("x").await, types);
}

pub async fn fenced_writes_on_externally_owned_processes_are_invalid(t: Bench) {
    t.register_as("x", ExternallyOwned).await;
    let lease = t.claim("x", &ann()).await;
    refused!(t.registry.complete_process_with_lease(&lease, success(1)).await, E::InvalidArgument { .. });
    refused!(t.registry.append_event_with_lease(&lease, progress(json!(1))).await, E::InvalidArgument { .. });
    refused!(
        t.registry.record_first_started_with_lease(&lease, start_of(&lease)).await,
        E::InvalidArgument { .. }
    );
    refused!(t.registry.set_process_wait_with_lease(&lease, wait_for("go")).await, E::InvalidArgument { .. });
    refused!(t.registry.clear_process_wait_with_lease(&lease).await, E::InvalidArgument { .. });
}

pub async fn a_requested_abandonment_settles_an_externally_owned_process_under_a_lease(t: Bench) {
    t.register_as("x", ExternallyOwned).await;
    let lease = t.claim("x", &ann()).await;
    let settle = abandoned(AbandonWriter::ReconciledRequest);
    refused!(t.registry.complete_process_with_lease(&lease, settle.clone()).await, E::InvalidArgument { .. });
    t.registry.request_process_abandon("x", abandon_request("host")).await.expect("requested");
    let ended = t.registry.complete_process_with_lease(&lease, settle.clone()).await.expect("settled");
    assert_eq!(ended.status.kind(), ProcessStatusKind::Abandoned);
    assert_eq!(t.registry.complete_process_with_lease(&lease, settle).await, Ok(ended));
}

pub async fn the_live_grant_writes(t: Bench) {
    let lease = t.claimed("p").await;
    match t.registry.record_first_started_with_lease(&lease, start_of(&lease)).await {
        Ok(FirstStart::Started(record)) => assert_eq!(record.first_started, Some(start_of(&lease))),
        other => panic!("expected a start, got {other:?}"),
    }
    t.registry.append_event_with_lease(&lease, progress(json!(1))).await.expect("appended");
    t.registry.set_process_wait_with_lease(&lease, wait_for("go")).await.expect("waits");
    t.registry.clear_process_wait_with_lease(&lease).await.expect("resumed");
    t.advance(TTL_MS - 1);
    let ended = t.registry.complete_process_with_lease(&lease, success(1)).await.expect("completed");
    assert_eq!(ended.status.output(), Some(&success(1)));
}

pub async fn a_superseded_grant_writes_nothing(t: Bench) {
    let old = t.claimed("p").await;
    t.advance(TTL_MS);
    let new = t.claim("p", &bob()).await;
    all_refused(&t, &old, superseded).await;
    t.registry.complete_process_with_lease(&new, success(2)).await.expect("the live grant still writes");
}

pub async fn a_released_grant_writes_nothing(t: Bench) {
    let lease = t.claimed("p").await;
    t.registry.complete_process_lease(&lease.completion()).await.expect("released");
    all_refused(&t, &lease, superseded).await;
}

pub async fn an_expired_grant_writes_nothing_although_nobody_took_over(t: Bench) {
    let lease = t.claimed("p").await;
    t.advance(TTL_MS);
    all_refused(&t, &lease, expired).await;
    t.advance(TTL_MS);
    all_refused(&t, &lease, expired).await;
}

pub async fn a_grant_with_another_token_fence_or_incarnation_is_not_the_live_one(t: Bench) {
    let lease = t.claimed("p").await;
    let other_incarnation = LeaseOwnerIdentity::opaque("ann", "ann-2");
    let other_owner = LeaseOwnerIdentity::opaque("bob", "ann-1");
    for forged in [
        ProcessLease { lease_token: "guess".into(), ..lease.clone() },
        ProcessLease { fencing_token: lease.fencing_token + 1, ..lease.clone() },
        ProcessLease { fencing_token: 0, ..lease.clone() },
        ProcessLease { owner: other_incarnation, ..lease.clone() },
        ProcessLease { owner: other_owner, ..lease.clone() },
    ] {
        all_refused(&t, &forged, superseded).await;
    }
}

pub async fn the_presented_expiry_and_liveness_are_not_believed(t: Bench) {
    let lease = t.claimed("p").await;
    let mut dressed_up = lease.clone();
    dressed_up.expires_at_epoch_ms = 0;
    dressed_up.claimed_at_epoch_ms = 1;
    dressed_up.schema_version = 77;
    let liveness = LeaseOwnerLiveness::LocalProcess {
        host_id: "h".into(),
        boot_id: "b".into(),
        pid: 1,
        process_start: "1".into(),
    };
    dressed_up.owner.liveness = liveness.into();
    let renewed = t.registry.renew_process_lease(&dressed_up, TTL_MS).await.expect("the grant is live");
    assert_eq!(renewed, lease);
    t.advance(TTL_MS);
    let immortal = ProcessLease { expires_at_epoch_ms: u64::MAX, ..lease };
    all_refused(&t, &immortal, expired).await;
}

pub async fn a_retried_completion_by_the_same_grant_succeeds_after_its_lease_is_gone(t: Bench) {
    let lease = t.claimed("p").await;
    let ended = t.registry.complete_process_with_lease(&lease, success(1)).await.expect("completed");
    assert_eq!(t.registry.complete_process_with_lease(&lease, success(1)).await, Ok(ended.clone()));
    t.advance(10 * TTL_MS);
    assert_eq!(t.registry.complete_process_with_lease(&lease, success(1)).await, Ok(ended));
    assert_eq!(t.event_types("p").await, [lifecycle::COMPLETED]);
}

pub async fn a_retried_completion_with_another_output_is_already_terminal(t: Bench) {
    let lease = t.claimed("p").await;
    t.registry.complete_process_with_lease(&lease, success(1)).await.expect("completed");
    refused!(t.registry.complete_process_with_lease(&lease, success(2)).await, E::AlreadyTerminal { .. });
}

pub async fn a_retried_completion_by_another_grant_is_already_terminal(t: Bench) {
    let stale = t.claimed("p").await;
    t.advance(TTL_MS);
    let winner = t.claim("p", &bob()).await;
    t.registry.complete_process_with_lease(&winner, success(1)).await.expect("completed");
    refused!(t.registry.complete_process_with_lease(&stale, success(1)).await, E::AlreadyTerminal { .. });
    for forged in [
        ProcessLease { owner: ann(), ..winner.clone() },
        ProcessLease { lease_token: "guess".into(), ..winner.clone() },
        ProcessLease { fencing_token: 7, ..winner },
    ] {
        refused!(
            t.registry.complete_process_with_lease(&forged, success(1)).await,
            E::AlreadyTerminal { .. }
        );
    }
}

pub async fn the_same_grant_starting_again_is_already_yours(t: Bench) {
    let lease = t.started("p").await;
    let before = t.read("p").await;
    t.advance(1);
    let again = t.registry.record_first_started_with_lease(&lease, start_of(&lease)).await;
    assert_eq!(again, Ok(FirstStart::AlreadyYours(before)));
    assert_eq!(t.event_types("p").await, [lifecycle::STARTED]);
}

pub async fn another_grant_of_the_same_incarnation_is_not_yours(t: Bench) {
    t.started("p").await;
    let before = t.read("p").await;
    t.advance(TTL_MS);
    let next = t.claim("p", &ann()).await;
    let again = t.registry.record_first_started_with_lease(&next, start_of(&next)).await;
    assert_eq!(again, Ok(FirstStart::AlreadyStarted(before.clone())));
    t.advance(TTL_MS);
    let others = t.claim("p", &bob()).await;
    let again = t.registry.record_first_started_with_lease(&others, start_of(&others)).await;
    assert_eq!(again, Ok(FirstStart::AlreadyStarted(before)));
}

pub async fn an_unfenced_start_is_remembered_under_the_grant_that_held_the_lease(t: Bench) {
    let lease = t.claimed("p").await;
    let started = t.registry.record_first_started("p", start_of(&lease)).await.expect("started");
    let again = t.registry.record_first_started_with_lease(&lease, start_of(&lease)).await;
    assert_eq!(again, Ok(FirstStart::AlreadyYours(started)));
}

pub async fn a_start_under_a_lease_is_in_the_name_of_its_owner(t: Bench) {
    let lease = t.claimed("p").await;
    let started = crate::model::process::ProcessStarted { owner: bob(), started_at_ms: 1 };
    refused!(t.registry.record_first_started_with_lease(&lease, started).await, E::InvalidArgument { .. });
}

pub async fn a_sweep_or_drain_abandons_only_started_owner_bound_processes(t: Bench) {
    for writer in [AbandonWriter::Sweep, AbandonWriter::OwnerDrain] {
        let id = format!("{writer:?}");
        let rerunnable = t.claimed(&format!("rerunnable-{id}")).await;
        t.registry
            .record_first_started_with_lease(&rerunnable, start_of(&rerunnable))
            .await
            .expect("started");
        t.register_as(&format!("fresh-{id}"), OwnerBound).await;
        let unstarted = t.claim(&format!("fresh-{id}"), &ann()).await;
        for lease in [&rerunnable, &unstarted] {
            let before = t.everything_about(&lease.process_id).await;
            refused!(
                t.registry.complete_process_with_lease(lease, abandoned(writer)).await,
                E::InvalidArgument { .. }
            );
            assert_eq!(t.everything_about(&lease.process_id).await, before);
        }
        let external = format!("external-{id}");
        t.register_as(&external, ExternallyOwned).await;
        let by_hand = crate::model::process::ProcessStarted { owner: ann(), started_at_ms: 1 };
        t.registry.record_first_started(&external, by_hand).await.expect("started");
        refused!(t.registry.complete_process(&external, abandoned(writer)).await, E::InvalidArgument { .. });
        let started = t.started(&format!("started-{id}")).await;
        t.registry.complete_process_with_lease(&started, abandoned(writer)).await.expect("licensed");
    }
}

pub async fn a_reconciled_abandonment_needs_a_recorded_request(t: Bench) {
    let lease = t.claimed("p").await;
    let settle = abandoned(AbandonWriter::ReconciledRequest);
    refused!(t.registry.complete_process_with_lease(&lease, settle.clone()).await, E::InvalidArgument { .. });
    t.registry.request_process_abandon("p", abandon_request("host")).await.expect("requested");
    t.registry.complete_process_with_lease(&lease, settle.clone()).await.expect("licensed");
    t.register_as("x", ExternallyOwned).await;
    refused!(t.registry.complete_process("x", settle.clone()).await, E::InvalidArgument { .. });
    t.registry.request_process_abandon("x", abandon_request("host")).await.expect("requested");
    t.registry.complete_process("x", settle).await.expect("licensed");
}

pub async fn a_fenced_append_replays_only_while_the_grant_is_live(t: Bench) {
    let lease = t.claimed("p").await;
    let request = progress(json!(1)).with_replay("k");
    t.registry.append_event_with_lease(&lease, request.clone()).await.expect("appended");
    t.advance(TTL_MS);
    refused!(t.registry.append_event_with_lease(&lease, request.clone()).await, E::LeaseExpired { .. });
    let next = t.claim("p", &bob()).await;
    refused!(t.registry.append_event_with_lease(&lease, request.clone()).await, E::LeaseSuperseded { .. });
    let replayed = t.registry.append_event_with_lease(&next, request).await.expect("its successor may ask");
    assert!(replayed.replayed);
}

pub async fn hosts_send_signals_without_a_lease(t: Bench) {
    let lease = t.claimed("p").await;
    t.registry.append_event("p", signal("go")).await.expect("signalled");
    t.registry.append_event_with_lease(&lease, signal("go")).await.expect("its worker may too");
    assert_eq!(t.event_types("p").await, ["signal.go", "signal.go"]);
}
