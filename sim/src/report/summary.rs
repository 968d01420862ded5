//! Search results as plain data for all formats. The summary is the same for the same seeds on any machine and with any
//! number of jobs, so two summaries can be compared; timings are a value of their own.

use serde::Serialize;

use crate::coverage::Mark;
use crate::judge::Breach;
use crate::lease::LeaseClaim;
use crate::report::failure::Failure;
use crate::report::format::{SUMMARY, TIMINGS};
use crate::search::seeds::Shard;
use crate::search::tally::{LawTally, TimedSeed};
use crate::search::zombie_windows::WindowRange;
use crate::search::{Conclusion, FoundBreach, HarnessPanic, Reproducer, SearchResult, SearchedPart};
use crate::subject::{LeaseDoor, Subject};

#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    pub format: u32,
    pub verdict: Conclusion,
    /// The reasons for the verdict.
    pub why: Vec<String>,
    pub exit_code: u8,
    pub subject: String,
    pub profile: Option<String>,
    pub shard: String,
    pub searches: Vec<SearchedPart>,
    pub seeds: u64,
    pub calls: u64,
    pub faults: u64,
    pub events: u64,
    pub simulated_us: u64,
    /// In hexadecimal: JavaScript rounds large numbers.
    pub hash: String,
    pub laws: Vec<LawTally>,
    pub marks: Vec<MarkLine>,
    pub longest_zombie_window: Option<TimedSeed>,
    pub zombie_windows: Vec<WindowRange>,
    /// The longest time that two contenders acted as the holder of one key; only for a lease service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_overlap: Option<TimedSeed>,
    /// The promises of a lease service, made and not made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_claims: Option<LeaseClaims>,
    pub broken: Vec<FoundBreach>,
    /// Every law that was broken in any seed, with the first such seed.
    pub laws_broken: Vec<FoundBreach>,
    /// The broken laws whose plan was made small.
    pub failures: Vec<FailureLine>,
    pub panicked: Option<HarnessPanic>,
}

/// The promises of a lease service, in words.
#[derive(Debug, Clone, Serialize)]
pub struct LeaseClaims {
    pub claimed: Vec<&'static str>,
    pub not_claimed: Vec<&'static str>,
    /// All this is promised only where no two clocks are further apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clocks_apart_ms: Option<u64>,
}

#[derive(Debug, Clone, Serialize)]
pub struct MarkLine {
    pub mark: &'static str,
    pub hit: u64,
}

/// A broken law, made small.
#[derive(Debug, Clone, Serialize)]
pub struct FailureLine {
    #[serde(flatten)]
    pub breach: Breach,
    pub seed: u64,
    pub process: Option<String>,
    pub steps: Vec<String>,
    /// The report for people.
    pub report: String,
}

/// Figures that differ from machine to machine.
#[derive(Debug, Clone, Serialize)]
pub struct Timings {
    pub format: u32,
    pub jobs: usize,
    pub wall_us: u64,
    pub cpu_us: u64,
    pub seeds_per_second: u64,
    /// Simulated time divided by CPU time.
    pub simulated_to_real: u64,
    pub slowest_seed: Option<TimedSeed>,
}

impl Summary {
    pub fn new(
        result: &SearchResult,
        subject: &Subject,
        profile: Option<&str>,
        shard: Shard,
        failures: Vec<FailureLine>,
    ) -> Self {
        let tally = &result.tally;
        let mark = |mark: &Mark| MarkLine { mark: mark.name(), hit: tally.hits.of(*mark) };
        Self {
            format: SUMMARY,
            verdict: result.conclusion,
            why: result.reasons.iter().map(ToString::to_string).collect(),
            exit_code: result.conclusion.exit_code(),
            subject: subject.name.to_owned(),
            profile: profile.map(str::to_owned),
            shard: shard.to_string(),
            searches: result.parts.clone(),
            seeds: tally.seeds,
            calls: tally.calls,
            faults: tally.faults,
            events: tally.events,
            simulated_us: tally.simulated_us,
            hash: format!("{:016x}", tally.hash),
            laws: tally.laws.clone(),
            marks: tally.marks.iter().map(mark).collect(),
            longest_zombie_window: tally.zombie,
            zombie_windows: tally.zombie_windows.ranges(),
            longest_overlap: tally.overlap,
            lease_claims: subject.lease_door.as_ref().map(LeaseClaims::new),
            broken: result.breaches.clone(),
            laws_broken: result.laws_broken.clone(),
            failures,
            panicked: result.panicked.clone(),
        }
    }
}

impl Summary {
    /// How this law was broken, if it was and was made small.
    pub fn failure_of(&self, law: &str) -> Option<&FailureLine> {
        self.failures.iter().find(|failure| failure.breach.law == law)
    }
}

impl LeaseClaims {
    fn new(door: &LeaseDoor) -> Self {
        let (claimed, not_claimed): (Vec<LeaseClaim>, Vec<LeaseClaim>) =
            door.claimable().iter().partition(|claim| door.claims.contains(claim));
        let said = |claims: Vec<LeaseClaim>| claims.into_iter().map(LeaseClaim::sentence).collect();
        Self { claimed: said(claimed), not_claimed: said(not_claimed), clocks_apart_ms: door.clocks_apart_ms }
    }
}

impl FailureLine {
    pub fn new(failure: &Failure, report: String) -> Self {
        let Reproducer { breach, seed, .. } = &failure.reproducer;
        Self {
            breach: breach.clone(),
            seed: *seed,
            process: failure.reproducer.process().map(|process| process.to_string()),
            steps: failure.reproducer.plan().steps.iter().map(ToString::to_string).collect(),
            report,
        }
    }
}

impl Timings {
    pub fn new(jobs: usize, result: &SearchResult) -> Self {
        let per = |part: u64, whole: u64| part.checked_div(whole).unwrap_or(0);
        let SearchResult { tally, wall_us, cpu_us, .. } = result;
        Self {
            format: TIMINGS,
            jobs,
            wall_us: *wall_us,
            cpu_us: *cpu_us,
            seeds_per_second: per(tally.seeds.saturating_mul(1_000_000), *wall_us),
            simulated_to_real: per(tally.simulated_us, *cpu_us),
            slowest_seed: result.slowest,
        }
    }
}
