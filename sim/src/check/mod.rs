//! The harness as a library: one call in a `#[test]` searches for a law that a registry, a worker or its waits break, or proves
//! a scope. The verdict is the one that the command line gives for the same seeds.

mod error;
pub mod property;
mod scope;

use std::ops::Range;
use std::sync::Arc;

use crate::coverage::{CoverageCounts, Mark};
use crate::plan::Plan;
use crate::search::seeds::Seeds;
use crate::search::{Reproducer, SearchRequest, SearchResult, SeedsOnStore, search, search_plan};
use crate::subject::Subject;

pub use error::{BrokenLaw, CheckError, Inconclusive, NotProven};
pub use scope::prove;

/// The size of a check.
#[derive(Debug, Clone)]
pub struct Options {
    pub seeds: Range<u64>,
    /// Threads.
    pub jobs: usize,
    /// Runs to spend on making a breaking plan smaller.
    pub shrink_runs: u64,
    /// How often it may be undecided whether a law holds; once more is an error.
    pub most_undecided: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { seeds: 0..500, jobs: 2, shrink_runs: 1_000, most_undecided: 0 }
    }
}

/// The evidence of a check that broke no law.
#[derive(Debug, Clone)]
pub struct Passed {
    pub seeds: u64,
    /// How often each coverage mark was reached.
    pub hits: CoverageCounts,
    /// Coverage marks that were not reached. In a check as large as the standard search a missed mark is an error.
    pub missed: Vec<Mark>,
    /// How often it was undecided whether a law holds.
    pub undecided: u64,
}

/// Searches for a plan that makes the subject break a law it claims to keep.
///
/// ```
/// use fencepost_sim::{Options, Subject, check};
///
/// let options = Options { seeds: 0..20, ..Options::default() };
/// let passed = check(&Subject::fencepost(), &options).unwrap();
/// assert_eq!(passed.seeds, 20);
/// ```
pub fn check(subject: &Subject, options: &Options) -> Result<Passed, CheckError> {
    let seeds = Seeds::range(options.seeds.clone());
    let part = SeedsOnStore { seeds, store: subject.store_needed };
    let request = SearchRequest {
        jobs: options.jobs,
        undecided_allowed: options.most_undecided,
        shrink_runs: Some(options.shrink_runs),
        ..SearchRequest::new(subject, vec![part])
    };
    let result = error::if_not_held(search(&request, &mut ())?, subject)?;
    let undecided = result.tally.undecided();
    let SearchResult { tally, missed, .. } = result;
    Ok(Passed { seeds: tally.seeds, hits: tally.hits, missed, undecided })
}

/// Runs one plan.
pub fn check_plan(subject: &Subject, plan: &Arc<Plan>, shrink_runs: u64) -> Result<(), CheckError> {
    error::if_not_held(search_plan(plan, subject, shrink_runs)?, subject).map(drop)
}

/// Makes a plan small that breaks a law, and reports the breach.
pub fn reproduce(
    subject: &Subject,
    plan: &Plan,
    law: &'static str,
    shrink_runs: u64,
) -> Result<BrokenLaw, CheckError> {
    match Reproducer::find(plan, subject, law, shrink_runs, &|| false) {
        Some(reproducer) => Ok(BrokenLaw::new(reproducer, subject)),
        None => Err(CheckError::NotDeterministic { subject: subject.name, law, seed: plan.seed }),
    }
}
