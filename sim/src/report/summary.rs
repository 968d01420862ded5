//! What a search has shown, as plain data. It says the same of the same seeds on any machine, with any number of jobs, so two
//! of them can be compared; what took how long is apart from it.

use serde::Serialize;

use crate::coverage::Mark;
use crate::plan::Store;
use crate::report::failure::Failure;
use crate::report::tally::{Longest, Tally};

/// Summaries of a newer format say so.
pub const FORMAT: u32 = 1;

#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    pub format: u32,
    pub verdict: &'static str,
    /// Why it is no other, where that is not plain.
    pub why: Vec<String>,
    pub exit_code: u8,
    pub subject: String,
    pub profile: Option<&'static str>,
    pub shard: String,
    pub searches: Vec<Searched>,
    pub seeds: u64,
    pub calls: u64,
    pub faults: u64,
    pub events: u64,
    pub simulated_us: u64,
    /// In hexadecimal: JavaScript rounds large numbers.
    pub hash: String,
    pub laws: Vec<LawLine>,
    pub marks: Vec<MarkLine>,
    pub longest_zombie_window: Option<LongestLine>,
    pub broken: Vec<BrokenLine>,
    /// Of every law that was broken, the first, made small.
    pub failures: Vec<FailureLine>,
    pub panicked: Option<PanickedLine>,
}

/// One range or list of seeds, on one store.
#[derive(Debug, Clone, Serialize)]
pub struct Searched {
    pub store: Store,
    /// The whole, of which this was one shard.
    pub seeds: String,
    /// None, where time alone ends it.
    pub wanted: Option<u64>,
    pub run: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct LawLine {
    pub law: &'static str,
    pub claimed: bool,
    pub checked: u64,
    pub held: u64,
    pub broken: u64,
    pub undecided: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct MarkLine {
    pub mark: &'static str,
    pub hit: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct LongestLine {
    pub us: u64,
    pub seed: u64,
    pub store: Store,
}

/// A seed that broke a law.
#[derive(Debug, Clone, Serialize)]
pub struct BrokenLine {
    pub seed: u64,
    pub store: Store,
    pub law: &'static str,
    pub because: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct FailureLine {
    pub law: &'static str,
    pub sentence: &'static str,
    pub because: String,
    pub seed: Option<u64>,
    pub process: Option<String>,
    pub steps: Vec<String>,
    /// As people read it.
    pub report: String,
}

/// Where the harness itself gave up.
#[derive(Debug, Clone, Serialize)]
pub struct PanickedLine {
    pub seed: u64,
    pub store: Store,
    pub said: String,
}

/// What differs from machine to machine.
#[derive(Debug, Clone, Serialize)]
pub struct Timings {
    pub jobs: usize,
    pub wall_us: u64,
    pub cpu_us: u64,
    pub seeds_per_second: u64,
    /// Simulated time over the processor's.
    pub simulated_to_real: u64,
    pub slowest_seed: Option<LongestLine>,
}

impl From<Longest> for LongestLine {
    fn from(Longest { us, seed, store }: Longest) -> Self {
        Self { us, seed, store }
    }
}

impl FailureLine {
    pub fn of(failure: &Failure, report: String) -> Self {
        Self {
            law: failure.broken.law,
            sentence: failure.broken.sentence,
            because: failure.broken.because.clone(),
            seed: failure.found.seed,
            process: failure.process().map(|process| process.to_string()),
            steps: failure.history.plan.steps.iter().map(ToString::to_string).collect(),
            report,
        }
    }
}

pub fn law_lines(tally: &Tally) -> Vec<LawLine> {
    let line = |law: &crate::report::tally::LawTally| LawLine {
        law: law.law,
        claimed: law.is_claimed,
        checked: law.checked,
        held: law.held,
        broken: law.broken,
        undecided: law.undecided,
    };
    tally.laws.iter().map(line).collect()
}

pub fn mark_lines(tally: &Tally) -> Vec<MarkLine> {
    Mark::ALL.iter().map(|mark| MarkLine { mark: mark.name(), hit: tally.hits.of(*mark) }).collect()
}

impl Timings {
    pub fn new(jobs: usize, wall_us: u64, cpu_us: u64, tally: &Tally, slowest: Option<Longest>) -> Self {
        let per = |part: u64, whole: u64| part.checked_div(whole).unwrap_or(0);
        Self {
            jobs,
            wall_us,
            cpu_us,
            seeds_per_second: per(tally.seeds.saturating_mul(1_000_000), wall_us),
            simulated_to_real: per(tally.simulated_us, cpu_us),
            slowest_seed: slowest.map(LongestLine::from),
        }
    }
}
