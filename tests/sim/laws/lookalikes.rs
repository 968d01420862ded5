//! Histories that look like bugs and are none. A law that objects to one of them is wrong.

use fencepost::model::process::RecoveryDisposition;
use fencepost_sim::history::event::{BodyOutcome, CallKind, CallResult, What, Write};
use fencepost_sim::laws::Finding;

use crate::laws::history_builder::{ANN, BOB, HistoryBuilder, NOBODY, TTL_MS, history, judged};

fn claimed() -> HistoryBuilder {
    history().registered(RecoveryDisposition::Rerunnable).claims(1, NOBODY).granted(ANN, 1)
}

fn taken_over() -> HistoryBuilder {
    claimed().at(4_000).claims(2, NOBODY).granted(BOB, 2)
}

/// All laws hold, and more than three of them met their situation.
fn assert_lawful(history: &HistoryBuilder) {
    let laws = judged(history);
    let results: Vec<(&str, Finding)> =
        laws.all().into_iter().map(|law| (law.name(), law.finding())).collect();
    let objecting: Vec<_> = results.iter().filter(|(_, finding)| *finding != Finding::Holds).collect();
    assert!(objecting.is_empty(), "{objecting:?}");
    let judging = laws.all().into_iter().filter(|law| law.checked() > 0).count();
    assert!(judging > 3, "only {judging} laws met anything to judge");
}

#[test]
fn the_same_incarnation_enters_again_without_a_new_token() {
    assert_lawful(&claimed().claims(1, ANN).at(1_500).reentered(ANN, 1_500 + TTL_MS).at(4_001).renewed(ANN));
}

#[test]
fn a_stale_release_answers_ok_and_does_nothing() {
    assert_lawful(&taken_over().released(ANN).event(1, BOB, What::LeaseAfter).renewed(BOB));
}

#[test]
fn an_expired_owner_is_refused_though_nobody_took_over() {
    assert_lawful(&claimed().at(4_001).refused(ANN, CallKind::Renew, CallResult::Expired));
}

#[test]
fn two_bodies_run_within_the_bound_and_the_writes_of_the_one_that_lost_are_refused() {
    assert_lawful(
        &claimed()
            .wrote(ANN, Write::FirstStart)
            .body_began(ANN, 1)
            .at(4_002)
            .claims(2, NOBODY)
            .granted(BOB, 2)
            .wrote(BOB, Write::StartedBefore)
            .body_began(BOB, 2)
            .refused(ANN, CallKind::Complete, CallResult::Superseded)
            .by(ANN, What::BodyEnded { outcome: BodyOutcome::Dropped, output: 0 })
            .by(BOB, What::BodyEnded { outcome: BodyOutcome::Output, output: 7 })
            .ended(BOB, 7),
    );
}

#[test]
fn an_expired_grant_is_live_again_after_the_clock_stepped_back() {
    let refused = claimed().at(4_002).refused(ANN, CallKind::Renew, CallResult::Expired);
    assert_lawful(&refused.at(3_500).renewed(ANN));
}

#[test]
fn an_effect_sent_before_the_loss_arrives_before_the_successors_first() {
    assert_lawful(
        &taken_over()
            .event(1, ANN, What::EffectTaken { fence: 1, highest: 0 })
            .event(1, BOB, What::EffectTaken { fence: 2, highest: 1 })
            .event(1, ANN, What::EffectRefused { fence: 1, highest: 2 }),
    );
}

#[test]
fn an_ended_row_is_pruned_while_somebody_waits_for_it() {
    assert_lawful(
        &claimed()
            .at_host(What::WaitBegan { wait: 1 })
            .ended(ANN, 7)
            .pruned()
            .at_host(What::WaitEnded { outcome: 7, wait: 1 }),
    );
}
