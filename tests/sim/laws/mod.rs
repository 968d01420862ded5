//! The laws, tried on histories written by hand. Each law has a file of cases here, named after it: a history that it accepts,
//! and a twin, different in one point, that it rejects at the event that breaks it. To test a new law, write its file of
//! cases and name it in the list below.

mod cards;
mod history_builder;
mod lookalikes;
mod overlaps;

use fencepost::model::process::RecoveryDisposition;
use fencepost_sim::laws::{Finding, Laws};

use history_builder::{ANN, BOB, history, judged, result_of};

/// How a law reads a history, step by step.
#[test]
fn tutorial_a_lawful_history_and_its_unlawful_twin() {
    // A history is a list of events. This one begins at 1,000 ms: a process is registered, and the registry grants a lease on
    // it to Ann, worker 1, with fencing token 1. Leases in this history last 3,000 ms.
    let begun = || history().at(1_000).registered(RecoveryDisposition::Rerunnable).granted(ANN, 1);

    // Ann's lease expires at 4,000 ms. At that very millisecond it is over, so the registry may grant the process to Bob.
    let lawful = begun().at(4_000).granted(BOB, 2);

    // The laws see one event after the other. Afterwards each has a finding.
    let laws = judged(&lawful);
    let one_live_grant = result_of(&laws, "one-live-grant");
    assert_eq!(one_live_grant.finding(), Finding::Holds);
    // It held because it was put to the test, and not because nothing happened: two grants were made.
    assert_eq!(one_live_grant.checked(), 2);

    // The twin differs in a single millisecond: Bob gets his lease while Ann still has hers.
    let unlawful = begun().at(3_999).granted(BOB, 2);

    // The finding names the event that broke the law, counted from 0, and says why.
    let laws = judged(&unlawful);
    assert_eq!(
        result_of(&laws, "one-live-grant").finding(),
        Finding::Broken {
            at: 2,
            because: "a claim was granted fence 2 while fence 1 was live for 1 ms more; right: busy"
                .to_owned()
        }
    );

    // Other laws look at the same event from their own side. A law that it does not concern says nothing.
    assert!(matches!(result_of(&laws, "expiry-is-exact").finding(), Finding::Broken { at: 2, .. }));
    assert_eq!(result_of(&laws, "fences-only-grow").finding(), Finding::Holds);
    assert_eq!(result_of(&laws, "tokens-are-drawn").checked(), 0);
}

macro_rules! laws_with_cases {
    ($($law:ident)*) => {
        $(mod $law;)*

        /// The laws that have a file of cases, by their files' names.
        const LAWS_WITH_CASES: &[&str] = &[$(stringify!($law),)*];

        mod accepts_what_is_lawful_and_rejects_what_is_not_where_it_happens {
            $(#[test]
            fn $law() {
                super::history_builder::check(&stringify!($law).replace('_', "-"), &super::$law::cases());
            })*
        }
    };
}

laws_with_cases! {
    abandonment_is_licensed
    acknowledged_survives
    answers_match_the_model
    bodies_overlap_within_bound
    calls_apply_once
    calm_ends_everything
    ends_once
    expiry_is_exact
    externally_owned_never_runs
    fences_only_grow
    leases_last_as_asked
    linearizable
    live_writer_accepted
    lives_do_not_mix
    log_is_dense
    lost_means_silent
    nobody_panics
    nothing_after_the_end
    one_live_grant
    outcomes_are_not_dropped
    outside_sees_fences_in_order
    owner_bound_starts_once
    reclaim_takes_the_observed_dead
    refusal_changes_nothing
    release_frees_own
    replay_key_is_one_event
    stale_writer_refused
    starts_are_first
    tokens_are_drawn
    waits_tell_the_truth
}

#[test]
fn every_law_has_a_file_of_cases() {
    let mut laws: Vec<String> = Laws::names().into_iter().map(|name| name.replace('-', "_")).collect();
    laws.sort();
    assert_eq!(laws, LAWS_WITH_CASES);
}
