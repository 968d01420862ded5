//! From a plan that breaks a law to a smaller one that breaks the same law, always by running the system again. The order
//! of attempts, biggest wins first: `remove.rs` (steps, nodes, processes), `simplify.rs` (single steps), `settings.rs` (the
//! header). `size.rs` says which of two plans is smaller.
//!
//! A minimal plan breaks its law under few seeds of the network, so each candidate is tried under eight of them. One is
//! enough, but once a plan breaks the law under half of them, candidates that break it under fewer are rejected. Every
//! accepted candidate is strictly smaller, so shrinking ends by itself.

pub mod necessity;
mod plan_names;
mod remove;
mod settings;
mod simplify;
mod size;

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::judge::{judge, record};
use crate::plan::Plan;
use crate::subject::Subject;

pub use settings::{Fact, facts};
pub use size::Size;

/// How many network seeds a candidate is tried under.
pub const NETWORK_SEEDS: u64 = 8;

/// The plan's own and its neighbours in its block of eight: the same eight, whichever of them a plan was made small under.
pub fn network_seeds(plan: &Plan) -> Vec<u64> {
    let first = plan.seed - plan.seed % NETWORK_SEEDS;
    let mut network_seeds: Vec<u64> = (0..NETWORK_SEEDS).map(|number| first + number).collect();
    network_seeds.sort_by_key(|seed| *seed != plan.seed);
    network_seeds
}

/// Runs that are enough for nearly every plan, and take less than ten seconds for the slowest.
pub const BUDGET: u64 = 3_000;

/// A plan that breaks its law under so many of them breaks it steadily.
const STEADY: usize = 4;

/// How a shrinking went.
#[derive(Debug, Clone)]
pub struct Shrunk {
    pub plan: Plan,
    pub runs: u64,
    pub ended: Ended,
}

/// Why it went no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Nothing that is tried makes it any smaller.
    Smallest,
    OutOfBudget,
    /// The watcher had enough.
    Interrupted,
    /// The plan that was given does not break the law.
    NotBroken,
}

/// How far a shrinking is, told after every candidate.
#[derive(Debug)]
pub struct Progress<'a> {
    pub runs: u64,
    pub budget: u64,
    /// Candidates, this one among them.
    pub tried: u64,
    /// The smallest so far.
    pub best: &'a Plan,
    /// The change that made this candidate.
    pub what: &'a str,
    /// True, if it still broke the law and is the best now.
    pub was_kept: bool,
}

/// Makes the plan smaller for as long as it breaks `law`, in at most `budget` runs. `log` hears of every candidate.
pub fn shrink(plan: &Plan, subject: &Subject, law: &str, budget: u64, log: &mut dyn FnMut(&str)) -> Shrunk {
    shrink_watched(plan, subject, law, budget, &mut |progress| {
        let came_of_it = if progress.was_kept { "kept" } else { "holds" };
        log(&format!("{came_of_it:<6} {}", progress.what));
        ControlFlow::Continue(())
    })
}

/// The same for a watcher that is asked after every candidate whether to go on. What was best by then is what it gives.
pub fn shrink_watched(
    plan: &Plan,
    subject: &Subject,
    law: &str,
    budget: u64,
    watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Shrunk {
    let mut shrinker = Shrinker {
        best: plan.clone(),
        is_steady: false,
        seeds: network_seeds(plan),
        subject,
        law,
        runs: 0,
        budget,
        tried: BTreeSet::new(),
        candidates: 0,
        watch,
        ended: None,
    };
    match shrinker.breaking(plan) {
        Some(found) => (shrinker.best, shrinker.is_steady) = found,
        None => {
            shrinker.ended.get_or_insert(Ended::NotBroken);
        }
    }
    while shrinker.ended.is_none() {
        if !shrinker.round() {
            shrinker.ended.get_or_insert(Ended::Smallest);
        }
    }
    Shrunk { plan: shrinker.best, runs: shrinker.runs, ended: shrinker.ended.unwrap_or(Ended::Smallest) }
}

/// One change of a plan, to be tried on whatever plan is the best when its turn comes.
pub struct Move {
    what: String,
    change: Box<dyn Fn(&mut Plan)>,
}

impl Move {
    fn new(what: impl Into<String>, change: impl Fn(&mut Plan) + 'static) -> Self {
        Self { what: what.into(), change: Box::new(change) }
    }
}

struct Shrinker<'a> {
    best: Plan,
    /// True, if it breaks the law under enough of the seeds.
    is_steady: bool,
    /// The one that broke last first.
    seeds: Vec<u64>,
    subject: &'a Subject,
    law: &'a str,
    runs: u64,
    budget: u64,
    /// Hashes of what was tried, which need not be tried again.
    tried: BTreeSet<u64>,
    candidates: u64,
    watch: &'a mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ended: Option<Ended>,
}

impl Shrinker<'_> {
    /// Tries everything once; true, if the plan became smaller.
    fn round(&mut self) -> bool {
        let before = self.best.clone();
        // Steps that can be removed need not be simplified.
        while self.remove_parts() {}
        self.try_all(simplify::steps(&self.best));
        self.try_all(settings::links_and_clocks(&self.best));
        self.try_all(settings::settings(&self.best));
        self.try_all(simplify::times(&self.best));
        if self.best == before {
            self.try_all(remove::pairs(&self.best));
        }
        self.best != before
    }

    fn remove_parts(&mut self) -> bool {
        let before = self.best.steps.len();
        self.remove_steps_after_the_breach();
        let mut size = self.best.steps.len().div_ceil(2);
        while size > 1 && self.ended.is_none() {
            self.try_all(remove::chunks(&self.best, size));
            size /= 2;
        }
        self.try_all(remove::without_processes_and_nodes(&self.best));
        self.try_all(remove::chunks(&self.best, 1));
        self.try_all(remove::without_processes_and_nodes(&self.best));
        self.best.steps.len() < before && self.ended.is_none()
    }

    fn try_all(&mut self, moves: Vec<Move>) {
        for Move { what, change } in moves {
            // For a large plan even making the candidates takes long.
            if self.ended.is_some() {
                return;
            }
            let mut candidate = self.best.clone();
            change(&mut candidate);
            // Steps at the same instant keep this order.
            candidate.steps.sort_by_key(|step| step.at_ms);
            self.attempt(&what, candidate);
        }
    }

    /// Steps after the breach cannot matter to it, unless it is one of the liveness phase.
    fn remove_steps_after_the_breach(&mut self) {
        if self.ended.is_some() || self.runs + 2 > self.budget {
            return;
        }
        let plan = Arc::new(self.best.clone());
        self.runs += 2;
        let Some(breach) = judge(&plan, self.subject).breach_of(self.law) else { return };
        let history = record(&plan, self.subject);
        let Some(event) = usize::try_from(breach.at).ok().and_then(|at| history.events.get(at)) else {
            return;
        };
        let breach_ms = event.at_us / 1_000 + 1;
        let mut candidate = self.best.clone();
        candidate.steps.retain(|step| step.at_ms <= breach_ms);
        self.attempt("no step after the breach", candidate);
        let mut candidate = self.best.clone();
        candidate.horizon_ms = candidate.horizon_ms.min(breach_ms.next_multiple_of(1_000));
        self.attempt("faults end soon after the breach", candidate);
    }

    /// The candidate is the best from now on, if it is smaller and breaks the law under enough seeds.
    fn attempt(&mut self, what: &str, candidate: Plan) {
        if self.ended.is_some() || Size::of(&candidate) >= Size::of(&self.best) || candidate.check().is_err()
        {
            return;
        }
        if !self.tried.insert(hash_of(&candidate)) {
            return;
        }
        let broken = self.breaking(&candidate);
        let was_kept = broken.is_some();
        if let Some((breaking, is_steady)) = broken {
            assert!(
                Size::of(&breaking) < Size::of(&self.best),
                "it ends by itself because it only goes down"
            );
            (self.best, self.is_steady) = (breaking, is_steady);
        }
        self.candidates += 1;
        let progress = Progress {
            runs: self.runs,
            budget: self.budget,
            tried: self.candidates,
            best: &self.best,
            what,
            was_kept,
        };
        if (self.watch)(&progress).is_break() {
            self.ended.get_or_insert(Ended::Interrupted);
        }
    }

    /// The candidate with a seed under which it breaks the law, and whether it does under enough of them; none, if it does
    /// under too few.
    fn breaking(&mut self, candidate: &Plan) -> Option<(Plan, bool)> {
        let wanted = if self.is_steady { STEADY } else { 1 };
        let mut broken_by = Vec::new();
        for (place, seed) in self.seeds.iter().enumerate() {
            let left = self.seeds.len() - place;
            if broken_by.len() == STEADY || broken_by.len() + left < wanted {
                break;
            }
            if self.runs >= self.budget {
                self.ended = Some(Ended::OutOfBudget);
                break;
            }
            self.runs += 1;
            let seeded = Arc::new(Plan { seed: *seed, ..candidate.clone() });
            if judge(&seeded, self.subject).breaks(self.law) {
                broken_by.push(*seed);
            }
        }
        let seed = *broken_by.first()?;
        if broken_by.len() < wanted {
            return None;
        }
        // Those that broke it last are asked first.
        self.seeds.sort_by_key(|seed| !broken_by.contains(seed));
        Some((Plan { seed, ..candidate.clone() }, broken_by.len() == STEADY))
    }
}

/// Covers everything but the seed, which is drawn anew for each candidate.
fn hash_of(plan: &Plan) -> u64 {
    let mut hasher = DefaultHasher::new();
    Plan { seed: 0, ..plan.clone() }.to_string().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shrinker<'a>(
        best: Plan,
        subject: &'a Subject,
        watch: &'a mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Shrinker<'a> {
        Shrinker {
            best,
            is_steady: false,
            seeds: (0..NETWORK_SEEDS).collect(),
            subject,
            law: "one-live-grant",
            runs: 0,
            budget: 100,
            tried: BTreeSet::new(),
            candidates: 0,
            watch,
            ended: None,
        }
    }

    #[test]
    fn a_candidate_is_tried_under_eight_seeds_and_never_again() {
        let step = "0ms register p1 rerunnable 1 steps of 10ms".parse().unwrap();
        let plan = Plan { steps: vec![step], ..Plan::quiet(1) };
        let smaller = Plan { steps: Vec::new(), ..plan.clone() };
        let subject = Subject::fencepost();
        let mut told = 0;
        let mut watch = |_: &Progress| {
            told += 1;
            ControlFlow::Continue(())
        };
        let mut shrinker = shrinker(plan.clone(), &subject, &mut watch);
        // Another seed makes no other candidate of it.
        for seed in [1, 1, 5] {
            shrinker.attempt("nothing", Plan { seed, ..smaller.clone() });
        }
        assert_eq!((shrinker.runs, shrinker.candidates, &shrinker.best), (NETWORK_SEEDS, 1, &plan));
        assert_eq!(told, 1);
    }

    #[test]
    fn whichever_seed_a_plan_is_made_small_under_its_seeds_are_the_same_eight() {
        let network_seeds = |seed: u64| network_seeds(&Plan::quiet(seed));
        for seed in [0, 6, 7, 8, 1 << 53, u64::MAX] {
            assert_eq!(network_seeds(seed)[0], seed, "its own is tried first");
            let sorted = |mut network_seeds: Vec<u64>| {
                network_seeds.sort_unstable();
                network_seeds
            };
            let eight = sorted(network_seeds(seed));
            assert_eq!(eight.len() as u64, NETWORK_SEEDS);
            assert!(eight.iter().all(|other| sorted(network_seeds(*other)) == eight), "{eight:?}");
        }
    }

    #[test]
    fn what_broke_the_law_when_the_budget_ended_is_not_given_up() {
        let mut subject = Subject::fencepost();
        subject.rules.token = |_| "token".to_owned();
        let work = "rerunnable 1 steps of 10ms";
        let steps = [&format!("0ms register p1 {work}"), &format!("0ms register p2 {work}"), "9s prune"];
        let steps: Vec<_> = steps.iter().map(|line| line.parse().unwrap()).collect();
        let plan = Plan { steps, ..Plan::quiet(1) };
        let smaller = Plan { steps: plan.steps[..2].to_vec(), ..plan.clone() };
        let mut watch = |_: &Progress| ControlFlow::Continue(());
        let mut shrinker =
            Shrinker { law: "tokens-are-drawn", budget: 1, ..shrinker(plan, &subject, &mut watch) };
        shrinker.attempt("without the prune", smaller.clone());
        assert_eq!((shrinker.runs, shrinker.ended), (1, Some(Ended::OutOfBudget)));
        assert_eq!(shrinker.best.steps, smaller.steps);
    }

    /// A plan of ten thousand steps has as many moves, and each copies it.
    #[test]
    fn once_it_has_ended_no_candidate_is_even_made() {
        let subject = Subject::fencepost();
        let mut watch = |_: &Progress| ControlFlow::Continue(());
        let mut shrinker = shrinker(Plan::quiet(1), &subject, &mut watch);
        shrinker.ended = Some(Ended::OutOfBudget);
        shrinker.try_all(vec![Move::new("a move", |_| panic!("it was made"))]);
    }

    #[test]
    fn what_is_no_smaller_or_no_plan_is_not_run() {
        let plan = Plan::quiet(1);
        let subject = Subject::fencepost();
        let mut watch = |_: &Progress| panic!("nothing was worth a try");
        let mut shrinker = shrinker(plan.clone(), &subject, &mut watch);
        let larger = Plan { horizon_ms: plan.horizon_ms + 1_000, ..plan.clone() };
        let impossible = Plan { workers: crate::plan::NodeNumbers(Vec::new()), ..plan.clone() };
        for candidate in [plan.clone(), larger, impossible] {
            shrinker.attempt("nothing", candidate);
        }
        assert_eq!(shrinker.runs, 0);
    }
}
