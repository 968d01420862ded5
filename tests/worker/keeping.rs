//! Winning a lease and keeping it, from the claim to the outcome, through answers that fail, hang, come late or are
//! lost.

use fencepost::environment::Environment;
use fencepost::model::lease_timings::LeaseTimings;
use fencepost::model::process::RecoveryDisposition;
use fencepost::testing::block_on;
use fencepost::work::cancellation::CancellationToken;
use fencepost::work::engine::ProcessExecutionContext;
use serde_json::json;

use crate::stage::*;
use crate::stories::run;

#[test]
pub fn it_starts_no_effect_after_its_lease_is_lost_and_says_so_before_the_ttl_has_passed() {
    let stage = Stage::new();
    stage.rerunnable("p", steps(100, 100));
    let (worker, director) = stage.worker("ann");
    for nth in 1..20 {
        director.plan("renew_process_lease", nth, Fault::LostBefore);
    }
    let claimed_at = 1_000_000;
    stage.sweep(&worker);
    stage.pass_ms(20_000);
    let last = stage.ledger.taken().last().cloned().unwrap();
    assert!(last.0 < claimed_at + TTL_MS, "an effect at {} ms after the claim", last.0 - claimed_at);
    assert!(last.0 >= claimed_at + TTL_MS - 100, "and it worked as long as it might");
    assert_eq!(stage.bodies_begun("p"), 1);
    assert_eq!(director.made("complete_process_lease"), 0);
    stage.sweep(&worker);
    assert_eq!(stage.bodies_begun("p"), 2, "it takes the row again, as a new incarnation");
}

#[test]
pub fn a_renewal_that_answers_superseded_ends_the_attempt_at_once() {
    let stage = Stage::new();
    stage.rerunnable("p", steps(100, 100));
    let (worker, director) = stage.worker("ann");
    stage.sweep(&worker);
    // Behind the worker's back, as a reclaim by proof of death would.
    let held = stage.lease("p").unwrap();
    block_on(stage.registry.complete_process_lease(&held.completion())).unwrap();
    stage.pass_ms(5_000);
    let (last, ..) = stage.ledger.taken().last().cloned().unwrap();
    assert!(last <= 1_000_000 + RENEW_MS);
    assert_eq!((director.made("renew_process_lease"), director.made("complete_process_with_lease")), (1, 0));
    assert_eq!(director.made("complete_process_lease"), 0, "not even a release");
}

#[test]
pub fn a_read_that_hangs_is_a_read_that_failed() {
    let stage = Stage::new();
    stage.rerunnable("p", nothing());
    let (worker, director) = stage.worker_with("ann", |config| config.max_concurrent_runs = 1);
    director.plan("read_process", 1, Fault::HangsBefore);
    stage.sweep(&worker);
    stage.pass_ms(RENEW_MS);
    assert_eq!((stage.bodies_begun("p"), stage.lease("p")), (0, None));
    stage.sweep(&worker);
    assert_eq!(stage.output("p"), success(json!("done")), "the permit came back");
}

#[test]
pub fn a_transient_renewal_error_does_not_end_a_healthy_run() {
    for fault in [Fault::Fails, Fault::LostBefore, Fault::LostAfter, Fault::HangsBefore, Fault::HangsAfter] {
        let stage = Stage::new();
        stage.rerunnable("p", steps(100, 100));
        let (worker, director) = stage.worker("ann");
        for nth in [1, 3, 6] {
            director.plan("renew_process_lease", nth, fault.clone());
        }
        stage.sweep(&worker);
        stage.pass_ms(11_000);
        assert_eq!(stage.output("p"), success(json!({"by fence": 1})));
        assert_eq!(stage.bodies_begun("p"), 1);
    }
}

#[test]
pub fn renewal_answers_count_from_when_they_were_first_sent_in_whatever_order() {
    let stage = Stage::new();
    stage.rerunnable("p", steps(100, 50));
    let (worker, director) = stage.worker("ann");
    // The renewal of 1,000 ms is answered at 2,500, the one of 2,000 at once, and no later one at all.
    director.plan("renew_process_lease", 1, Fault::AnswersAfter(1_500));
    for nth in 3..40 {
        director.plan("renew_process_lease", nth, Fault::LostBefore);
    }
    stage.sweep(&worker);
    stage.pass_ms(20_000);
    let (last, ..) = stage.ledger.taken().last().cloned().unwrap();
    assert_eq!(last - 1_000_000, 2_000 + TTL_MS - 50, "the deadline is that of the second renewal");
}

#[test]
pub fn a_claim_answered_after_its_own_deadline_is_lost_on_arrival() {
    let stage = Stage::new();
    stage.rerunnable("p", nothing());
    let (worker, director) = stage.worker("ann");
    director.plan("claim_process_lease", 1, Fault::AnswersAfter(TTL_MS));
    stage.sweep(&worker);
    stage.pass_ms(TTL_MS + 100);
    assert_eq!(stage.bodies_begun("p"), 0);
    assert_eq!(director.all_made(), ["list_non_terminal", "claim_process_lease"]);
}

#[test]
pub fn an_unknown_claim_is_asked_for_again_by_the_same_incarnation() {
    for fault in [Fault::LostAfter, Fault::LostBefore] {
        let stage = Stage::new();
        stage.rerunnable("p", nothing());
        let (worker, director) = stage.worker("ann");
        director.plan("claim_process_lease", 1, fault);
        stage.sweep(&worker);
        stage.pass_ms(200);
        assert_eq!(stage.output("p"), success(json!("done")));
        assert_eq!((director.made("claim_process_lease"), stage.bodies_begun("p")), (2, 1));
    }
}

#[test]
pub fn a_claim_that_stays_unknown_is_given_up_after_its_ttl() {
    let stage = Stage::new();
    stage.rerunnable("p", nothing());
    let (worker, director) = stage.worker("ann");
    for nth in 1..1_000 {
        director.plan("claim_process_lease", nth, Fault::LostBefore);
    }
    stage.sweep(&worker);
    stage.pass_ms(TTL_MS);
    let tried = director.made("claim_process_lease");
    assert!(tried > 3);
    stage.pass_ms(60_000);
    assert_eq!((director.made("claim_process_lease"), stage.bodies_begun("p")), (tried, 0));
}

#[test]
pub fn an_unknown_answer_to_a_completion_is_settled_once() {
    for fault in [Fault::LostAfter, Fault::LostBefore, Fault::Fails] {
        let stage = Stage::new();
        stage.rerunnable("p", nothing());
        let (worker, director) = stage.worker("ann");
        director.plan("complete_process_with_lease", 1, fault);
        stage.sweep(&worker);
        stage.pass_ms(1_000);
        assert_eq!(stage.output("p"), success(json!("done")));
        assert_eq!(stage.events("p"), ["process.started", "process.completed"]);
        assert_eq!(director.made("complete_process_with_lease"), 2);
        assert_eq!(director.made("complete_process_lease"), 0);
    }
}

#[test]
pub fn what_came_before_the_body_has_used_up_part_of_the_lease() {
    for prepare_ms in [RENEW_MS, 2 * RENEW_MS, TTL_MS - 100, TTL_MS, 5 * TTL_MS] {
        let stage = Stage::new();
        let input = json!({"do": "steps", "steps": 4, "step_ms": 1_000, "prepare_ms": prepare_ms});
        stage.owner_bound("p", input);
        let (worker, _) = stage.worker("ann");
        stage.sweep(&worker);
        stage.pass_ms(prepare_ms + 5_000);
        assert_eq!(stage.output("p"), success(json!({"by fence": 1})), "prepared for {prepare_ms} ms");
    }
}

#[test]
pub fn an_unknown_claim_is_not_settled_by_a_failure_of_the_next() {
    let stage = Stage::new();
    stage.rerunnable("p", nothing());
    let (worker, director) = stage.worker("ann");
    director.plan("claim_process_lease", 1, Fault::LostAfter);
    director.plan("claim_process_lease", 2, Fault::Fails);
    stage.sweep(&worker);
    stage.pass_ms(500);
    assert_eq!((stage.output("p"), director.made("claim_process_lease")), (success(json!("done")), 3));
}

#[test]
pub fn a_run_whose_completion_was_never_answered_is_unknown_and_not_refused() {
    let stage = Stage::new();
    let (worker, director) = stage.worker("ann");
    director.plan("complete_process_with_lease", 1, Fault::HangsAfter);
    // A read afterwards could still tell it more.
    director.plan("read_process", 2, Fault::Fails);
    let answer = run(&stage, "p", &worker);
    assert!(answer.is_err_and(|error| error.outcome_is_unknown()));
    assert_eq!(stage.output("p"), success(json!("done")));
}

#[test]
pub fn a_completion_that_hangs_is_sent_again_and_stored_once() {
    for fault in [Fault::HangsBefore, Fault::HangsAfter, Fault::ArrivesAfter(TTL_MS + 1)] {
        let stage = Stage::new();
        stage.rerunnable("p", nothing());
        let (worker, director) = stage.worker("ann");
        director.plan("complete_process_with_lease", 1, fault);
        stage.sweep(&worker);
        stage.pass_ms(2 * TTL_MS);
        assert_eq!(stage.output("p"), success(json!("done")));
        assert_eq!(stage.events("p"), ["process.started", "process.completed"]);
        assert_eq!(director.made("complete_process_lease"), 0);
    }
}

#[test]
pub fn an_outcome_outlives_a_store_that_fails_for_longer_than_the_ttl() {
    let stage = Stage::new();
    stage.rerunnable("p", nothing());
    let (worker, director) = stage.worker("ann");
    for nth in 1..2_000 {
        director.plan("complete_process_with_lease", nth, Fault::Fails);
    }
    stage.sweep(&worker);
    stage.pass_ms(5 * TTL_MS);
    assert_eq!(stage.output("p"), None);
    assert_eq!(stage.lease("p").map(|lease| lease.fencing_token), Some(1), "it is kept meanwhile");
    director.forgive();
    stage.pass_ms(1_000);
    assert_eq!((stage.output("p"), stage.bodies_begun("p")), (success(json!("done")), 1));
}

#[test]
pub fn a_renewal_answered_with_anothers_lease_extends_nothing() {
    for anothers in [Anothers::Fence, Anothers::Token, Anothers::Incarnation, Anothers::Process] {
        let stage = Stage::new();
        stage.rerunnable("p", steps(100, 100));
        let (worker, director) = stage.worker("ann");
        for nth in 1..100 {
            director.plan("renew_process_lease", nth, Fault::AnswersAnothers(anothers));
        }
        stage.sweep(&worker);
        stage.pass_ms(20_000);
        let (last, ..) = stage.ledger.taken().last().cloned().unwrap();
        assert!(last < 1_000_000 + TTL_MS, "{anothers:?} was believed until {last}");
    }
}

#[test]
pub fn a_claim_answered_with_anothers_lease_runs_nothing() {
    for anothers in [Anothers::Incarnation, Anothers::Process] {
        let stage = Stage::new();
        stage.rerunnable("p", nothing());
        let (worker, director) = stage.worker("ann");
        director.plan("claim_process_lease", 1, Fault::AnswersAnothers(anothers));
        stage.sweep(&worker);
        stage.pass_ms(5_000);
        assert_eq!((stage.bodies_begun("p"), director.made("read_process")), (0, 0));
        assert_eq!(director.made("complete_process_lease"), 0, "what is another's is not released either");
    }
}

/// The answer of an old renewal says nothing about when the next one is due.
#[test]
pub fn a_late_answer_of_an_old_renewal_brings_no_renewal_forward() {
    let stage = Stage::new();
    stage.rerunnable("p", steps(50, 100));
    let (worker, director) = stage.worker("ann");
    director.plan("renew_process_lease", 1, Fault::AnswersAfter(1_500));
    stage.sweep(&worker);
    stage.pass_ms(4_950);
    assert_eq!(director.made("renew_process_lease"), 4, "at 1, 2, 3 and 4 seconds");
}

/// A start that failed is anybody's to make; but not after one that may have been recorded.
#[test]
pub fn a_first_start_that_may_have_been_recorded_is_settled_whatever_fails_after_it() {
    let stage = Stage::new();
    stage.register("p", fencepost::model::process::RecoveryDisposition::OwnerBound, nothing());
    let (worker, director) = stage.worker("ann");
    director.plan("record_first_started_with_lease", 1, Fault::LostAfter);
    director.plan("record_first_started_with_lease", 2, Fault::Fails);
    stage.sweep(&worker);
    stage.pass_ms(1_000);
    assert_eq!((stage.output("p"), stage.bodies_begun("p")), (success(json!("done")), 1));
}

#[test]
pub fn a_run_ends_in_the_millisecond_its_lease_runs_out() {
    let stage = Stage::new();
    let (worker, director) = stage.worker_with("ann", |config| {
        // Its failed renewals are 225 ms apart, which meets no ttl of 3,000.
        config.timings = LeaseTimings::new(TTL_MS, 900).unwrap();
    });
    for nth in 1..100 {
        director.plan("renew_process_lease", nth, Fault::Fails);
    }
    let registration = registration("p", RecoveryDisposition::Rerunnable, steps(1, 100_000));
    let run = worker.run_process(registration, ProcessExecutionContext::default(), CancellationToken::new());
    let answer = stage.environment.run(run).expect("it ends");
    assert!(answer.is_err_and(|error| error.is_refusal()));
    assert_eq!(stage.environment.now_epoch_ms(), 1_000_000 + TTL_MS);
}

#[test]
pub fn a_renewal_that_fails_late_is_followed_a_quarter_of_an_interval_later() {
    let stage = Stage::new();
    stage.rerunnable("p", steps(1, 100_000));
    let (worker, director) = stage.worker("ann");
    director.plan("renew_process_lease", 1, Fault::FailsAfter(100));
    stage.sweep(&worker);
    stage.pass_ms(RENEW_MS + 100 + RENEW_MS / 4 - 1);
    assert_eq!(director.made("renew_process_lease"), 1);
    stage.pass_ms(1);
    assert_eq!(director.made("renew_process_lease"), 2);
}

/// Renewals that never answer are not all waited for, or a registry that is down for long would be sent them all at
/// once.
#[test]
pub fn the_answer_of_a_renewal_before_the_last_three_comes_too_late() {
    let stage = Stage::new();
    stage.rerunnable("p", steps(1, 100_000));
    let (worker, director) = stage.worker_with("ann", |config| {
        config.timings = LeaseTimings::new(TTL_MS, 500).unwrap();
    });
    director.plan("renew_process_lease", 1, Fault::AnswersAfter(2_200));
    for nth in 2..100 {
        director.plan("renew_process_lease", nth, Fault::HangsBefore);
    }
    stage.sweep(&worker);
    // Sent at 500, 1,000, 1,500, 2,000 and 2,500: the answer of 2,700 is that of the first.
    stage.pass_ms(TTL_MS);
    assert_eq!(director.made("renew_process_lease"), 5);
    stage.pass_ms(10 * TTL_MS);
    assert_eq!(director.made("renew_process_lease"), 5, "the lease was lost at 3,000");
}

#[test]
pub fn a_body_that_has_ended_gives_its_permit_to_others_while_its_outcome_is_on_its_way() {
    let stage = Stage::new();
    stage.rerunnable("a", nothing());
    stage.rerunnable("b", nothing());
    let (worker, director) = stage.worker_with("ann", |config| config.max_concurrent_runs = 1);
    director.plan("complete_process_with_lease", 1, Fault::HangsBefore);
    stage.sweep(&worker);
    assert_eq!((stage.output("a"), stage.output("b")), (None, success(json!("done"))));
}

#[test]
pub fn the_first_renewal_is_an_interval_after_the_claim_whatever_the_clock_says() {
    let stage = Stage::new();
    stage.pass_ms(10 * TTL_MS);
    stage.rerunnable("p", steps(1, 100_000));
    let (worker, director) = stage.worker("ann");
    stage.sweep(&worker);
    stage.pass_ms(RENEW_MS - 1);
    assert_eq!(director.made("renew_process_lease"), 0);
    stage.pass_ms(1);
    assert_eq!(director.made("renew_process_lease"), 1);
}
