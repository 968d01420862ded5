//! A breach: a law, the event that broke it and the reason. It is the same value from here to the report.

use serde::Serialize;

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
