//! `rejudge`: old histories, today's laws.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::history_files;
use crate::cli::history_files::StoredHistory;
use crate::cli::{Complaint, End, Ended, stdout};
use crate::judge::{Judged, rejudge};
use crate::laws::Finding;

pub fn rejudge_all(what: &Path) -> Ended {
    let files = files(what)?;
    let ends: Vec<End> = files.iter().map(|path| rejudged(path)).collect();
    let worst = [End::Failed, End::Broken, End::Inconclusive].into_iter().find(|end| ends.contains(end));
    Ok(worst.unwrap_or(End::Holds))
}

/// What cannot be read is no reason to keep silent about the others.
fn rejudged(path: &Path) -> End {
    let shown = path.display();
    let StoredHistory { history, not_claimed } = match history_files::read(path) {
        Ok(kept) => kept,
        Err(complaint) => {
            stdout::complain(&complaint.to_string());
            return End::Failed;
        }
    };
    let mut judged = rejudge(&history);
    judged.retain(|judged| !not_claimed.iter().any(|law| law == judged.law));
    let breaches = judged.iter().filter_map(|judged| match &judged.finding {
        Finding::Broken { at, because } => Some((*at, judged.law, because)),
        _ => None,
    });
    if let Some((at, law, because)) = breaches.min_by_key(|(at, ..)| *at) {
        stdout::line(format_args!("{shown}: {law} is broken at event {at}: {because}"));
        return End::Broken;
    }
    let is_undecided = |judged: &&Judged| matches!(judged.finding, Finding::Undecided { .. });
    if let Some(judged) = judged.iter().find(is_undecided) {
        stdout::line(format_args!("{shown}: it cannot be told whether {} holds", judged.law));
        return End::Inconclusive;
    }
    stdout::line(format_args!("{shown}: every law holds"));
    End::Holds
}

/// A file is itself; a folder is its histories, and one that `run --out` left, those of its failures.
fn files(what: &Path) -> Result<Vec<PathBuf>, Complaint> {
    if !what.is_dir() {
        return Ok(vec![what.to_owned()]);
    }
    let failures = what.join("failures");
    let folder = if failures.is_dir() { failures } else { what.to_owned() };
    let unread = |cause: std::io::Error| Complaint(format!("`{}` cannot be read: {cause}", folder.display()));
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Complaint(format!(
            "`{}` has no history: `replay SEED --history FILE.json` writes one",
            folder.display()
        )));
    }
    Ok(files)
}
