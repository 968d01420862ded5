//! Many seeds, on several threads: one run never leaves its thread, and results are handed on in the order of seeds,
//! whatever thread was first. So a search of the same seeds says the same, with any number of jobs. A panic of the harness
//! is caught with its seed.

mod conclusion;
pub mod determinism;
pub mod seeds;

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

use crate::generate::generate;
use crate::generate::profile::Profile;
use crate::judge::{Verdict, judge};
use crate::plan::chance::Seed;
use crate::plan::{Plan, Store};
use crate::search::seeds::Seeds;
use crate::subject::Subject;
use crate::support::panics;

pub use conclusion::Conclusion;

/// Which runs to make.
#[derive(Clone)]
pub struct Search {
    pub seeds: Range<u64>,
    pub jobs: usize,
    pub store: Store,
    pub subject: Subject,
}

/// Runs every seed, and hands each verdict on in order until `each` has enough.
pub fn search(search: &Search, each: impl FnMut(u64, Verdict) -> ControlFlow<()>) {
    let plans = Plans { store: search.store, profile: None, subject: &search.subject };
    verdicts(search.seeds.clone(), &plans, search.jobs, each);
}

/// The same, of these plans.
pub fn verdicts(
    seeds: Range<u64>,
    plans: &Plans<'_>,
    jobs: usize,
    mut each: impl FnMut(u64, Verdict) -> ControlFlow<()>,
) {
    search_among(&Seeds::range(seeds), plans, jobs, &|| false, |done| match done.verdict {
        Ok(verdict) => each(done.seed, verdict),
        Err(panicked) => panic!("the harness panicked in seed {}: {panicked}", done.seed),
    });
}

/// Plans that can be told from each other by their seed, and whom they are for.
#[derive(Clone, Copy)]
pub struct Plans<'a> {
    pub store: Store,
    pub profile: Option<&'static Profile>,
    pub subject: &'a Subject,
}

impl<'a> Plans<'a> {
    /// As the subject's rows are kept, unless somebody says otherwise.
    pub fn of(subject: &'a Subject) -> Self {
        Self { store: subject.store_needed, profile: None, subject }
    }

    pub fn plan(&self, seed: u64) -> Plan {
        let plan = generate(Seed(seed), self.store);
        match self.profile {
            None => plan,
            Some(profile) => profile.apply(plan),
        }
    }
}

/// One run that was made.
pub struct Done {
    pub seed: u64,
    /// Or what the harness itself panicked with.
    pub verdict: Result<Verdict, String>,
    /// What it took of a processor, judging and all.
    pub cpu_us: u64,
}

/// Makes the runs and hands each on, in order, until `each` has enough. Once `is_enough` says so no other is begun; those
/// that were are still handed on, and so what was run is always the first part of what was asked for.
pub fn search_among(
    seeds: &Seeds,
    plans: &Plans<'_>,
    jobs: usize,
    is_enough: &(dyn Fn() -> bool + Sync),
    mut each: impl FnMut(Done) -> ControlFlow<()>,
) {
    let next = AtomicU64::new(0);
    let is_over = AtomicBool::new(false);
    let (found, finds) = mpsc::sync_channel(1_024);
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let found = found.clone();
            let (next, is_over) = (&next, &is_over);
            scope.spawn(move || {
                loop {
                    if is_over.load(Ordering::Relaxed) || is_enough() {
                        return;
                    }
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(seed) = seeds.nth(place) else { return };
                    let done = run(plans, seed);
                    // A thread in which the harness panicked has a world in pieces.
                    let is_broken = done.verdict.is_err();
                    if found.send((place, done)).is_err() || is_broken {
                        return;
                    }
                }
            });
        }
        drop(found);
        let mut early = BTreeMap::new();
        let mut awaited = 0;
        for (place, done) in finds {
            early.insert(place, done);
            while let Some(done) = early.remove(&awaited) {
                let has_panicked = done.verdict.is_err();
                if each(done).is_break() || has_panicked {
                    // Dropping the receiver stops whoever waits to send.
                    is_over.store(true, Ordering::Relaxed);
                    return;
                }
                awaited += 1;
            }
        }
    });
}

fn run(plans: &Plans<'_>, seed: u64) -> Done {
    let began_us = thread_cpu_us();
    let verdict = catch_unwind(AssertUnwindSafe(|| judge(&Arc::new(plans.plan(seed)), plans.subject)));
    let verdict = verdict.map_err(|payload| panics::told(payload.as_ref()));
    Done { seed, verdict, cpu_us: thread_cpu_us().saturating_sub(began_us) }
}

fn thread_cpu_us() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::profile;
    use crate::world::Schedule;

    #[test]
    fn a_panic_of_the_harness_ends_the_search_with_its_seed() {
        fn panics_at_nine(seed: Seed) -> Box<dyn Schedule> {
            assert!(seed.0 != 9, "a world in pieces");
            struct Calm;
            impl Schedule for Calm {
                fn place(&mut self, wakeup: crate::world::Wakeup) -> u64 {
                    wakeup.task
                }
            }
            Box::new(Calm)
        }
        let subject = Subject { schedule: Some(panics_at_nine), ..Subject::fencepost() };
        let mut seen = Vec::new();
        search_among(&Seeds::range(0..30), &Plans::of(&subject), 2, &|| false, |done| {
            seen.push((done.seed, done.verdict.err()));
            ControlFlow::Continue(())
        });
        assert_eq!(seen.len(), 10);
        let (seed, said) = seen.pop().unwrap();
        assert_eq!((seed, said.unwrap().contains("a world in pieces")), (9, true));
        assert!(seen.iter().all(|(_, said)| said.is_none()));
    }

    #[test]
    fn whoever_has_enough_still_gets_a_first_part_without_gaps() {
        let subject = Subject::fencepost();
        let begun = AtomicU64::new(0);
        let mut seen = Vec::new();
        let is_enough = || begun.fetch_add(1, Ordering::Relaxed) >= 20;
        search_among(&Seeds::range(0..1_000), &Plans::of(&subject), 3, &is_enough, |done| {
            seen.push(done.seed);
            ControlFlow::Continue(())
        });
        assert_eq!(seen, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn a_profile_changes_what_is_run() {
        let subject = Subject::fencepost();
        let plain = Plans::of(&subject);
        let profiled = Plans { profile: profile::by_name("one-worker").ok(), ..Plans::of(&subject) };
        let differs = (0..20).any(|seed| plain.plan(seed) != profiled.plan(seed));
        assert!(differs);
        assert!((0..20).all(|seed| profiled.plan(seed).workers.0 == [1]));
    }
}
