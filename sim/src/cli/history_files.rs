//! Histories as JSON files, with everything that a law needs.

use std::path::Path;

use serde::Serialize;

use crate::cli::error::CliError;
use crate::history::History;
use crate::history::stored::{HistoryTextError, StoredHistory};
use crate::judge::not_claimed_by;
use crate::subject::Subject;
use crate::support::atomic_file;

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
    if path.is_dir() {
        return Err(unwritten(&"it is a folder, name a file"));
    }
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
    StoredHistory::parse(&text).map_err(|error| match error {
        HistoryTextError::NoHistory(why) => {
            CliError(format!("`{shown}` is no history: {why}: `replay SEED --history FILE` writes one"))
        }
        HistoryTextError::AnotherFormat { .. } => CliError(format!("`{shown}` has {error}")),
    })
}
