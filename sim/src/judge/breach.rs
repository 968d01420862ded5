//! A breach: a law, the event that broke it and the reason. It is the same value from here to the report.

use serde::Serialize;

use crate::judge::Judged;
use crate::laws::Finding;

/// One law broken at one event of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Breach {
    pub law: &'static str,
    /// The law, as a sentence.
    pub sentence: &'static str,
    /// The number of the event that broke the law. It means something only beside the history, so reports leave it out.
    #[serde(skip)]
    pub at: u64,
    pub because: String,
}

impl Breach {
    /// The breach that a law's finding states, if it states one.
    pub fn found(judged: &Judged) -> Option<Self> {
        match &judged.finding {
            Finding::Broken { at, because } => {
                let Judged { law, sentence, .. } = *judged;
                Some(Self { law, sentence, at: *at, because: because.clone() })
            }
            Finding::Holds | Finding::Undecided { .. } => None,
        }
    }
}

/// The breach with the lowest event number; of several at one event, that of the law that is listed first.
pub fn first_breach(findings: &[Judged]) -> Option<Breach> {
    findings.iter().filter_map(Breach::found).min_by_key(|breach| breach.at)
}
