//! Reports for programs: a search as one JSON document, with its timings beside it.

use serde::Serialize;

use crate::report::summary::{Summary, Timings};

/// The summary and the timings in one document, for standard output.
pub fn both(summary: &Summary, timings: &Timings) -> String {
    #[derive(Serialize)]
    struct Both<'a> {
        summary: &'a Summary,
        timings: &'a Timings,
    }
    pretty(&Both { summary, timings })
}

/// Indented, with a final newline. Serialising cannot fail: no value here has a map whose keys are not text.
pub fn pretty(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
