//! Histories of another's registry, whose decisions take time: they are judged in an order that fits every answer.

use fencepost::model::process::RecoveryDisposition;
use fencepost_sim::history::History;
use fencepost_sim::history::event::{CallKind, CallResult, Status, TurnedOut, What, Write};
use fencepost_sim::judge::rejudge;
use fencepost_sim::laws::Finding;
use fencepost_sim::plan::Plan;

use crate::laws::history_builder::{
    ANN, BOB, HOST, HistoryBuilder, NOBODY, REGISTRY, TTL_MS, history, running,
};

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

/// Ann's renewal is cut off by a crash of the registry, and a read shows a lease until then afterwards.
fn cut_off(shown_ms: u64) -> HistoryBuilder {
    let cut_off = running().at(2_000).span_began(1, ANN, CallKind::Renew).at(2_002).registry_crashed();
    cut_off.at(3_000).seen(ANN, shown_ms)
}

#[test]
fn a_call_that_died_with_the_registry_was_made_or_not() {
    let renewed = || cut_off(5_001).at(4_500);
    assert_eq!(finding("linearizable", &renewed().renewed(ANN).finished()), Finding::Holds);
    let stolen = renewed().claims(2, NOBODY).granted(BOB, 2).finished();
    assert!(matches!(finding("linearizable", &stolen), Finding::Broken { .. }));

    let not_renewed = || cut_off(4_000).at(4_500);
    let granted = not_renewed().claims(2, NOBODY).granted(BOB, 2).finished();
    assert_eq!(finding("linearizable", &granted), Finding::Holds);
    let revived = not_renewed().renewed(ANN).finished();
    assert!(matches!(finding("linearizable", &revived), Finding::Broken { .. }));
}

#[test]
fn a_crash_leaves_nothing_that_no_call_asked_for() {
    let write = running().at(2_000).span_began(1, ANN, CallKind::Start).at(2_002).registry_crashed();
    let extended = write.at(3_000).seen(ANN, 5_001).finished();
    assert!(matches!(finding("linearizable", &extended), Finding::Broken { .. }));
}

#[test]
fn what_a_call_left_that_died_is_open_if_somebody_calls_before_it_is_seen() {
    let cut_off = running().at(2_000).span_began(1, ANN, CallKind::Renew).at(2_002).registry_crashed();
    let called = cut_off.at(3_000).renewed(ANN).finished();
    assert!(matches!(finding("linearizable", &called), Finding::Undecided { .. }));
}

/// The claim that made the grant died with the registry, so its answer is the first that the record knows of.
#[test]
fn a_grant_whose_claim_died_with_the_registry_is_answered_again() {
    let free = history().registered(RecoveryDisposition::Rerunnable).at(2_000);
    let claiming = free.claims(1, NOBODY).span_began(1, NOBODY, CallKind::Claim).at(2_002).registry_crashed();
    let seen = claiming.seen(ANN, 5_000).at(3_500).claims(1, NOBODY).span_began(1, NOBODY, CallKind::Claim);
    let again = seen.at(3_504).span_ended(1, NOBODY, 3_500).granted(ANN, 1).finished();
    assert_eq!(finding("linearizable", &again), Finding::Holds);
}

/// A registration shows, while it goes on, that a prune has come before it. A claim comes between its decision and its end.
#[test]
fn a_prune_and_the_registration_that_shows_it_come_in_one_span() {
    let ended = running().at(1_500).ended(ANN, 7).at(2_000).span_began(HOST, NOBODY, CallKind::Register);
    let claimed = ended.at(2_003).claims(2, NOBODY).granted(BOB, 2);
    let registered = claimed.at(2_006).span_ended(HOST, NOBODY, 2_000).pruned();
    let reborn = registered.registered(RecoveryDisposition::Rerunnable).finished();
    assert_eq!(finding("linearizable", &reborn), Finding::Holds);
}

/// While Ann's append goes on, and again at the instant in which it is answered, it is answered as a replay.
#[test]
fn a_replay_is_no_append() {
    let appending = running().at(2_000).span_began(1, ANN, CallKind::Emit);
    let replayed = appending.at(2_001).appended(1, 7).at(2_004).span_ended(1, ANN, 2_000);
    let appended = replayed.wrote(ANN, Write::Progress).appended(1, 7);
    let again = appended.span_began(1, ANN, CallKind::Emit).span_ended(1, ANN, 2_004).appended(1, 7);
    assert_eq!(finding("linearizable", &again.at(3_000).renewed(ANN).finished()), Finding::Holds);
}

/// Bob's client writes and releases at the very instant in which its claim is answered.
#[test]
fn what_a_client_does_at_the_instant_of_an_answer_is_another_call() {
    let free = history().registered(RecoveryDisposition::Rerunnable).at(2_000);
    let claiming = free.claims(2, NOBODY).span_began(2, NOBODY, CallKind::Claim).at(2_004);
    let granted =
        claiming.span_ended(2, NOBODY, 2_000).by(BOB, What::Granted { expires_ms: 5_000, fence: 1 });
    let lawful = granted.wrote(BOB, Write::FirstStart).released(BOB).finished();
    for law in ["linearizable", "fences-only-grow", "release-frees-own", "one-live-grant"] {
        assert_eq!(finding(law, &lawful), Finding::Holds, "{law}");
    }
}

/// A host's signal is refused because the process has ended, while the completion goes on that ends it.
#[test]
fn a_call_that_is_told_of_an_end_comes_after_it() {
    let ending = running().at(2_000).span_began(1, ANN, CallKind::Complete);
    let asking = ending.at(2_001).span_began(HOST, NOBODY, CallKind::UnfencedEmit);
    let ended = asking.at(2_004).span_ended(1, ANN, 2_000).ended(ANN, 7);
    let refused = What::Refused { call: CallKind::UnfencedEmit, why: CallResult::AlreadyTerminal };
    let told = ended.at(2_005).span_ended(HOST, NOBODY, 2_001).at_host(refused).finished();
    for law in ["linearizable", "ends-once"] {
        assert_eq!(finding(law, &told), Finding::Holds, "{law}");
    }
}

/// A completion that died with the registry is recorded as made, and then the reads that show it.
#[test]
fn a_completion_that_died_with_the_registry_is_the_end_that_is_shown() {
    let cut_off = running().at(2_000).by(ANN, What::Completes { output: 7 });
    let cut_off = cut_off.span_began(1, ANN, CallKind::Complete).at(2_002).registry_crashed().at(3_000);
    let made = What::TurnedOut { call: CallKind::Complete, fate: TurnedOut::Applied };
    let shown = What::Showed { status: Status::Completed, output: 7 };
    let seen = |output| cut_off.clone().by(ANN, made).ended(ANN, output).at_registry(shown);
    let found = |law, output| {
        let none = seen(output).event(REGISTRY, NOBODY, What::LeaseShown { expires_ms: 0 });
        finding(law, &none.at(4_000).at_host(shown).finished())
    };
    for law in ["linearizable", "ends-once"] {
        assert_eq!(found(law, 7), Finding::Holds, "{law}");
    }
    assert_ne!(found("ends-once", 8), Finding::Holds);
}
