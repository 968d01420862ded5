//! Searching many seeds for a broken law: a [`SearchRequest`] goes in, a [`SearchResult`] comes out. The command line,
//! `check`, the proptest strategy and the kill matrix all search through this module, so they agree on when to stop
//! (`request.rs`), and on what is broken or inconclusive (`conclusion.rs`).

pub mod clocks;
mod conclusion;
pub mod determinism;
mod findings;
mod reproducer;
mod request;
mod required_marks;
mod result;
mod seed_runs;
pub mod seeds;
pub mod tally;
mod watcher;
pub mod zombie_windows;

use std::sync::Arc;

use crate::plan::Plan;
use crate::subject::Subject;

use clocks::Clocks;
use findings::Findings;
use seed_runs::run_plan;
use seeds::Seeds;

pub use conclusion::{Conclusion, HarnessPanic, Reason, SearchedPart};
pub use reproducer::Reproducer;
pub use request::{RequestError, STANDARD_SEARCH, SearchRequest, SeedsOnStore, StopRule, standard_search};
pub use required_marks::RequiredMarks;
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
    let mut found = Findings::new(request.subject, request.laws);
    for place in 0..request.parts.len() {
        if found.is_over() {
            break;
        }
        if (request.is_interrupted)() {
            found.interrupted();
            break;
        }
        found.search_part(request, place, began.wall_us, watcher);
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
pub fn search_plan(
    plan: &Arc<Plan>,
    subject: &Subject,
    shrink_runs: u64,
) -> Result<SearchResult, RequestError> {
    plan.check()?;
    let part =
        SeedsOnStore { seeds: Seeds::range(plan.seed..plan.seed.saturating_add(1)), store: plan.store };
    let request = SearchRequest { shrink_runs: Some(shrink_runs), ..SearchRequest::new(subject, vec![part]) };
    request.check()?;
    let mut found = Findings::new(subject, None);
    found.add_plan(run_plan(plan, subject), &request);
    Ok(found.conclude(&request, |_, _| Plan::clone(plan)))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::plan::Store;
    use crate::search::tally::Tally;

    /// Asks for the end once so many runs are added.
    struct InterruptsAfter<'a>(u64, &'a AtomicBool);

    impl SearchWatcher for InterruptsAfter<'_> {
        fn run_added(&mut self, tally: &Tally) {
            self.1.store(tally.seeds >= self.0, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_search_that_is_interrupted_between_two_parts_is_inconclusive() {
        let subject = Subject::fencepost();
        let is_asked = AtomicBool::new(false);
        let is_interrupted = || is_asked.load(Ordering::Relaxed);
        let part = |range| SeedsOnStore { seeds: Seeds::range(range), store: Store::Memory };
        let request = SearchRequest {
            is_interrupted: &is_interrupted,
            ..SearchRequest::new(&subject, vec![part(0..3), part(5..8)])
        };
        let result = search(&request, &mut InterruptsAfter(3, &is_asked)).unwrap();
        assert_eq!((result.tally.seeds, result.conclusion), (3, Conclusion::Inconclusive));
        assert!(result.reasons.contains(&Reason::Interrupted), "{:?}", result.reasons);
        assert!(result.reasons.contains(&Reason::NotSearched(vec!["5..8 on memory".to_owned()])));
    }

    #[test]
    fn a_plan_that_breaks_no_law_holds() {
        let result = search_plan(&Arc::new(Plan::quiet(7)), &Subject::fencepost(), 0).unwrap();
        assert_eq!((result.tally.seeds, result.conclusion), (1, Conclusion::Holds));
    }

    #[test]
    fn a_plan_that_cannot_be_run_is_refused() {
        let plan = Plan { sweep_ms: 0, ..Plan::quiet(1) };
        let refused = search_plan(&Arc::new(plan), &Subject::fencepost(), 0).map(|_| ()).unwrap_err();
        assert!(refused.to_string().starts_with("the plan cannot be run: sweep_ms"), "{refused}");
    }

    #[test]
    fn a_panic_of_the_harness_in_one_plan_is_a_failure_with_its_seed() {
        let subject = Subject { schedule: Some(|_| panic!("a world in pieces")), ..Subject::fencepost() };
        let result = search_plan(&Arc::new(Plan::quiet(7)), &subject, 0).unwrap();
        assert_eq!(result.conclusion, Conclusion::Failed);
        let panicked = result.panicked.unwrap();
        assert_eq!((panicked.seed, panicked.said.contains("a world in pieces")), (7, true));
    }
}
