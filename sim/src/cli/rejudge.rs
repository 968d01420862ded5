//! `rejudge`: old histories, today's laws.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Complaint, End, Ended, histories, say};
use crate::judge::rejudge;
use crate::laws::Finding;

pub fn rejudge_all(what: &Path) -> Ended {
    let files = files(what)?;
    let mut end = End::Holds;
    for path in &files {
        let judged = rejudge(&histories::read(path)?);
        let breaches = judged.iter().filter_map(|judged| match &judged.finding {
            Finding::Broken { at, because } => Some((*at, judged.law, because)),
            _ => None,
        });
        let shown = path.display();
        let undecided = judged.iter().find(|judged| matches!(judged.finding, Finding::Undecided { .. }));
        match (breaches.min_by_key(|(at, ..)| *at), undecided) {
            (Some((at, law, because)), _) => {
                say::line(format_args!("{shown}: {law} is broken at event {at}: {because}"));
                end = End::Broken;
            }
            (None, Some(judged)) => {
                say::line(format_args!("{shown}: it cannot be told whether {} holds", judged.law));
                end = if end == End::Holds { End::Inconclusive } else { end };
            }
            (None, None) => say::line(format_args!("{shown}: every law holds")),
        }
    }
    Ok(end)
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
