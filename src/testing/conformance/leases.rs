//! Claims, renewals, releases and reclaims, to the millisecond.

use super::bench::*;
use crate::model::error::RegistryError as E;
use crate::model::lease::{LeaseOwnerIdentity, LeaseOwnerLiveness, ProcessLease, ProcessLeaseCompletion};

pub async fn a_free_lease_is_granted_with_a_fresh_token(t: Bench) {
    let lease = t.claimed("p").await;
    assert_eq!((lease.process_id.as_str(), &lease.owner, lease.fencing_token), ("p", &ann(), 1));
    assert_eq!((lease.claimed_at_epoch_ms, lease.expires_at_epoch_ms), (START_MS, START_MS + TTL_MS));
    assert!(!lease.lease_token.is_empty());
    t.register("q").await;
    assert_ne!(t.claim("q", &ann()).await.lease_token, lease.lease_token);
}

pub async fn every_new_grant_raises_the_fence(t: Bench) {
    let first = t.claimed("p").await;
    t.registry.complete_process_lease(&first.completion()).await.expect("released");
    let second = t.claim("p", &ann()).await;
    t.advance(TTL_MS);
    let third = t.claim("p", &ann()).await;
    t.advance(TTL_MS);
    let fourth = t.claim("p", &bob()).await;
    let fences = [&first, &second, &third, &fourth].map(|lease| lease.fencing_token);
    assert_eq!(fences, [1, 2, 3, 4]);
    let tokens = std::collections::BTreeSet::from([&first, &second, &third, &fourth].map(|l| &l.lease_token));
    assert_eq!(tokens.len(), 4);
}

pub async fn a_live_lease_of_another_is_busy_and_shows_its_holder(t: Bench) {
    let lease = t.claimed("p").await;
    t.advance(1);
    assert_eq!(busy(t.registry.claim_process_lease("p", &bob(), TTL_MS).await), lease);
    assert_eq!(t.registry.get_process_lease("p").await, Ok(Some(lease)));
}

pub async fn the_same_incarnation_reenters_and_keeps_its_grant(t: Bench) {
    let lease = t.claimed("p").await;
    t.advance(400);
    let again = t.claim("p", &ann()).await;
    assert_eq!(again, ProcessLease { expires_at_epoch_ms: START_MS + 400 + TTL_MS, ..lease });
    assert_eq!(t.registry.get_process_lease("p").await, Ok(Some(again)));
}

pub async fn a_new_incarnation_of_the_same_owner_is_another_holder(t: Bench) {
    let lease = t.claimed("p").await;
    let restarted = LeaseOwnerIdentity::opaque("ann", "ann-2");
    assert_eq!(busy(t.registry.claim_process_lease("p", &restarted, TTL_MS).await), lease);
}

pub async fn reentry_keeps_the_stored_liveness(t: Bench) {
    t.claimed("p").await;
    let liveness = LeaseOwnerLiveness::LocalProcess {
        host_id: "h".into(),
        boot_id: "b".into(),
        pid: 4,
        process_start: "5".into(),
    };
    let reentered = t.claim("p", &LeaseOwnerIdentity { liveness: liveness.into(), ..ann() }).await;
    assert_eq!(reentered.owner, ann());
}

pub async fn at_its_expiry_a_lease_is_free_and_one_millisecond_earlier_it_is_not(t: Bench) {
    let lease = t.claimed("p").await;
    t.advance(TTL_MS - 1);
    busy(t.registry.claim_process_lease("p", &bob(), TTL_MS).await);
    t.registry.append_event_with_lease(&lease, progress(1.into())).await.expect("one millisecond is left");
    t.advance(1);
    refused!(t.registry.renew_process_lease(&lease, TTL_MS).await, E::LeaseExpired { .. });
    refused!(t.registry.append_event_with_lease(&lease, progress(2.into())).await, E::LeaseExpired { .. });
    refused!(t.registry.complete_process_with_lease(&lease, success(1)).await, E::LeaseExpired { .. });
    assert_eq!(t.claim("p", &bob()).await.fencing_token, 2);
}

pub async fn a_renewal_extends_and_keeps_the_grant(t: Bench) {
    let lease = t.claimed("p").await;
    t.advance(TTL_MS - 1);
    let renewed = t.registry.renew_process_lease(&lease, TTL_MS).await.expect("live to the last millisecond");
    assert_eq!(renewed, ProcessLease { expires_at_epoch_ms: START_MS + 2 * TTL_MS - 1, ..lease });
    t.advance(TTL_MS - 1);
    t.registry.renew_process_lease(&renewed, TTL_MS).await.expect("it counts from its renewal");
}

pub async fn renewal_and_reentry_never_shorten(t: Bench) {
    let lease = t.claimed("p").await;
    assert_eq!(t.registry.renew_process_lease(&lease, 1).await, Ok(lease.clone()));
    assert_eq!(acquired(t.registry.claim_process_lease("p", &ann(), 1).await), lease);
    t.environment.set_wall(START_MS - 5_000);
    assert_eq!(t.registry.renew_process_lease(&lease, TTL_MS).await, Ok(lease));
}

pub async fn a_renewal_after_expiry_is_refused_although_nobody_took_over(t: Bench) {
    let lease = t.claimed("p").await;
    t.advance(TTL_MS);
    refused!(t.registry.renew_process_lease(&lease, TTL_MS).await, E::LeaseExpired { .. });
    assert_eq!(t.registry.get_process_lease("p").await, Ok(Some(lease)));
}

pub async fn a_renewal_of_a_superseded_lease_names_the_current_fence(t: Bench) {
    let old = t.claimed("p").await;
    t.advance(TTL_MS);
    t.claim("p", &bob()).await;
    refused!(
        t.registry.renew_process_lease(&old, TTL_MS).await,
        E::LeaseSuperseded { presented_fence: 1, current_fence: 2, .. }
    );
}

pub async fn a_renewal_of_a_released_lease_does_not_bring_it_back(t: Bench) {
    let lease = t.claimed("p").await;
    t.registry.complete_process_lease(&lease.completion()).await.expect("released");
    refused!(t.registry.renew_process_lease(&lease, TTL_MS).await, E::LeaseSuperseded { .. });
    assert_eq!(t.registry.get_process_lease("p").await, Ok(None));
}

pub async fn a_clock_that_steps_back_makes_an_unsuperseded_lease_live_again(t: Bench) {
    let lease = t.claimed("p").await;
    t.advance(TTL_MS);
    refused!(t.registry.renew_process_lease(&lease, TTL_MS).await, E::LeaseExpired { .. });
    t.environment.set_wall(START_MS + TTL_MS - 1);
    t.registry.append_event_with_lease(&lease, progress(1.into())).await.expect("live again");
    busy(t.registry.claim_process_lease("p", &bob(), TTL_MS).await);
}

pub async fn a_clock_that_steps_back_revives_no_superseded_or_released_lease(t: Bench) {
    let first = t.claimed("p").await;
    t.advance(TTL_MS);
    let second = t.claim("p", &bob()).await;
    t.environment.set_wall(START_MS);
    refused!(t.registry.complete_process_with_lease(&first, success(1)).await, E::LeaseSuperseded { .. });
    t.registry.complete_process_lease(&second.completion()).await.expect("released");
    refused!(t.registry.complete_process_with_lease(&second, success(1)).await, E::LeaseSuperseded { .. });
}

pub async fn a_release_frees_the_lease_it_names(t: Bench) {
    let lease = t.claimed("p").await;
    t.registry.complete_process_lease(&lease.completion()).await.expect("released");
    assert_eq!(t.registry.get_process_lease("p").await, Ok(None));
    assert_eq!(t.claim("p", &bob()).await.fencing_token, 2);
}

pub async fn a_stale_release_succeeds_and_frees_nothing(t: Bench) {
    let old = t.claimed("p").await;
    t.advance(TTL_MS);
    let new = t.claim("p", &bob()).await;
    t.registry.complete_process_lease(&old.completion()).await.expect("stale is fine");
    let forged = ProcessLeaseCompletion { process_id: "p".into(), lease_token: String::new() };
    t.registry.complete_process_lease(&forged).await.expect("a wrong token is fine");
    assert_eq!(t.registry.get_process_lease("p").await, Ok(Some(new)));
}

pub async fn a_release_is_idempotent_and_works_after_expiry(t: Bench) {
    let lease = t.claimed("p").await;
    t.advance(TTL_MS + 1);
    t.registry.complete_process_lease(&lease.completion()).await.expect("expired, not superseded");
    assert_eq!(t.registry.get_process_lease("p").await, Ok(None));
    t.registry.complete_process_lease(&lease.completion()).await.expect("again is fine");
}

pub async fn a_release_of_an_unknown_process_succeeds(t: Bench) {
    let completion = ProcessLeaseCompletion { process_id: "nobody".into(), lease_token: "x".into() };
    t.registry.complete_process_lease(&completion).await.expect("unknown is fine");
}

pub async fn reading_a_lease_shows_it_expired_or_not_and_changes_nothing(t: Bench) {
    let lease = t.claimed("p").await;
    t.advance(5 * TTL_MS);
    assert_eq!(t.registry.get_process_lease("p").await, Ok(Some(lease.clone())));
    assert_eq!(t.registry.get_process_lease("p").await, Ok(Some(lease)));
}

pub async fn a_free_released_or_unknown_lease_reads_as_none(t: Bench) {
    assert_eq!(t.registry.get_process_lease("nobody").await, Ok(None));
    t.register("p").await;
    assert_eq!(t.registry.get_process_lease("p").await, Ok(None));
    let lease = t.claim("p", &ann()).await;
    t.registry.complete_process_lease(&lease.completion()).await.expect("released");
    assert_eq!(t.registry.get_process_lease("p").await, Ok(None));
}

pub async fn unknown_and_ended_processes_cannot_be_claimed(t: Bench) {
    let lease = t.claimed("p").await;
    t.registry.complete_process_with_lease(&lease, success(1)).await.expect("completed");
    let r = &t.registry;
    refused!(r.claim_process_lease("nobody", &ann(), TTL_MS).await, E::UnknownProcess { .. });
    refused!(r.reclaim_process_lease("nobody", &ann(), &lease, TTL_MS).await, E::UnknownProcess { .. });
    refused!(r.claim_process_lease("p", &ann(), TTL_MS).await, E::AlreadyTerminal { .. });
    refused!(r.reclaim_process_lease("p", &ann(), &lease, TTL_MS).await, E::AlreadyTerminal { .. });
    refused!(r.renew_process_lease(&lease, TTL_MS).await, E::AlreadyTerminal { .. });
    let elsewhere = ProcessLease { process_id: "nobody".into(), ..lease };
    refused!(r.renew_process_lease(&elsewhere, TTL_MS).await, E::UnknownProcess { .. });
}

pub async fn a_reclaim_of_a_free_or_expired_lease_is_a_claim(t: Bench) {
    let first = t.claimed("p").await;
    t.advance(TTL_MS);
    let second = acquired(t.registry.reclaim_process_lease("p", &bob(), &first, TTL_MS).await);
    assert_eq!((second.fencing_token, &second.owner), (2, &bob()));
    t.registry.complete_process_lease(&second.completion()).await.expect("released");
    let third = acquired(t.registry.reclaim_process_lease("p", &ann(), &first, TTL_MS).await);
    assert_eq!(third.fencing_token, 3);
}

pub async fn a_reclaim_takes_the_observed_holder_that_is_dead(t: Bench) {
    let held = t.claimed("p").await;
    t.environment.declare_dead(&ann());
    let taken = acquired(t.registry.reclaim_process_lease("p", &bob(), &held, TTL_MS).await);
    assert_eq!((taken.fencing_token, &taken.owner), (2, &bob()));
    assert_ne!(taken.lease_token, held.lease_token);
    refused!(t.registry.complete_process_with_lease(&held, success(1)).await, E::LeaseSuperseded { .. });
}

pub async fn a_reclaim_of_a_living_holder_is_busy(t: Bench) {
    let held = t.claimed("p").await;
    assert_eq!(busy(t.registry.reclaim_process_lease("p", &bob(), &held, TTL_MS).await), held);
}

pub async fn a_reclaim_of_a_holder_that_was_not_observed_is_busy(t: Bench) {
    let observed = t.claimed("p").await;
    t.registry.complete_process_lease(&observed.completion()).await.expect("released");
    let held = t.claim("p", &ann()).await;
    t.environment.declare_dead(&ann());
    let restarted = LeaseOwnerIdentity::opaque("ann", "ann-2");
    for wrong in [
        observed,
        ProcessLease { lease_token: "guess".into(), ..held.clone() },
        ProcessLease { fencing_token: 9, ..held.clone() },
        ProcessLease { owner: restarted, ..held.clone() },
        ProcessLease { process_id: "another".into(), ..held.clone() },
    ] {
        assert_eq!(busy(t.registry.reclaim_process_lease("p", &bob(), &wrong, TTL_MS).await), held);
    }
    let dressed_up = ProcessLease { expires_at_epoch_ms: 1, claimed_at_epoch_ms: 1, ..held };
    acquired(t.registry.reclaim_process_lease("p", &bob(), &dressed_up, TTL_MS).await);
}

pub async fn a_reclaim_of_ones_own_live_lease_is_busy(t: Bench) {
    let held = t.claimed("p").await;
    assert_eq!(busy(t.registry.reclaim_process_lease("p", &ann(), &held, TTL_MS).await), held);
}

pub async fn a_ttl_must_be_positive_and_must_not_overflow(t: Bench) {
    let lease = t.claimed("p").await;
    t.register("q").await;
    for ttl in [0, u64::MAX, u64::MAX - START_MS + 1] {
        refused!(t.registry.claim_process_lease("q", &ann(), ttl).await, E::InvalidArgument { .. });
        refused!(t.registry.reclaim_process_lease("q", &ann(), &lease, ttl).await, E::InvalidArgument { .. });
        refused!(t.registry.renew_process_lease(&lease, ttl).await, E::InvalidArgument { .. });
    }
    let longest = acquired(t.registry.claim_process_lease("q", &ann(), u64::MAX - START_MS).await);
    assert_eq!(longest.expires_at_epoch_ms, u64::MAX);
    t.environment.set_wall(u64::MAX - 1);
    busy(t.registry.claim_process_lease("q", &bob(), 1).await);
    t.environment.set_wall(u64::MAX);
    refused!(t.registry.claim_process_lease("q", &bob(), 1).await, E::InvalidArgument { .. });
}

pub async fn an_owner_needs_both_ids(t: Bench) {
    let lease = t.claimed("p").await;
    for (owner_id, incarnation_id) in [("", "i"), ("o", ""), (" ", "i"), ("o", "\n")] {
        let owner = LeaseOwnerIdentity::opaque(owner_id, incarnation_id);
        refused!(t.registry.claim_process_lease("p", &owner, TTL_MS).await, E::InvalidArgument { .. });
        refused!(
            t.registry.reclaim_process_lease("p", &owner, &lease, TTL_MS).await,
            E::InvalidArgument { .. }
        );
    }
}

pub async fn leases_do_not_move_the_record(t: Bench) {
    let before = t.register("p").await;
    t.advance(3);
    let lease = t.claim("p", &ann()).await;
    t.registry.renew_process_lease(&lease, 2 * TTL_MS).await.expect("renewed");
    t.registry.complete_process_lease(&lease.completion()).await.expect("released");
    assert_eq!(t.read("p").await, before);
}

pub async fn each_new_grant_draws_at_least_sixteen_bytes(t: Bench) {
    let before = t.environment.entropy_drawn();
    let lease = t.claimed("p").await;
    let after_first = t.environment.entropy_drawn();
    assert!(after_first >= before + 16);
    t.registry.complete_process_lease(&lease.completion()).await.expect("released");
    t.claim("p", &ann()).await;
    assert!(t.environment.entropy_drawn() >= after_first + 16);
}

pub async fn a_reclaim_asks_about_the_stored_holder_not_the_presented_one(t: Bench) {
    let running_as = |pid| LeaseOwnerLiveness::LocalProcess {
        host_id: "h".into(),
        boot_id: "b".into(),
        pid,
        process_start: "5".into(),
    };
    let alive = LeaseOwnerIdentity { liveness: running_as(4).into(), ..ann() };
    let dead = LeaseOwnerIdentity { liveness: running_as(5).into(), ..ann() };
    t.register("p").await;
    let held = t.claim("p", &alive).await;
    t.environment.declare_dead(&dead);
    let presented = ProcessLease { owner: dead, ..held.clone() };
    assert_eq!(busy(t.registry.reclaim_process_lease("p", &bob(), &presented, TTL_MS).await), held);
    t.environment.declare_dead(&alive);
    acquired(t.registry.reclaim_process_lease("p", &bob(), &presented, TTL_MS).await);
}
