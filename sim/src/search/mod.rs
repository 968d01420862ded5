//! Searching many seeds for a broken law: a [`SearchRequest`] goes in, a [`SearchResult`] comes out. The command line,
//! `check`, the proptest strategy and the kill matrix all search through this module, so they agree on when to stop
//! (`request.rs`), and on what is broken or inconclusive (`policy.rs`).

pub mod clocks;
mod conclusion;
pub mod determinism;
mod findings;
mod policy;
mod reproducer;
mod request;
mod result;
mod seed_runs;
pub mod seeds;
pub mod tally;
mod watcher;

use std::sync::Arc;

use crate::judge::judge;
use crate::plan::Plan;
use crate::subject::Subject;

use clocks::Clocks;
use findings::Findings;

pub use conclusion::Conclusion;
pub use policy::{HarnessPanic, Reason, SearchedPart};
pub use reproducer::Reproducer;
pub use request::{RequestError, STANDARD_SEARCH, SearchRequest, SeedsOnStore, StopRule, standard_search};
pub use result::{FoundBreach, SearchResult, UndecidedLaw};
pub use seed_runs::{SeedRun, SeededPlans, processors, run_seeds, verdicts};
pub use watcher::SearchWatcher;

/// Runs the seeds of the request, reproduces what broke, and concludes.
pub fn search(
    request: &SearchRequest<'_>,
    watcher: &mut dyn SearchWatcher,
) -> Result<SearchResult, RequestError> {
    request.check()?;
    let began = Clocks::now();
    let mut found = Findings::new(request.subject);
    for place in 0..request.parts.len() {
        found.search_part(request, place, began.wall_us, watcher);
        if found.is_over() || (request.is_interrupted)() {
            break;
        }
    }
    watcher.seeds_done();
    let ended = Clocks::now();
    let plan_of =
        |seed, store| SeededPlans { store, profile: request.profile, subject: request.subject }.plan(seed);
    Ok(SearchResult {
        wall_us: ended.wall_us.saturating_sub(began.wall_us),
        cpu_us: ended.cpu_us.saturating_sub(began.cpu_us),
        ..found.conclude(request, plan_of)
    })
}

/// Runs one plan and concludes as a search does.
pub fn search_plan(plan: &Arc<Plan>, subject: &Subject, shrink_runs: u64) -> SearchResult {
    let mut found = Findings::new(subject);
    let request = SearchRequest { shrink_runs: Some(shrink_runs), ..SearchRequest::new(subject, Vec::new()) };
    found.add(judge(plan, subject), plan.store, &request, &mut ());
    found.conclude(&request, |_, _| Plan::clone(plan))
}
