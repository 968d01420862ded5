//! The request for a search: which seeds on which stores, when to stop, and how much may be undecided. The size of the
//! standard search is here, too.

use crate::generate::profile::Profile;
use crate::laws::Laws;
use crate::plan::{PlanError, Store};
use crate::search::required_marks::RequiredMarks;
use crate::search::seeds::Seeds;
use crate::subject::{Subject, claims};

/// The standard search: so many seeds on each store.
pub const STANDARD_SEARCH: [(u64, Store); 2] = [(10_000, Store::Memory), (500, Store::Sqlite)];

/// The parts of the standard search that fit a subject, or that are on one of these stores.
pub fn standard_search(subject: &Subject, stores: Option<&[Store]>) -> Vec<(u64, Store)> {
    let is_wanted = |store: &Store| match stores {
        Some(stores) => stores.contains(store),
        // A registry that is not ours decides itself where it keeps its rows.
        None => subject.is_ours() && subject.can_keep_rows_in(*store) || *store == subject.store_needed,
    };
    STANDARD_SEARCH.into_iter().filter(|(_, store)| is_wanted(store)).collect()
}

/// Seeds to run with rows on one store.
#[derive(Debug, Clone)]
pub struct SeedsOnStore {
    pub seeds: Seeds,
    pub store: Store,
}

/// The breach that ends a search before its seeds are used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopRule {
    AtFirstBreach,
    /// Only a breach of this law ends the search.
    AtBreachOf(&'static str),
    Never,
}

#[derive(Clone)]
pub struct SearchRequest<'a> {
    pub subject: &'a Subject,
    pub profile: Option<&'static Profile>,
    /// Searched one after the other.
    pub parts: Vec<SeedsOnStore>,
    /// Threads.
    pub jobs: usize,
    /// Shared evenly by the parts.
    pub time_limit_us: Option<u64>,
    pub stop: StopRule,
    pub required_marks: RequiredMarks<'a>,
    /// The laws to judge; none: all of them.
    pub laws: Option<&'a [&'static str]>,
    /// How often a law may be undecided; once more makes the search inconclusive.
    pub undecided_allowed: u64,
    /// Runs to spend on each minimal reproducer; none: breaches are counted and not run again.
    pub shrink_runs: Option<u64>,
    /// Becomes true when somebody wants the search to end with what it has.
    pub is_interrupted: &'a (dyn Fn() -> bool + Sync),
}

/// Why a request cannot be searched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    #[error(
        "`{subject}` does not claim to keep `{law}`, and there is no such law. The laws are {}",
        Laws::names().join(", ")
    )]
    UnknownLaw { subject: &'static str, law: &'static str },
    #[error("`{subject}` does not claim to keep {laws}: there is nothing to judge")]
    NothingToJudge { subject: &'static str, laws: String },
    #[error(
        "this build has no SQLite to keep the rows of `{subject}` in: build fencepost-sim with its feature `sqlite`"
    )]
    NoSqlite { subject: &'static str },
    #[error("there is no seed to run: give more seeds, or fewer shards")]
    NoSeeds,
    #[error(transparent)]
    ImpossiblePlan(#[from] PlanError),
}

impl<'a> SearchRequest<'a> {
    /// One thread, until the first breach, without a minimal reproducer.
    pub fn new(subject: &'a Subject, parts: Vec<SeedsOnStore>) -> Self {
        Self {
            subject,
            profile: None,
            parts,
            jobs: 1,
            time_limit_us: None,
            stop: StopRule::AtFirstBreach,
            required_marks: RequiredMarks::BySize,
            laws: None,
            undecided_allowed: 0,
            shrink_runs: None,
            is_interrupted: &|| false,
        }
    }

    /// Refuses a search that would pass without having judged anything.
    pub fn check(&self) -> Result<(), RequestError> {
        let Subject { name: subject, not_claimed, .. } = *self.subject;
        let is_known =
            |claim: &str| Laws::names().contains(&claims::split(claim).0) && claims::is_part(claim);
        if let Some(law) = not_claimed.iter().find(|claim| !is_known(claim)) {
            return Err(RequestError::UnknownLaw { subject, law });
        }
        if let Some(laws) = self.laws
            && laws.iter().all(|law| not_claimed.contains(law))
        {
            return Err(RequestError::NothingToJudge { subject, laws: laws.join(", ") });
        }
        if self.parts.iter().any(|part| !self.subject.can_keep_rows_in(part.store)) {
            return Err(RequestError::NoSqlite { subject });
        }
        if self.parts.iter().all(|part| part.seeds.count() == 0) {
            return Err(RequestError::NoSeeds);
        }
        Ok(())
    }

    /// The number of seeds in all parts; none if time ends the search.
    pub fn seed_count(&self) -> Option<u64> {
        let is_counted = self.time_limit_us.is_none();
        is_counted.then(|| self.parts.iter().map(|part| part.seeds.count()).sum())
    }
}
