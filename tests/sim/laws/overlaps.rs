//! Histories of another's registry, whose decisions take time: they are judged in an order that fits every answer.

use fencepost_sim::history::History;
use fencepost_sim::history::event::{CallKind, What};
use fencepost_sim::judge::rejudge;
use fencepost_sim::laws::Finding;
use fencepost_sim::plan::Plan;

use crate::laws::history_builder::{ANN, BOB, HOST, HistoryBuilder, NOBODY, TTL_MS, running};

fn finding(law: &str, history: &HistoryBuilder) -> Finding {
    let plan = Plan { ttl_ms: TTL_MS, ..Plan::quiet(0) };
    let history = History { plan, grants: Vec::new(), events: history.events.clone(), notes: Vec::new() };
    let judged = rejudge(&history, false, &[] as &[&str]);
    judged.into_iter().find(|judged| judged.law == law).map(|judged| judged.finding).unwrap()
}

/// Bob is granted the process while Ann's release goes on, so the release came first.
fn released_meanwhile() -> HistoryBuilder {
    running()
        .at(1_500)
        .span_began(1, ANN, CallKind::Release)
        .at(1_502)
        .claims(2, NOBODY)
        .granted(BOB, 2)
        .at(1_504)
        .span_ended(1, ANN, 1_500)
        .released(ANN)
}

#[test]
fn a_law_that_holds_in_an_order_that_fits_holds() {
    let lawful = released_meanwhile().at(2_000).renewed(BOB).finished();
    for law in ["linearizable", "one-live-grant", "stale-writer-refused", "release-frees-own"] {
        assert_eq!(finding(law, &lawful), Finding::Holds, "{law}");
    }
}

#[test]
fn a_breach_that_no_order_explains_is_a_breach() {
    let unlawful = released_meanwhile().at(2_000).renewed(ANN).finished();
    let last = unlawful.events.len() as u64 - 2;
    let broken = finding("linearizable", &unlawful);
    assert!(matches!(broken, Finding::Broken { at, .. } if at == last), "{broken:?}");
    // Calls overlapped before, so another law only doubts.
    let doubted = finding("stale-writer-refused", &unlawful);
    assert!(matches!(doubted, Finding::Undecided { .. }), "{doubted:?}");
}

#[test]
fn a_breach_without_an_overlap_is_a_breach_of_every_law_that_sees_it() {
    let slow = running().at(2_000).span_began(2, BOB, CallKind::Renew).at(2_004).span_ended(2, BOB, 2_000);
    let unlawful = slow.renewed(BOB).finished();
    for law in ["linearizable", "stale-writer-refused"] {
        let broken = finding(law, &unlawful);
        assert!(matches!(broken, Finding::Broken { .. }), "{law}: {broken:?}");
    }
}

#[test]
fn an_observer_tells_whether_a_renewal_came_before_the_expiry() {
    let renewed = |shown_ms| {
        let slow = running().at(3_999).span_began(1, ANN, CallKind::Renew).at(4_000);
        let seen = slow.event(HOST, ANN, What::LeaseShown { expires_ms: shown_ms });
        seen.at(4_003).span_ended(1, ANN, 3_999).renewed_until(ANN, 6_999, TTL_MS).finished()
    };
    assert_eq!(finding("linearizable", &renewed(6_999)), Finding::Holds);
    let broken = finding("linearizable", &renewed(4_000));
    assert!(matches!(broken, Finding::Broken { .. }), "{broken:?}");
}
