//! Histories as files: JSON, with everything that a law may ask for. One that was not written by a run is refused before
//! anybody judges it.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::Complaint;
use crate::event::{GrantNo, Kind};
use crate::history::History;
use crate::plan::FORMAT;
use crate::whole_file;

pub fn write(path: &Path, history: &History) -> Result<(), Complaint> {
    let unwritten =
        |cause: &dyn std::fmt::Display| Complaint(format!("`{}` cannot be written: {cause}", path.display()));
    let json = serde_json::to_vec(history).map_err(|cause| unwritten(&cause))?;
    whole_file::write(path, &json).map_err(|cause| unwritten(&cause))
}

pub fn read(path: &Path) -> Result<History, Complaint> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|cause| {
        Complaint(format!(
            "`{shown}` cannot be read: {cause}: give a history, as `replay SEED --history FILE` writes it"
        ))
    })?;
    let no_history = |why: String| {
        Complaint(format!("`{shown}` is no history: {why}: `replay SEED --history FILE` writes one"))
    };
    #[derive(Deserialize)]
    struct Versioned {
        plan: Format,
    }
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let versioned: Versioned = serde_json::from_str(&text).map_err(|error| no_history(place(&error)))?;
    if versioned.plan.format != FORMAT {
        return Err(Complaint(format!(
            "`{shown}` has a plan of format {}, and this build reads format {FORMAT}: use the build that wrote it, or a \
             newer one",
            versioned.plan.format
        )));
    }
    let history: History = serde_json::from_str(&text).map_err(|error| no_history(place(&error)))?;
    history.plan.check().map_err(|why| no_history(why.to_string()))?;
    check(&history).map_err(no_history)?;
    Ok(history)
}

fn place(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let what = said.split(" at line ").next().unwrap_or_default();
    format!("line {}, column {}: {what}", error.line(), error.column())
}

/// What laws rely on, whoever wrote it.
fn check(history: &History) -> Result<(), String> {
    let mut before_us = 0;
    for (place, event) in history.events.iter().enumerate() {
        let is_known = event.grant == GrantNo::NONE || (event.grant.0 as usize) < history.grants.len();
        if !is_known {
            return Err(format!("event {place} is about a grant that it does not name"));
        }
        let is_of_a_grant = matches!(
            event.kind,
            Kind::Granted
                | Kind::Reclaimed
                | Kind::Reentered
                | Kind::Renewed
                | Kind::BodyBegan
                | Kind::BodyEnded
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
