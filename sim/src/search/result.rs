//! The result of a search as plain data: its sums, every breach with its seed, the minimal reproducers, and the conclusion
//! with its reasons.

use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::coverage::Mark;
use crate::judge::Breach;
use crate::plan::Store;
use crate::search::conclusion::Conclusion;
use crate::search::conclusion::{HarnessPanic, Reason, SearchedPart};
use crate::search::reproducer::Reproducer;
use crate::search::tally::{Tally, TimedSeed};

pub struct SearchResult {
    pub conclusion: Conclusion,
    pub reasons: Vec<Reason>,
    pub tally: Tally,
    /// The parts that were begun, in the order of the request.
    pub parts: Vec<SearchedPart>,
    /// Every seed that broke a law, with the first breach of its run.
    pub breaches: Vec<FoundBreach>,
    /// Every law that was broken in any run, with its breach in the first of these runs.
    pub laws_broken: Vec<FoundBreach>,
    /// One for each law that the request asks to be reproduced.
    pub reproducers: Vec<Reproducer>,
    pub first_undecided: Option<UndecidedLaw>,
    /// Coverage marks that no run reached and that these stores can reach.
    pub missed: Vec<Mark>,
    pub panicked: Option<HarnessPanic>,
    /// The seed that broke the law of [`StopRule::AtBreachOf`](crate::search::StopRule::AtBreachOf).
    pub target_seed: Option<u64>,
    pub slowest: Option<TimedSeed>,
    /// True time and CPU time of the search, without the minimal reproducers.
    pub wall_us: u64,
    pub cpu_us: u64,
}

/// A breach, and the run it happened in.
#[derive(Debug, Clone)]
pub struct FoundBreach {
    pub seed: u64,
    pub store: Store,
    pub breach: Breach,
}

impl fmt::Display for FoundBreach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {} on {}: {}", self.seed, self.store.name(), self.breach.because)
    }
}

/// Reports name the law and the reason; the law's sentence is in its table and the event in the history.
impl Serialize for FoundBreach {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_struct("FoundBreach", 4)?;
        line.serialize_field("seed", &self.seed)?;
        line.serialize_field("store", &self.store)?;
        line.serialize_field("law", &self.breach.law)?;
        line.serialize_field("because", &self.breach.because)?;
        line.end()
    }
}

/// A law of which it could not be told whether it holds in this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndecidedLaw {
    pub seed: u64,
    pub law: &'static str,
    pub because: String,
}
