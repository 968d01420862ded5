//! The order of checks, and that a refusal changes nothing.

use serde_json::json;

use super::bench::*;
use crate::model::error::RegistryError as E;
use crate::model::event::ProcessEventAppendRequest;
use crate::model::lease::{LeaseOwnerIdentity, ProcessLease};
use crate::model::process::RecoveryDisposition::ExternallyOwned;

pub async fn an_invalid_argument_comes_before_an_unknown_process(t: Bench) {
    let r = &t.registry;
    let nobody = LeaseOwnerIdentity::opaque("", "");
    refused!(r.claim_process_lease("nobody", &nobody, TTL_MS).await, E::InvalidArgument { .. });
    refused!(r.claim_process_lease("nobody", &ann(), 0).await, E::InvalidArgument { .. });
    refused!(
        r.append_event("nobody", ProcessEventAppendRequest::new("", json!({}))).await,
        E::InvalidArgument { .. }
    );
    refused!(r.request_process_abandon("nobody", abandon_request("")).await, E::InvalidArgument { .. });
}

pub async fn lease_required_comes_before_already_terminal(t: Bench) {
    t.ended("p").await;
    let r = &t.registry;
    refused!(r.complete_process("p", success(1)).await, E::LeaseRequired { .. });
    refused!(r.set_process_wait("p", wait_for("go")).await, E::LeaseRequired { .. });
    refused!(r.clear_process_wait("p").await, E::LeaseRequired { .. });
    refused!(r.append_event("p", progress(json!(1))).await, E::LeaseRequired { .. });
}

pub async fn already_terminal_comes_before_superseded(t: Bench) {
    let old = t.claimed("p").await;
    t.advance(TTL_MS);
    let new = t.claim("p", &bob()).await;
    t.registry.complete_process_with_lease(&new, success(1)).await.expect("completed");
    let r = &t.registry;
    refused!(r.renew_process_lease(&old, TTL_MS).await, E::AlreadyTerminal { .. });
    refused!(r.append_event_with_lease(&old, progress(json!(1))).await, E::AlreadyTerminal { .. });
    refused!(r.set_process_wait_with_lease(&old, wait_for("go")).await, E::AlreadyTerminal { .. });
    refused!(r.clear_process_wait_with_lease(&old).await, E::AlreadyTerminal { .. });
}

pub async fn superseded_comes_before_the_replay(t: Bench) {
    let old = t.claimed("p").await;
    let keyed = progress(json!(1)).with_replay("k");
    t.registry.append_event_with_lease(&old, keyed.clone()).await.expect("appended");
    t.registry.complete_process_lease(&old.completion()).await.expect("released");
    refused!(t.registry.append_event_with_lease(&old, keyed).await, E::LeaseSuperseded { .. });
    let undeclared = ProcessEventAppendRequest::new("undeclared", json!({}));
    refused!(t.registry.append_event_with_lease(&old, undeclared).await, E::LeaseSuperseded { .. });
}

pub async fn the_replay_comes_before_an_undeclared_type(t: Bench) {
    t.register("p").await;
    t.registry.append_event("p", signal("go").with_replay("k")).await.expect("appended");
    let undeclared = ProcessEventAppendRequest::new("undeclared", json!({})).with_replay("k");
    refused!(t.registry.append_event("p", undeclared).await, E::ReplayConflict { .. });
}

pub async fn an_unfenced_replay_comes_before_already_terminal(t: Bench) {
    t.register_as("x", ExternallyOwned).await;
    t.registry.append_event("x", progress(json!(1)).with_replay("k")).await.expect("appended");
    t.registry.complete_process("x", success(1)).await.expect("completed");
    let replayed = t.registry.append_event("x", progress(json!(1)).with_replay("k")).await.expect("replayed");
    assert!(replayed.replayed);
    let conflict = progress(json!(2)).with_replay("k");
    refused!(t.registry.append_event("x", conflict).await, E::ReplayConflict { .. });
    let undeclared = ProcessEventAppendRequest::new("undeclared", json!({}));
    refused!(t.registry.append_event("x", undeclared).await, E::AlreadyTerminal { .. });
}

pub async fn a_reclaim_does_not_believe_the_observed_expiry(t: Bench) {
    let lease = t.claimed("p").await;
    let elapsed_for_the_caller = ProcessLease { expires_at_epoch_ms: 0, ..lease.clone() };
    let answer = t.registry.reclaim_process_lease("p", &bob(), &elapsed_for_the_caller, TTL_MS).await;
    assert_eq!(busy(answer), lease);
}

pub async fn a_refused_call_changes_nothing(t: Bench) {
    let stale = t.started("p").await;
    let question = t.registry.append_event_with_lease(&stale, urgent_question()).await;
    question.expect("appended");
    let scope = crate::model::handle::SessionScope::session("s");
    t.registry.grant_handle(&scope, "p", handle("view")).await.expect("granted");
    t.advance(TTL_MS);
    let held = t.claim("p", &bob()).await;
    let entropy = t.environment.entropy_drawn();
    let before = t.everything_about("p").await;
    t.advance(7);
    let r = &t.registry;
    assert!(r.complete_process("p", success(1)).await.is_err());
    assert!(r.append_event("p", ProcessEventAppendRequest::new("undeclared", json!({}))).await.is_err());
    assert!(r.renew_process_lease(&stale, TTL_MS).await.is_err());
    assert!(r.record_first_started("p", start_of(&stale)).await.is_err());
    assert!(r.ack_wake("p", 1).await.is_err());
    let missing = ["p".to_owned(), "nobody".to_owned()];
    assert!(r.transfer_handle_grants(&scope, &scope, &missing).await.is_err());
    let registration = registration("p", ExternallyOwned);
    assert!(r.register_process(registration).await.is_err());
    busy(r.claim_process_lease("p", &ann(), TTL_MS).await);
    r.complete_process_lease(&stale.completion()).await.expect("a stale release does nothing");
    assert_eq!(t.everything_about("p").await, before);
    assert_eq!(t.environment.entropy_drawn(), entropy, "a refused claim draws no token");
    t.registry.complete_process_lease(&held.completion()).await.expect("released");
    assert_later(&t.claim("p", &ann()).await, &held);
}

pub async fn writes_to_an_unknown_process_are_errors(t: Bench) {
    t.register("p").await;
    let lease = ProcessLease { process_id: "nobody".into(), ..t.claim("p", &ann()).await };
    let r = &t.registry;
    let answers = [
        r.complete_process("nobody", success(1)).await.err(),
        r.complete_process_with_lease(&lease, success(1)).await.err(),
        r.record_first_started("nobody", start_of(&lease)).await.err(),
        r.record_first_started_with_lease(&lease, start_of(&lease)).await.err(),
        r.set_process_wait("nobody", wait_for("go")).await.err(),
        r.set_process_wait_with_lease(&lease, wait_for("go")).await.err(),
        r.clear_process_wait("nobody").await.err(),
        r.clear_process_wait_with_lease(&lease).await.err(),
        r.append_event_with_lease(&lease, progress(json!(1))).await.err(),
        r.request_process_abandon("nobody", abandon_request("host")).await.err(),
    ];
    for (index, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer, Some(E::UnknownProcess { process_id: "nobody".into() }), "call {index}");
    }
}
