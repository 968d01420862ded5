//! Checking a registry of your own: a tutorial. Read the first two tests for how a check is written and what it returns; the
//! others show each error.

use std::sync::Arc;

use async_trait::async_trait;
use fencepost::environment::Environment;
use fencepost::model::process::DurabilityTier;
use fencepost::registry::calls::{Answer, Call, Facade, Submit, dispatch};
use fencepost::store::MemoryStore;
use fencepost::{ProcessRegistry, Registry};
use fencepost_sim::check::{CheckError, check_plan};
use fencepost_sim::coverage::Mark;
use fencepost_sim::generate::generate;
use fencepost_sim::plan::chance::Seed;
use fencepost_sim::plan::{Plan, Store};
use fencepost_sim::search::{Reason, STANDARD_SEARCH};
use fencepost_sim::subject::{RandomSchedule, Schedule, Wakeup};
use fencepost_sim::{Options, Subject, check, planted};

/// Your registry. The clock and the entropy it uses are the ones it is handed: here those of a simulated machine.
struct MyRegistry {
    inner: Arc<dyn ProcessRegistry>,
    /// The bug of the second test.
    releases_any_lease: bool,
}

impl MyRegistry {
    fn open(environment: Arc<dyn Environment>) -> Facade<Self> {
        let inner = Arc::new(Registry::new(MemoryStore::new(), environment).inline());
        Facade(Self { inner, releases_any_lease: false })
    }

    fn open_with_bug(environment: Arc<dyn Environment>) -> Facade<Self> {
        let Facade(registry) = Self::open(environment);
        Facade(Self { releases_any_lease: true, ..registry })
    }
}

#[async_trait]
impl Submit for MyRegistry {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let call = match Arc::unwrap_or_clone(call) {
            // The bug: a release frees the lease whoever holds it.
            Call::CompleteProcessLease { mut completion } if self.releases_any_lease => {
                if let Some(lease) = self.inner.get_process_lease(&completion.process_id).await? {
                    completion.lease_token = lease.lease_token;
                }
                Call::CompleteProcessLease { completion }
            }
            call => call,
        };
        dispatch(self.inner.as_ref(), &call).await
    }

    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Inline
    }
}

/// A check runs 500 seeds, unless you ask for more. Each seed is a world of its own: crashes, pauses, cut links, clocks that
/// lie. `Ok` says how much was seen.
#[test]
fn a_registry_that_keeps_every_law_shows_how_much_was_seen() {
    let mine = Subject::of("mine", MyRegistry::open);

    let shown = check(&mine, &Options::default()).unwrap();

    assert_eq!(shown.seeds, 500);
    // No run left it open whether a law holds.
    assert_eq!(shown.undecided, 0);
    // Coverage marks say what the worlds were like. These runs had a claim that was taken over from a dead holder.
    assert!(shown.hits.of(Mark::ReclaimWon) > 0);
    // Five hundred seeds need not reach every mark. Those that were not reached are listed.
    assert!(shown.missed.iter().all(|mark| shown.hits.of(*mark) == 0));
}

/// `Err` has the law, the reason, the seed and a small plan that breaks the law. `unwrap` prints a report with a timeline.
#[test]
fn a_registry_that_breaks_a_law_shows_the_law_and_a_small_plan() {
    let mine = Subject::of("mine", MyRegistry::open_with_bug);

    let error = check(&mine, &Options { seeds: 0..2_000, ..Options::default() }).unwrap_err();

    let broken = error.broken().expect("a law is broken");
    assert!(["release-frees-own", "one-live-grant"].contains(&broken.breach.law), "{error}");
    assert!(!broken.breach.because.is_empty());
    assert!(broken.plan.steps.len() <= 8, "the plan was made small:\n{}", broken.plan);
    // The plan is a value: it breaks the law again, here and in a regression file.
    let again = check_plan(&mine, &Arc::new(broken.plan.clone()), 0).unwrap_err();
    assert_eq!(again.law(), Some(broken.breach.law));

    let report = error.to_string();
    for part in ["`mine` breaks it: ", "still broken without it", "who believed what", "replay it:  "] {
        assert!(report.contains(part), "{part}: {report}");
    }
}

/// The verdict is the command line's: a check as large as the standard search must reach every coverage mark. This subject
/// says that it keeps its rows on the disk, and keeps them in memory, so no fault of the disk ever reaches it.
#[test]
fn a_large_check_that_misses_a_coverage_mark_is_inconclusive_and_a_small_one_lists_it() {
    let mine = Subject { store_needed: Store::Sqlite, ..Subject::of("mine", MyRegistry::open) };
    let [_, (as_the_standard_search, _)] = STANDARD_SEARCH;

    let shown = check(&mine, &Options { seeds: 0..5, ..Options::default() }).unwrap();
    assert!(shown.missed.contains(&Mark::CommitFailed), "{:?}", shown.missed);

    let large = Options { seeds: 0..as_the_standard_search, ..Options::default() };
    let error = check(&mine, &large).unwrap_err();
    let CheckError::Inconclusive(inconclusive) = &error else { panic!("{error}") };
    assert!(inconclusive.missed.contains(&Mark::CommitFailed), "{error}");
    assert!(error.to_string().contains("never reached: "), "{error}");
}

#[test]
fn a_check_of_no_seed_and_an_unknown_law_are_bad_requests() {
    let none = check(&Subject::fencepost(), &Options { seeds: 5..5, ..Options::default() }).unwrap_err();
    assert!(matches!(none, CheckError::BadRequest(_)) && none.to_string().contains("no seed"), "{none}");
    let subject = Subject::fencepost().without_claiming(&["fences-only-shrink"]);
    let unknown = check(&subject, &Options { seeds: 0..1, ..Options::default() }).unwrap_err();
    assert!(unknown.to_string().contains("no such law"), "{unknown}");
}

#[test]
fn a_law_that_stays_undecided_makes_one_plan_inconclusive() {
    let text = Plan::quiet(1).to_string().replace(
        "steps = []",
        "steps = [\"0s register p1 rerunnable 1 steps of 10ms\", \"1s disk lies about syncs for 1s\"]",
    );
    let plan: Plan = text.replace("bound = 4", "bound = 4\nstore = \"sqlite\"").parse().unwrap();
    let error = check_plan(&Subject::fencepost(), &Arc::new(plan), 0).unwrap_err();
    let CheckError::Inconclusive(inconclusive) = &error else { panic!("{error}") };
    assert!(inconclusive.reasons.iter().any(|reason| matches!(reason, Reason::Undecided { .. })), "{error}");
    assert!(inconclusive.first_undecided.is_some() && error.law().is_none());
}

#[test]
fn a_panic_of_the_harness_is_an_error_with_its_seed() {
    fn panics_at_seed_nine(seed: Seed) -> Box<dyn Schedule> {
        assert!(seed.0 != 9, "nine is one too many");
        Box::new(RandomSchedule(seed))
    }
    let subject = Subject { schedule: Some(panics_at_seed_nine), ..Subject::fencepost() };
    let error = check(&subject, &Options { seeds: 0..20, ..Options::default() }).unwrap_err();
    let CheckError::HarnessPanicked(panicked) = &error else { panic!("{error}") };
    assert_eq!(panicked.seed, 9);
    assert!(error.to_string().contains("nine is one too many"), "{error}");
}

/// Ready tasks take another order in every run, so the plan does not decide the run.
#[test]
fn a_breach_that_does_not_come_again_is_not_deterministic() {
    static RUNS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    struct OnceBroken(u64);
    impl Schedule for OnceBroken {
        fn place(&mut self, wakeup: Wakeup) -> u64 {
            wakeup.task.wrapping_mul(self.0 | 1).rotate_left(17)
        }
    }
    fn schedule(_: Seed) -> Box<dyn Schedule> {
        let run = RUNS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Box::new(OnceBroken(run.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }
    let bug = planted::by_name("renew-then-write").unwrap();
    let subject = Subject { schedule: Some(schedule), ..bug.subject() };
    let law = bug.law;
    let leaky = (0..200).find_map(|seed| {
        let plan = Arc::new(generate(Seed(seed), Store::Memory));
        match check_plan(&subject, &plan, 0) {
            Err(CheckError::NotDeterministic { law, .. }) => Some(law),
            _ => None,
        }
    });
    assert!(leaky.is_some(), "every breach of {law} came again");
}
