//! Histories as JSON files, with everything that a law needs. A file that no run can have written is refused before any law
//! judges it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::cli::error::CliError;
use crate::history::event::{Event, EventKind, GrantName};
use crate::history::{EventNote, History};
use crate::judge::not_claimed_by;
use crate::plan::{FORMAT, Plan};
use crate::subject::Subject;
use crate::support::atomic_file;

/// A history, and what a judgement must know of its subject.
pub struct StoredHistory {
    pub history: History,
    /// The name of its subject, if the file has one.
    pub subject: Option<String>,
    /// The registry is ours, which decides each call at one reading of its clock.
    pub is_ours: bool,
    /// Laws that its subject does not claim to keep.
    pub not_claimed: Vec<String>,
}

pub fn write(path: &Path, history: &History, subject: &Subject) -> Result<(), CliError> {
    #[derive(Serialize)]
    struct FileToWrite<'a> {
        subject: &'a str,
        is_ours: bool,
        not_claimed: &'a [&'a str],
        #[serde(flatten)]
        history: &'a History,
    }
    let unwritten =
        |cause: &dyn std::fmt::Display| CliError(format!("`{}` cannot be written: {cause}", path.display()));
    let (name, is_ours, not_claimed) = (subject.name, subject.is_ours(), &not_claimed_by(subject));
    let json = serde_json::to_vec(&FileToWrite { subject: name, is_ours, not_claimed, history })
        .map_err(|cause| unwritten(&cause))?;
    atomic_file::write(path, &json).map_err(|cause| unwritten(&cause))
}

pub fn read(path: &Path) -> Result<StoredHistory, CliError> {
    let shown = path.display();
    let text = atomic_file::read(path).map_err(|cause| {
        CliError(format!(
            "`{shown}` cannot be read: {cause}: give a history, as `replay SEED --history FILE` writes it"
        ))
    })?;
    let no_history = |why: String| {
        CliError(format!("`{shown}` is no history: {why}: `replay SEED --history FILE` writes one"))
    };
    #[derive(Deserialize)]
    struct Versioned {
        plan: PlanFormat,
    }
    #[derive(Deserialize)]
    struct PlanFormat {
        format: i64,
    }
    let versioned: Versioned = serde_json::from_str(&text).map_err(|error| no_history(place(&error)))?;
    if versioned.plan.format != i64::from(FORMAT) {
        return Err(CliError(format!(
            "`{shown}` has a plan of format {}, and this build reads format {FORMAT}: use the build that wrote it, or a \
             newer one",
            versioned.plan.format
        )));
    }
    // The history is not flattened into this: that would hold every event twice.
    #[derive(Deserialize)]
    struct FileRead {
        /// A file that does not say it is judged with every doubt.
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
    let file: FileRead = serde_json::from_str(&text).map_err(|error| no_history(place(&error)))?;
    let history = History { plan: file.plan, grants: file.grants, events: file.events, notes: file.notes };
    history.plan.check().map_err(|why| no_history(why.to_string()))?;
    check(&history).map_err(no_history)?;
    Ok(StoredHistory { history, subject: file.subject, is_ours: file.is_ours, not_claimed: file.not_claimed })
}

fn place(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let what = said.split(" at line ").next().unwrap_or_default();
    format!("line {}, column {}: {what}", error.line(), error.column())
}

/// Laws rely on this, whoever wrote the file.
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
        // A century is longer than any run.
        if event.at_us < before_us || event.at_us > 3_000_000_000_000_000 {
            return Err(format!("event {place} is not after the one before it"));
        }
        before_us = event.at_us;
    }
    Ok(())
}
