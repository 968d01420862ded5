//! For programs: what a search has shown as one JSON document, what took how long beside it.

use serde::Serialize;

use crate::report::summary::{Summary, Timings};

/// Both in one, for standard output.
pub fn both(summary: &Summary, timings: &Timings) -> String {
    #[derive(Serialize)]
    struct Both<'a> {
        summary: &'a Summary,
        timings: &'a Timings,
    }
    pretty(&Both { summary, timings })
}

/// With a line's end at its end. Nothing that is written here can fail: it has no maps whose keys are no text.
pub fn pretty(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
