//! Writes that survive a close and a new opening of the registry. Crashes are tested by the harness.

use super::bench::*;
use crate::model::process::DurabilityTier;

pub async fn a_durable_registry_says_so_and_only_then_can_be_reopened(mut t: Bench) {
    let is_durable = t.registry.durability_tier() == DurabilityTier::Durable;
    assert_eq!(t.reopen(), is_durable);
}

pub async fn acknowledged_writes_are_there_after_reopening(mut t: Bench) {
    let lease = t.started("p").await;
    t.registry.append_event_with_lease(&lease, urgent_question()).await.expect("appended");
    t.registry.set_process_wait_with_lease(&lease, wait_for("go")).await.expect("waits");
    t.registry
        .grant_handle(&crate::model::handle::SessionScope::session("s"), "p", handle("view"))
        .await
        .expect("granted");
    t.ended("q").await;
    let before = (t.everything_about("p").await, t.everything_about("q").await);
    if t.reopen() {
        assert_eq!((t.everything_about("p").await, t.everything_about("q").await), before);
    }
}

pub async fn a_fence_never_repeats_after_reopening(mut t: Bench) {
    let lease = t.claimed("p").await;
    t.registry.complete_process_lease(&lease.completion()).await.expect("released");
    if t.reopen() {
        assert_later(&t.claim("p", &bob()).await, &lease);
    }
}

pub async fn a_lease_is_as_long_after_reopening_as_before(mut t: Bench) {
    let lease = t.claimed("p").await;
    if t.reopen() {
        assert_eq!(t.registry.get_process_lease("p").await, Ok(Some(lease.clone())));
        t.advance(TTL_MS - 1);
        busy(t.registry.claim_process_lease("p", &bob(), TTL_MS).await);
        t.advance(1);
        assert_later(&t.claim("p", &bob()).await, &lease);
    }
}
