//! The leading figure: CPU seconds and decided calls to kill every planted bug by its own law, summed over the catalogue. Calls
//! are free of noise, CPU is not. Beside it, the situations that a search reaches for its CPU. `CATALOGUE_KILLS=30` repeats
//! each search from so many starts, for an error worth its name; `CATALOGUE_BUGS=a,b` leaves the others out.

use fencepost_sim::coverage::Mark;
use fencepost_sim::plan::Store;
use fencepost_sim::planted::{self, PlantedBug};
use fencepost_sim::search::seeds::Seeds;
use fencepost_sim::search::{SearchRequest, SearchResult, SeedsOnStore, StopRule, search};
use fencepost_sim::subject::Subject;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A search that has not killed its bug by then is counted as one that has, and named.
const MOST_SEEDS: u64 = 4_000;
const STARTS_APART: u64 = 1_000_000;

/// The cost of one kill, or the sum or the mean of several.
#[derive(Clone, Copy, Default)]
struct Cost {
    seeds: f64,
    calls: f64,
    cpu_ms: f64,
}

impl Cost {
    fn of(result: &SearchResult) -> Self {
        Self {
            seeds: result.tally.seeds as f64,
            calls: result.tally.calls as f64,
            cpu_ms: result.cpu_us as f64 / 1_000.0,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            seeds: self.seeds + other.seeds,
            calls: self.calls + other.calls,
            cpu_ms: self.cpu_ms + other.cpu_ms,
        }
    }

    fn divided_by(self, count: f64) -> Self {
        Self { seeds: self.seeds / count, calls: self.calls / count, cpu_ms: self.cpu_ms / count }
    }
}

fn seeds_of(subject: &Subject, start: u64, count: u64, stop: StopRule) -> SearchResult {
    let seeds = Seeds::range(start..start + count);
    let part = SeedsOnStore { seeds, store: subject.store_needed };
    search(&SearchRequest { stop, ..SearchRequest::new(subject, vec![part]) }, &mut ())
        .expect("a planted bug can be searched for")
}

/// The mean cost of killing the bug, the variance of the calls of that mean, and how often it was not killed.
fn kills(bug: &PlantedBug, count: u64) -> (Cost, f64, u64) {
    let subject = bug.subject();
    let (mut costs, mut missed) = (Vec::new(), 0);
    for kill in 0..count {
        let result = seeds_of(&subject, kill * STARTS_APART, MOST_SEEDS, StopRule::AtBreachOf(bug.law));
        missed += u64::from(result.target_seed.is_none());
        costs.push(Cost::of(&result));
    }
    let sum = costs.iter().fold(Cost::default(), |sum, cost| sum.plus(*cost));
    let mean = sum.divided_by(count as f64);
    let squares: f64 = costs.iter().map(|cost| (cost.calls - mean.calls).powi(2)).sum();
    let variance = squares / (count.saturating_sub(1).max(1) * count) as f64;
    (mean, variance, missed)
}

fn line(name: &str, cost: Cost, error: f64, note: &str) {
    println!(
        "{name:<36} {:>9.1} {:>12.0} {:>9.0} {:>10.1}{note}",
        cost.seeds,
        cost.calls,
        error.sqrt(),
        cost.cpu_ms
    );
}

/// Distinct situations that so many seeds reach, for each CPU second.
fn situations(store: Store, count: u64) {
    let subject = Subject { store_needed: store, ..Subject::fencepost() };
    let result = seeds_of(&subject, 0, count, StopRule::Never);
    let reached = Mark::ALL.iter().filter(|mark| result.tally.hits.of(**mark) > 0).count();
    let cpu_s = result.cpu_us as f64 / 1_000_000.0;
    println!(
        "{count} seeds on {}: {reached} situations in {cpu_s:.2} s of CPU, {:.0} calls a seed, {:.1} situations a CPU second",
        store.name(),
        result.tally.calls as f64 / count as f64,
        reached as f64 / cpu_s
    );
}

fn main() {
    let kills_wanted =
        std::env::var("CATALOGUE_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(3);
    let bugs = std::env::var("CATALOGUE_BUGS").unwrap_or_default();
    let is_wanted = |bug: &&PlantedBug| bugs.is_empty() || bugs.split(',').any(|name| name == bug.name);
    println!("{kills_wanted} kills of each planted bug by its own law: the mean of");
    println!("{:<36} {:>9} {:>12} {:>9} {:>10}", "bug", "seeds", "calls", "+-", "CPU ms");
    let (mut total, mut variance) = (Cost::default(), 0.0);
    for bug in planted::all().filter(is_wanted) {
        let (mean, of_mean, missed) = kills(bug, kills_wanted);
        let note = if missed > 0 { format!("   not killed {missed} times") } else { String::new() };
        line(bug.name, mean, of_mean, &note);
        total = total.plus(mean);
        variance += of_mean;
    }
    line("the catalogue", total, variance, "");
    situations(Store::Memory, 2_000);
    situations(Store::Sqlite, 100);
}
