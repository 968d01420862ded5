//! The harness as a library: one call in a `#[test]` puts a registry to the test. Small unless it is asked for more.

pub mod property;

use std::fmt;
use std::ops::ControlFlow;

use crate::coverage::CoverageCounts;
use crate::generate::generate;
use crate::laws::Laws;
use crate::plan::chance::Seed;
use crate::plan::{Plan, Store};
use crate::report;
use crate::report::failure::Found;
use crate::report::human;
use crate::report::human::Leads;
use crate::search::{Search, search};
use crate::shrink::shrink;
use crate::subject::Subject;

/// How much to look for.
#[derive(Debug, Clone)]
pub struct Options {
    pub seeds: std::ops::Range<u64>,
    pub jobs: usize,
    /// Runs to spend on making a breaking plan smaller.
    pub shrink_runs: u64,
    /// How often it may be unclear whether a law holds; once more is a failure.
    pub most_undecided: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { seeds: 0..500, jobs: 2, shrink_runs: 1_000, most_undecided: 0 }
    }
}

/// What a check that broke no law has shown.
#[derive(Debug, Clone)]
pub struct Shown {
    pub seeds: u64,
    pub hits: CoverageCounts,
    /// How often it could not be told whether a law holds.
    pub undecided: u64,
}

/// A broken law, with the small plan that breaks it.
pub struct Failure {
    pub law: &'static str,
    pub seed: u64,
    pub plan: Plan,
    report: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report)
    }
}

/// So that `unwrap` in a test shows what a reader wants to see.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}

/// Searches for a plan that makes the subject break a law it claims to keep.
pub fn check(subject: &Subject, options: &Options) -> Result<Shown, Box<Failure>> {
    if let Some(unknown) = subject.not_claimed.iter().find(|name| !Laws::names().contains(name)) {
        let report = format!(
            "`{}` does not claim to keep `{unknown}`, and there is no such law. The laws are {}\n",
            subject.name,
            Laws::names().join(", ")
        );
        return Err(Box::new(Failure { law: unknown, seed: 0, plan: Plan::quiet(0), report }));
    }
    let wanted = Search {
        seeds: options.seeds.clone(),
        jobs: options.jobs,
        store: subject.store_needed,
        subject: subject.clone(),
    };
    let mut shown = Shown { seeds: 0, hits: CoverageCounts::default(), undecided: 0 };
    let mut found = None;
    let mut unclear = None;
    search(&wanted, |seed, verdict| {
        shown.seeds += 1;
        shown.hits.add(&verdict.hits);
        for (law, why) in verdict.undecided() {
            shown.undecided += 1;
            unclear.get_or_insert((seed, law, why.to_owned()));
        }
        match verdict.broken() {
            None => ControlFlow::Continue(()),
            Some(broken) => {
                found = Some((seed, broken.law));
                ControlFlow::Break(())
            }
        }
    });
    if let (None, true, Some((seed, law, why))) = (&found, shown.undecided > options.most_undecided, unclear)
    {
        let times = shown.undecided;
        let report = format!(
            "of `{}` it could not be told {times} times whether a law holds; first `{law}`, with seed {seed}: {why}\n",
            subject.name
        );
        let plan = generate(Seed(seed), subject.store_needed);
        return Err(Box::new(Failure { law, seed, plan, report }));
    }
    match found {
        None => Ok(shown),
        Some((seed, law)) => {
            let plan = generate(Seed(seed), subject.store_needed);
            Err(Box::new(failure(subject, &plan, law, options.shrink_runs)))
        }
    }
}

/// The report of a plan that breaks a law, with the plan made small.
pub fn failure(subject: &Subject, plan: &Plan, law: &'static str, shrink_runs: u64) -> Failure {
    let seed = plan.seed;
    let shrunk = shrink(plan, subject, law, shrink_runs, &mut |_| {});
    let store = match plan.store {
        Store::Memory => "",
        Store::Sqlite => " --store sqlite",
    };
    let line = |command: &str, more: &str| format!("YOUR-BINARY {command} {seed}{store}{more}");
    let leads = Leads {
        replay: line(
            "replay",
            " --shrunk --timeline text   (a binary that calls cli::main_for for this subject)",
        ),
        debug: line("replay", &format!(" --shrunk --timeline html --out {law}-{seed}.html")),
        keep: line("keep", ""),
        elsewhere: None,
    };
    let found = Found { seed: Some(seed), store: plan.store, steps: plan.steps.len(), runs: shrunk.runs };
    let report = match report::failure::Failure::of(&shrunk.plan, subject, law, found) {
        Some(failure) => human::failure(&failure, &leads),
        None => format!(
            "`{}` broke {law} with seed {seed}, and not again: its runs are no function of their plans. \
             `determinism` of a binary of your own names the first event that differs\n",
            subject.name
        ),
    };
    Failure { law, seed, plan: shrunk.plan, report }
}
