//! A row of the table: what came of one planted bug, and whether that is what must come of it.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::matrix::figures::median;
use crate::matrix::hunt::{HarnessPanic, Hunt};
use crate::matrix::proof::{Difference, Proof, Small};
use crate::planted::{ExpectedEnd, PlantedBug};

/// The most seeds that an obvious bug may take.
const AT_ONCE: u64 = 3;

/// What came of a planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
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

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Killed => "KILLED",
            Self::KilledFromSomeStarts => "KILLED FROM SOME STARTS",
            Self::KilledByAnotherLaw => "KILLED BY ANOTHER LAW",
            Self::SurvivedNeverReached => "SURVIVED: NEVER REACHED",
            Self::SurvivedNotJudged => "SURVIVED: NOT JUDGED",
            Self::HarnessError => "HARNESS ERROR",
        })
    }
}

impl Serialize for End {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub sabotage: &'static str,
    pub stands_for: &'static str,
    /// The law that must catch it.
    pub law: &'static str,
    pub fate: ExpectedEnd,
    #[serde(rename = "verdict")]
    pub end: End,
    /// As it should be.
    pub is_right: bool,
    /// Whichever law broke first, in the first search in which any did.
    pub first_law: Option<&'static str>,
    /// From each start; none, where it was not killed in time.
    pub needed: Vec<Option<u64>>,
    pub median: Option<u64>,
    pub worst: Option<u64>,
    /// The first plan that killed it, made small.
    pub small: Option<Small>,
    /// What shows, in that plan, that its wrong branch ran.
    pub first_difference: Option<Difference>,
    pub harness_panic: Option<HarnessPanic>,
}

impl Row {
    pub(super) fn new(
        sabotage: &PlantedBug,
        fate: ExpectedEnd,
        hunts: Vec<Result<Hunt, HarnessPanic>>,
        proof: Option<Result<Proof, HarnessPanic>>,
    ) -> Self {
        let mut harness_panic = None;
        let mut keep = |panicked: HarnessPanic| {
            harness_panic.get_or_insert(panicked);
        };
        let hunts: Vec<Hunt> = hunts.into_iter().filter_map(|hunt| hunt.map_err(&mut keep).ok()).collect();
        let proof = proof.and_then(|proof| proof.map_err(&mut keep).ok());

        let needed: Vec<Option<u64>> = hunts.iter().map(|hunt| hunt.needed).collect();
        let all: Option<Vec<u64>> = needed.iter().copied().collect();
        let (median, worst) = (median(needed.iter().copied()), all.and_then(|all| all.into_iter().max()));
        let first_law = hunts.iter().find_map(|hunt| hunt.first_law);

        let end = if harness_panic.is_some() {
            End::HarnessError
        } else if worst.is_some() {
            End::Killed
        } else if needed.iter().any(Option::is_some) {
            End::KilledFromSomeStarts
        } else if first_law.is_some() {
            End::KilledByAnotherLaw
        } else if hunts.iter().any(|hunt| hunt.was_reached) {
            End::SurvivedNotJudged
        } else {
            End::SurvivedNeverReached
        };
        let (small, first_difference) =
            proof.map_or((None, None), |proof| (Some(proof.small), proof.first_difference));
        let is_killed = end == End::Killed && first_difference.is_some();
        let is_right = match fate {
            ExpectedEnd::Killed => is_killed,
            ExpectedEnd::DiesAtOnce => is_killed && worst <= Some(AT_ONCE),
            ExpectedEnd::Survives => end == End::SurvivedNotJudged,
            ExpectedEnd::IsInert => end == End::SurvivedNeverReached,
        };
        let PlantedBug { name, stands_for, law, .. } = *sabotage;
        Self {
            sabotage: name,
            stands_for,
            law,
            fate,
            end,
            is_right,
            first_law,
            needed,
            median,
            worst,
            small,
            first_difference,
            harness_panic,
        }
    }

    pub fn line(&self) -> String {
        let number = |number: Option<u64>| number.map_or("-".to_owned(), |number| number.to_string());
        let (median, worst) = (number(self.median), number(self.worst));
        let steps = number(self.small.map(|small| small.steps));
        let wrong = match self.fate {
            _ if !self.is_right => "   WRONG",
            ExpectedEnd::Survives | ExpectedEnd::IsInert => ", as it must",
            ExpectedEnd::Killed | ExpectedEnd::DiesAtOnce => "",
        };
        format!("{:<32} {median:>6} {worst:>6} {steps:>5}   {}{wrong}", self.sabotage, self.came())
    }

    /// What came of it, in words.
    fn came(&self) -> String {
        let (end, law) = (self.end, self.law);
        let killed = match end {
            End::Killed => format!("{end} by {law}"),
            End::KilledFromSomeStarts => {
                let killed = self.needed.iter().flatten().count();
                format!("KILLED from {killed} of {} starts by {law}", self.needed.len())
            }
            End::KilledByAnotherLaw => {
                return format!("{end}: {}, and not {law}", self.first_law.unwrap_or("-"));
            }
            End::HarnessError => {
                let panicked = self.harness_panic.as_ref();
                return panicked.map_or_else(
                    || end.to_string(),
                    |panicked| format!("{end} in seed {}: {}", panicked.seed, panicked.said),
                );
            }
            End::SurvivedNeverReached | End::SurvivedNotJudged => return end.to_string(),
        };
        match &self.first_difference {
            Some(Difference { planted, truth, .. }) if planted == truth => {
                format!("{killed}: {planted} | the same, with other values")
            }
            Some(Difference { planted, truth, .. }) => format!("{killed}: {planted} | {truth}"),
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
        "what came of it: the first event that shows it | what happens truly"
    )
}
