//! Running many seeds on several threads. A run never leaves its thread, and results are handed on in the order of seeds,
//! whichever thread was first, so a search says the same with any number of threads. A panic of the harness is caught
//! and comes with its seed.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

use crate::generate::profile::Profile;
use crate::generate::{client_plan, generate, lease_plan};
use crate::judge::{Verdict, judge};
use crate::plan::chance::Seed;
use crate::plan::{Plan, Store};
use crate::search::clocks::thread_cpu_us;
use crate::search::seeds::Seeds;
use crate::subject::Subject;
use crate::support::panics;

/// The plan of each seed, and the subject it is run on.
#[derive(Clone, Copy)]
pub struct SeededPlans<'a> {
    pub store: Store,
    pub profile: Option<&'static Profile>,
    pub subject: &'a Subject,
}

impl<'a> SeededPlans<'a> {
    /// Unchanged plans, with rows where the subject keeps them.
    pub fn of(subject: &'a Subject) -> Self {
        Self { store: subject.store_needed, profile: None, subject }
    }

    pub fn plan(&self, seed: u64) -> Plan {
        let plan = match &self.subject.lease_door {
            None => generate(Seed(seed), self.store),
            Some(door) if self.subject.lease_client.is_some() => {
                client_plan(Seed(seed), door.clocks_apart_ms)
            }
            Some(door) => lease_plan(Seed(seed), door.clocks_apart_ms),
        };
        match self.profile {
            None => plan,
            Some(profile) => profile.apply(plan),
        }
    }
}

/// One run of a search.
pub struct SeedRun {
    pub seed: u64,
    /// The error is the message of a panic of the harness itself.
    pub verdict: Result<Verdict, String>,
    /// CPU time of the run and its laws.
    pub cpu_us: u64,
}

/// Runs the seeds and hands each run to `each`, in order, until `each` breaks. Once `is_enough` is true no further run is
/// begun; those that were begun are still handed on, so the runs are always the first part of the seeds, without gaps.
pub fn run_seeds(
    seeds: &Seeds,
    plans: &SeededPlans<'_>,
    jobs: usize,
    is_enough: &(dyn Fn() -> bool + Sync),
    mut each: impl FnMut(SeedRun) -> ControlFlow<()>,
) {
    let next = AtomicU64::new(0);
    let is_over = AtomicBool::new(false);
    let (sender, receiver) = mpsc::sync_channel(1_024);
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let sender = sender.clone();
            let (next, is_over) = (&next, &is_over);
            scope.spawn(move || {
                loop {
                    if is_over.load(Ordering::Relaxed) || is_enough() {
                        return;
                    }
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(seed) = seeds.nth(place) else { return };
                    let run = run(plans, seed);
                    // After a panic of the harness the thread's world is in an unknown state.
                    let has_panicked = run.verdict.is_err();
                    if sender.send((place, run)).is_err() || has_panicked {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut awaited = 0;
        for (place, run) in receiver {
            early.insert(place, run);
            while let Some(run) = early.remove(&awaited) {
                let has_panicked = run.verdict.is_err();
                if each(run).is_break() || has_panicked {
                    // Dropping the receiver stops threads that wait to send.
                    is_over.store(true, Ordering::Relaxed);
                    return;
                }
                awaited += 1;
            }
        }
    });
}

fn run(plans: &SeededPlans<'_>, seed: u64) -> SeedRun {
    caught(seed, || judge(&Arc::new(plans.plan(seed)), plans.subject))
}

/// Runs one plan.
pub fn run_plan(plan: &Arc<Plan>, subject: &Subject) -> SeedRun {
    caught(plan.seed, || judge(plan, subject))
}

fn caught(seed: u64, judge: impl FnOnce() -> Verdict) -> SeedRun {
    let began_us = thread_cpu_us();
    let verdict = catch_unwind(AssertUnwindSafe(judge)).map_err(|payload| panics::told(payload.as_ref()));
    SeedRun { seed, verdict, cpu_us: thread_cpu_us().saturating_sub(began_us) }
}

/// Runs a range of seeds and hands on each verdict, in order, until `each` breaks. Panics if the harness does.
pub fn verdicts(
    seeds: Range<u64>,
    plans: &SeededPlans<'_>,
    jobs: usize,
    mut each: impl FnMut(u64, Verdict) -> ControlFlow<()>,
) {
    run_seeds(&Seeds::range(seeds), plans, jobs, &|| false, |run| match run.verdict {
        Ok(verdict) => each(run.seed, verdict),
        Err(panicked) => panic!("the harness panicked in seed {}: {panicked}", run.seed),
    });
}

/// The machine's processors: a good number of threads.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::profile;
    use crate::subject::Schedule;

    #[test]
    fn a_panic_of_the_harness_ends_the_search_with_its_seed() {
        fn panics_at_nine(seed: Seed) -> Box<dyn Schedule> {
            assert!(seed.0 != 9, "a world in pieces");
            struct InOrder;
            impl Schedule for InOrder {
                fn place(&mut self, wakeup: crate::subject::Wakeup) -> u64 {
                    wakeup.task
                }
            }
            Box::new(InOrder)
        }
        let subject = Subject { schedule: Some(panics_at_nine), ..Subject::fencepost() };
        let mut seen = Vec::new();
        run_seeds(&Seeds::range(0..30), &SeededPlans::of(&subject), 2, &|| false, |run| {
            seen.push((run.seed, run.verdict.err()));
            ControlFlow::Continue(())
        });
        assert_eq!(seen.len(), 10);
        let (seed, said) = seen.pop().unwrap();
        assert_eq!((seed, said.unwrap().contains("a world in pieces")), (9, true));
        assert!(seen.iter().all(|(_, said)| said.is_none()));
    }

    #[test]
    fn a_search_that_is_stopped_early_has_run_the_first_seeds_without_gaps() {
        let subject = Subject::fencepost();
        let begun = AtomicU64::new(0);
        let mut seen = Vec::new();
        let is_enough = || begun.fetch_add(1, Ordering::Relaxed) >= 20;
        run_seeds(&Seeds::range(0..1_000), &SeededPlans::of(&subject), 3, &is_enough, |run| {
            seen.push(run.seed);
            ControlFlow::Continue(())
        });
        assert_eq!(seen, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn a_profile_changes_what_is_run() {
        let subject = Subject::fencepost();
        let plain = SeededPlans::of(&subject);
        let profiled =
            SeededPlans { profile: profile::by_name("one-worker").ok(), ..SeededPlans::of(&subject) };
        let differs = (0..20).any(|seed| plain.plan(seed) != profiled.plan(seed));
        assert!(differs);
        assert!((0..20).all(|seed| profiled.plan(seed).workers.0 == [1]));
    }
}
