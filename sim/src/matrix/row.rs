//! A row of the kill matrix: the verdict on one planted bug, and whether it is the expected one.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::matrix::bug_search::BugSearch;
use crate::matrix::least_witness::LeastWitness;
use crate::matrix::proof::{FirstDifference, Proof, ReproducerSize};
use crate::planted::{ExpectedEnd, PlantedBug};
use crate::search::HarnessPanic;

/// The most seeds that a bug may take which must be killed at once.
const AT_ONCE: u64 = 3;

/// The result of the searches for one planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KillVerdict {
    /// By its own law, from every start.
    Killed,
    /// By its own law, from some starts and not from all.
    KilledFromSomeStarts,
    /// Laws broke, and its own did not.
    KilledByAnotherLaw,
    /// No run differed from the true system's.
    SurvivedNeverReached,
    /// Runs differed, and no law broke.
    SurvivedNotJudged,
    /// A run could not be made.
    HarnessError,
}

impl fmt::Display for KillVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Killed => "CAUGHT",
            Self::KilledFromSomeStarts => "CAUGHT FROM SOME STARTS",
            Self::KilledByAnotherLaw => "CAUGHT BY ANOTHER LAW",
            Self::SurvivedNeverReached => "SURVIVED: NEVER REACHED",
            Self::SurvivedNotJudged => "SURVIVED: NOT JUDGED",
            Self::HarnessError => "HARNESS ERROR",
        })
    }
}

impl Serialize for KillVerdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct Row {
    #[serde(rename = "sabotage")]
    pub bug: &'static str,
    pub stands_for: &'static str,
    /// The law that must catch it.
    pub law: &'static str,
    #[serde(rename = "fate")]
    pub expected: ExpectedEnd,
    pub verdict: KillVerdict,
    /// True, if the verdict is the expected one.
    pub is_right: bool,
    /// The law that broke first in the first search that broke any.
    pub first_law: Option<&'static str>,
    /// Seeds needed from each start; none where it was not killed in time.
    pub needed: Vec<Option<u64>>,
    pub median: Option<u64>,
    pub worst: Option<u64>,
    /// The first plan that killed it, made small.
    pub small: Option<ReproducerSize>,
    /// The event of that plan that shows that the planted code ran.
    pub first_difference: Option<FirstDifference>,
    /// The least number of deviations that shows it; none if it was not asked for.
    pub witness: Option<LeastWitness>,
    pub harness_panic: Option<HarnessPanic>,
}

impl Row {
    pub(super) fn new(
        bug: &PlantedBug,
        expected: ExpectedEnd,
        searches: Vec<Result<BugSearch, HarnessPanic>>,
        proof: Option<Result<Proof, HarnessPanic>>,
        witness: Option<Result<LeastWitness, HarnessPanic>>,
    ) -> Self {
        let mut harness_panic = None;
        let mut first_panic = |panicked: HarnessPanic| {
            harness_panic.get_or_insert(panicked);
        };
        let searches: Vec<BugSearch> =
            searches.into_iter().filter_map(|search| search.map_err(&mut first_panic).ok()).collect();
        let proof = proof.and_then(|proof| proof.map_err(&mut first_panic).ok());
        let witness = witness.and_then(|witness| witness.map_err(&mut first_panic).ok());

        let needed: Vec<Option<u64>> = searches.iter().map(|search| search.needed).collect();
        let all: Option<Vec<u64>> = needed.iter().copied().collect();
        let (median, worst) = (median(needed.iter().copied()), all.and_then(|all| all.into_iter().max()));
        let first_law = searches.iter().find_map(|search| search.first_law);

        let verdict = if harness_panic.is_some() {
            KillVerdict::HarnessError
        } else if worst.is_some() {
            KillVerdict::Killed
        } else if needed.iter().any(Option::is_some) {
            KillVerdict::KilledFromSomeStarts
        } else if first_law.is_some() {
            KillVerdict::KilledByAnotherLaw
        } else if searches.iter().any(|search| search.was_reached) {
            KillVerdict::SurvivedNotJudged
        } else {
            KillVerdict::SurvivedNeverReached
        };
        let (small, first_difference) =
            proof.map_or((None, None), |proof| (Some(proof.small), proof.first_difference));
        let is_killed = verdict == KillVerdict::Killed && first_difference.is_some();
        let is_right = match expected {
            ExpectedEnd::Killed => is_killed,
            ExpectedEnd::DiesAtOnce => is_killed && worst <= Some(AT_ONCE),
            ExpectedEnd::Survives => verdict == KillVerdict::SurvivedNotJudged,
            ExpectedEnd::IsInert => verdict == KillVerdict::SurvivedNeverReached,
        };
        let PlantedBug { name, stands_for, law, .. } = *bug;
        Self {
            bug: name,
            stands_for,
            law,
            expected,
            verdict,
            is_right,
            first_law,
            needed,
            median,
            worst,
            small,
            first_difference,
            witness,
            harness_panic,
        }
    }

    pub fn line(&self) -> String {
        let number = |number: Option<u64>| number.map_or("-".to_owned(), |number| number.to_string());
        let (median, worst) = (number(self.median), number(self.worst));
        let steps = number(self.small.map(|small| small.steps));
        let wrong = match self.expected {
            _ if !self.is_right => "   WRONG",
            ExpectedEnd::Survives | ExpectedEnd::IsInert => ", as it must",
            ExpectedEnd::Killed | ExpectedEnd::DiesAtOnce => "",
        };
        let least = self.witness.as_ref().map_or_else(String::new, |witness| format!("[{witness}] "));
        let verdict = self.verdict_in_words();
        format!("{:<32} {median:>6} {worst:>6} {steps:>5}   {least}{verdict}{wrong}", self.bug)
    }

    fn verdict_in_words(&self) -> String {
        let (verdict, law) = (self.verdict, self.law);
        let killed = match verdict {
            KillVerdict::Killed => format!("{verdict} by {law}"),
            KillVerdict::KilledFromSomeStarts => {
                let killed = self.needed.iter().flatten().count();
                format!("CAUGHT from {killed} of {} starts by {law}", self.needed.len())
            }
            KillVerdict::KilledByAnotherLaw => {
                return format!("{verdict}: {}, and not {law}", self.first_law.unwrap_or("-"));
            }
            KillVerdict::HarnessError => {
                let panicked = self.harness_panic.as_ref();
                return panicked.map_or_else(
                    || verdict.to_string(),
                    |panicked| format!("{verdict} in seed {}: {}", panicked.seed, panicked.said),
                );
            }
            KillVerdict::SurvivedNeverReached | KillVerdict::SurvivedNotJudged => return verdict.to_string(),
        };
        match &self.first_difference {
            Some(FirstDifference { planted, truth, .. }) if planted == truth => {
                format!("{killed}: {planted} | the same, with other values")
            }
            Some(FirstDifference { planted, truth, .. }) => format!("{killed}: {planted} | {truth}"),
            None => format!("{killed}, where it does what the true system does"),
        }
    }
}

pub fn heading() -> String {
    format!(
        "{:<32} {:>6} {:>6} {:>5}   {}",
        "sabotage",
        "median",
        "worst",
        "steps",
        "verdict: first event that the bug changes | that event without the bug"
    )
}

/// The median, with unknown numbers above all others.
pub(super) fn median(numbers: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    let mut numbers: Vec<u64> = numbers.map(|number| number.unwrap_or(u64::MAX)).collect();
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied().filter(|number| *number < u64::MAX)
}
