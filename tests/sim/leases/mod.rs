//! The narrow door: locks under test by four calls. A toy lock in a `HashMap` is honest, or wrong in one place; each wrong one
//! is caught by the law one would expect, soon.

mod odd_locks;
mod toy_lock;

use std::ops::ControlFlow;
use std::sync::Arc;

use fencepost_sim::check::CheckError;
use fencepost_sim::generate::lease_plan;
use fencepost_sim::judge::judge;
use fencepost_sim::laws::Laws;
use fencepost_sim::lease::{ALWAYS_JUDGED, LeaseClaim};
use fencepost_sim::plan::chance::Seed;
use fencepost_sim::search::{SeededPlans, verdicts};
use fencepost_sim::{Options, Subject, check};

use odd_locks::{BelievesForEver, FailsNowAndThen, TakesItsTime, WritesUnguarded};
use toy_lock::{Flaw, ToyLock};

fn toy(name: &'static str, flaw: Flaw) -> Subject {
    Subject::lease(name, ToyLock::open(flaw), LeaseClaim::ALL)
}

fn seeds(end: u64) -> Options {
    Options { seeds: 0..end, ..Options::default() }
}

fn law_broken(found: Result<impl Sized, CheckError>) -> &'static str {
    let failure = found.err().expect("a law is broken");
    failure.law().unwrap_or_else(|| panic!("{failure}"))
}

/// As large as the standard search, so every mark that leases can reach was reached.
#[test]
fn the_honest_toy_breaks_no_law_in_twenty_thousand_seeds() {
    let shown = check(&toy("toy", Flaw::None), &seeds(20_000)).unwrap();
    assert_eq!((shown.seeds, shown.undecided, shown.missed), (20_000, 0, vec![]));
}

/// Until the named law breaks, in order, from five starts.
#[test]
fn each_broken_toy_is_caught_by_its_law_within_twenty_seeds() {
    for (name, flaw, law) in [
        ("toy-without-fence-check", Flaw::NoFenceCheck, "stale-writer-refused"),
        ("toy-by-the-callers-clock", Flaw::ExpiryByTheCallersClock, "one-live-grant"),
        ("toy-released-by-anybody", Flaw::ReleaseWithoutToken, "release-frees-own"),
        ("toy-whose-fence-restarts", Flaw::FenceRestarts, "fences-only-grow"),
    ] {
        let subject = toy(name, flaw);
        let mut needed: Vec<u64> =
            (0..5).map(|start| seeds_needed(&subject, start * 1_000_000, law)).collect();
        needed.sort_unstable();
        assert!(needed[2] <= 20, "{name}: {needed:?}");
    }
}

fn seeds_needed(subject: &Subject, start: u64, law: &str) -> u64 {
    let mut needed = u64::MAX;
    verdicts(start..start + 2_000, &SeededPlans::of(subject), 1, |seed, verdict| {
        if !verdict.breaks(law) {
            return ControlFlow::Continue(());
        }
        needed = seed - start + 1;
        ControlFlow::Break(())
    });
    needed
}

#[test]
fn a_breach_comes_with_a_small_plan_and_its_timeline() {
    let failure = check(&toy("toy-wide-open", Flaw::NoFenceCheck), &seeds(100)).unwrap_err();
    let report = failure.to_string();
    assert!(report.contains("`toy-wide-open` breaks it: process p"), "{report}");
    assert!(report.contains("\nx "), "{report}");
    assert!(failure.broken().unwrap().plan.steps.len() <= 8, "{report}");
}

/// A crate that elects a leader makes no writes that could be judged. Only the beliefs of its members can.
#[test]
fn two_grants_that_hold_a_key_by_the_word_of_the_service_are_caught() {
    let subject = Subject::lease("believes-for-ever", BelievesForEver::open, &[LeaseClaim::OneHolder]);
    let failure = check(&subject, &seeds(500)).unwrap_err();
    assert_eq!(failure.law(), Some("one-live-grant"), "{failure}");
    assert!(failure.to_string().contains("asked who holds the key, the service named fence"), "{failure}");
}

#[test]
fn a_lock_whose_writes_nobody_guards_does_not_claim_them() {
    let all = Subject::lease("unguarded", WritesUnguarded::open, LeaseClaim::ALL);
    assert_eq!(law_broken(check(&all, &seeds(500))), "stale-writer-refused");
    // Without the claim of guarded writes, a late write of an old holder is allowed.
    let others = [LeaseClaim::FencesGrow, LeaseClaim::OneHolder];
    check(&Subject::lease("unguarded", WritesUnguarded::open, &others), &seeds(500)).unwrap();
}

/// A lock that promises nothing under wrong clocks is judged only under clocks that it tolerates.
#[test]
fn a_lock_that_goes_by_callers_clocks_is_judged_under_the_clocks_it_tolerates() {
    let lock = || toy("toy-by-clocks-that-agree", Flaw::ExpiryByTheCallersClock);
    law_broken(check(&lock(), &seeds(100)));
    law_broken(check(&lock().where_clocks_agree_within(400), &seeds(500)));
    check(&lock().where_clocks_agree_within(0), &seeds(500)).unwrap();
}

#[test]
fn calls_that_take_time_and_calls_that_fail_are_lawful() {
    let slow = Subject::lease("takes-its-time", TakesItsTime::open, LeaseClaim::ALL);
    let shown = check(&slow, &Options { most_undecided: u64::MAX, ..seeds(300) }).unwrap();
    assert_eq!(shown.seeds, 300);
    // It goes on failing when all faults are over, so nobody can say how long an end takes.
    let failing = Subject::lease("fails-now-and-then", FailsNowAndThen::open, LeaseClaim::ALL)
        .without_claiming(&["calm-ends-everything"]);
    check(&failing, &seeds(150)).unwrap();
}

#[test]
fn the_same_plan_gives_the_same_events() {
    let subject = toy("toy-again", Flaw::None);
    for seed in 0..200 {
        let plan = Arc::new(lease_plan(Seed(seed), None));
        let (once, again) = (judge(&plan, &subject), judge(&plan, &subject));
        assert_eq!((once.hash, once.events), (again.hash, again.events), "seed {seed}");
    }
}

#[test]
fn a_registrys_plan_can_be_run_on_a_lock_too() {
    let subject = toy("toy-of-registrys-plans", Flaw::None);
    for seed in 0..200 {
        let plan = fencepost_sim::generate::generate(Seed(seed), fencepost_sim::plan::Store::Memory);
        let verdict = judge(&Arc::new(plan), &subject);
        assert_eq!(verdict.broken(), None, "seed {seed}");
    }
}

#[test]
fn every_claim_has_laws_that_there_are_and_no_law_has_two() {
    let known = Laws::names();
    let mut judged: Vec<&str> = LeaseClaim::ALL.iter().flat_map(|claim| claim.laws()).copied().collect();
    judged.extend(ALWAYS_JUDGED);
    for (place, law) in judged.iter().enumerate() {
        assert!(known.contains(law), "there is no law {law}");
        assert!(!judged[..place].contains(law), "{law} stands there twice");
    }
    let modest = Subject::lease("modest", ToyLock::open(Flaw::None), &[LeaseClaim::FencesGrow]);
    let claimed: Vec<&str> = known.into_iter().filter(|law| modest.claims(law)).collect();
    assert_eq!(
        claimed,
        ["fences-only-grow", "outside-sees-fences-in-order", "nobody-panics", "calm-ends-everything"]
    );
}
