//! The search for one planted bug from one start: how many seeds it takes until the bug's own law is broken, and otherwise
//! whether the bug changed any run.

use crate::planted::PlantedBug;
use crate::search::seeds::Seeds;
use crate::search::{
    HarnessPanic, RequestError, SearchRequest, SearchResult, SeedsOnStore, StopRule, search,
};
use crate::subject::Subject;

/// The result of one search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BugSearch {
    /// The seed that broke the bug's own law.
    pub killed_by: Option<u64>,
    /// Seeds until then.
    pub needed: Option<u64>,
    /// The law that broke first in the search, which may be another one.
    pub first_law: Option<&'static str>,
    /// True, if any run differs from the true system's run of the same plan.
    pub was_reached: bool,
}

/// Tries up to `most` seeds, from `start` upwards.
pub fn search_for(
    bug: &PlantedBug,
    start: u64,
    most: u64,
    is_interrupted: &(dyn Fn() -> bool + Sync),
) -> Result<BugSearch, HarnessPanic> {
    let subject = bug.subject();
    let of = |subject: &Subject, count: u64, stop: StopRule| {
        let seeds = Seeds::range(start..start.saturating_add(count));
        let part = SeedsOnStore { seeds, store: subject.store_needed };
        let request = SearchRequest { stop, is_interrupted, ..SearchRequest::new(subject, vec![part]) };
        search(&request, &mut ())
    };
    let found = completed(of(&subject, most, StopRule::AtBreachOf(bug.law)))?;
    let Some(SearchResult { tally, breaches, target_seed, .. }) = found else {
        return Ok(BugSearch { killed_by: None, needed: None, first_law: None, was_reached: false });
    };
    let first_law = breaches.first().map(|first| first.breach.law);
    let killed_by = target_seed;
    let needed = killed_by.map(|_| tally.seeds);
    let was_reached = match first_law {
        // The true system breaks no law, so this run is another.
        Some(_) => true,
        None => {
            let truth = Subject { store_needed: subject.store_needed, ..Subject::fencepost() };
            let same_seeds = completed(of(&truth, tally.seeds, StopRule::Never))?;
            same_seeds.is_some_and(|truth| truth.tally.hash != tally.hash)
        }
    };
    Ok(BugSearch { killed_by, needed, first_law, was_reached })
}

/// The result of a search that ran all it could; none if there was no seed to run.
fn completed(result: Result<SearchResult, RequestError>) -> Result<Option<SearchResult>, HarnessPanic> {
    match result {
        Ok(SearchResult { panicked: Some(panicked), .. }) => Err(panicked),
        Ok(result) => Ok(Some(result)),
        Err(
            RequestError::NoSeeds
            | RequestError::NoSqlite { .. }
            | RequestError::NothingToJudge { .. }
            | RequestError::UnknownLaw { .. }
            | RequestError::ImpossiblePlan(_),
        ) => Ok(None),
    }
}
