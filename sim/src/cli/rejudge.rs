//! `rejudge`: judges recorded histories by the laws of this build.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::error::{CliError, CommandResult};
use crate::cli::history_files;
use crate::cli::stdout;
use crate::history::stored::StoredHistory;
use crate::judge::{Breach, Judged, first_breach, rejudge};
use crate::laws::Finding;
use crate::search::Conclusion;

pub fn rejudge_all(what: &Path) -> CommandResult {
    let files = files(what)?;
    let conclusions: Vec<Conclusion> = files.iter().map(|path| rejudge_file(path)).collect();
    Ok(Conclusion::gravest(conclusions))
}

/// Judges one file. One that cannot be read is reported, and the others are still judged.
fn rejudge_file(path: &Path) -> Conclusion {
    let shown = path.display();
    let StoredHistory { history, is_ours, not_claimed, .. } = match history_files::read(path) {
        Ok(kept) => kept,
        Err(error) => {
            stdout::complain(&error.to_string());
            return Conclusion::Failed;
        }
    };
    let findings = rejudge(&history, is_ours, &not_claimed);
    if let Some(Breach { law, at, because, .. }) = first_breach(&findings) {
        stdout::line(format_args!("{shown}: {law} is broken at event {at}: {because}"));
        return Conclusion::Broken;
    }
    let is_undecided = |judged: &&Judged| matches!(judged.finding, Finding::Undecided { .. });
    if let Some(judged) = findings.iter().find(is_undecided) {
        stdout::line(format_args!("{shown}: it cannot be told whether {} holds", judged.law));
        return Conclusion::Inconclusive;
    }
    stdout::line(format_args!("{shown}: every law holds"));
    Conclusion::Holds
}

/// A file stands for itself, a folder for the histories in it, and a folder of `run --out` for those of its failures.
fn files(what: &Path) -> Result<Vec<PathBuf>, CliError> {
    if !what.is_dir() {
        return Ok(vec![what.to_owned()]);
    }
    let failures = what.join("failures");
    let folder = if failures.is_dir() { failures } else { what.to_owned() };
    let unread = |cause: std::io::Error| CliError(format!("`{}` cannot be read: {cause}", folder.display()));
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(CliError(format!(
            "`{}` has no history: `replay SEED --history FILE.json` writes one",
            folder.display()
        )));
    }
    Ok(files)
}
