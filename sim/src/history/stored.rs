//! Histories as text, read back. A text that no run can have written is refused before any law judges it.

use serde::Deserialize;

use crate::history::event::{Event, EventKind, GrantName};
use crate::history::{EventNote, History};
use crate::plan::{FORMAT, Plan};

/// A history, and the facts about its subject that a judgement needs.
pub struct StoredHistory {
    pub history: History,
    /// The name of its subject, if the file has one.
    pub subject: Option<String>,
    /// The registry is ours, which decides each call at one reading of its clock.
    pub is_ours: bool,
    /// Laws that its subject does not claim to keep.
    pub not_claimed: Vec<String>,
}

/// Why a text is no history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryTextError {
    #[error("{0}")]
    NoHistory(String),
    #[error(
        "a plan of format {found}, and this build reads format {FORMAT}: use the build that wrote it, or a newer one"
    )]
    AnotherFormat { found: i64 },
}

impl StoredHistory {
    /// Reads a history that `replay --history` has written.
    pub fn parse(text: &str) -> Result<Self, HistoryTextError> {
        let no_history = HistoryTextError::NoHistory;
        #[derive(Deserialize)]
        struct Versioned {
            plan: PlanFormat,
        }
        #[derive(Deserialize)]
        struct PlanFormat {
            format: i64,
        }
        let versioned: Versioned = serde_json::from_str(text).map_err(|error| no_history(place(&error)))?;
        if versioned.plan.format != i64::from(FORMAT) {
            return Err(HistoryTextError::AnotherFormat { found: versioned.plan.format });
        }
        // The history is not flattened into this: that would hold every event twice.
        #[derive(Deserialize)]
        struct FileRead {
            /// A file without this field is judged as if the registry were not ours.
            #[serde(default)]
            is_ours: bool,
            #[serde(default)]
            subject: Option<String>,
            #[serde(default)]
            not_claimed: Vec<String>,
            plan: Plan,
            grants: Vec<GrantName>,
            events: Vec<Event>,
            #[serde(default)]
            notes: Vec<EventNote>,
        }
        let file: FileRead = serde_json::from_str(text).map_err(|error| no_history(place(&error)))?;
        let history =
            History { plan: file.plan, grants: file.grants, events: file.events, notes: file.notes };
        history.plan.check().map_err(|why| no_history(why.to_string()))?;
        check(&history).map_err(no_history)?;
        Ok(Self { history, subject: file.subject, is_ours: file.is_ours, not_claimed: file.not_claimed })
    }
}

fn place(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let what = said.split(" at line ").next().unwrap_or_default();
    format!("line {}, column {}: {what}", error.line(), error.column())
}

/// Checks what the laws rely on, because anybody may have written the file.
fn check(history: &History) -> Result<(), String> {
    // At the end of a run laws judge the waits and the rows that are left.
    if history.events.last().is_none_or(|event| event.kind() != EventKind::Finished) {
        return Err("it stops before the end of its run".to_owned());
    }
    let mut before_us = 0;
    for (place, event) in history.events.iter().enumerate() {
        let is_known = event.grant.index().is_none_or(|index| index < history.grants.len());
        if !is_known {
            return Err(format!("event {place} is about a grant that it does not name"));
        }
        let is_of_a_grant = matches!(
            event.kind(),
            EventKind::Granted
                | EventKind::Reclaimed
                | EventKind::Reentered
                | EventKind::Renewed
                | EventKind::BodyBegan
                | EventKind::BodyEnded
        );
        if is_of_a_grant && !event.grant.is_some() {
            return Err(format!("event {place} is about a grant, and names none"));
        }
        // No run lasts longer than this, which is almost a century.
        if event.at_us < before_us || event.at_us > 3_000_000_000_000_000 {
            return Err(format!("event {place} is not after the one before it"));
        }
        before_us = event.at_us;
    }
    Ok(())
}
