//! The folder that a search leaves: `summary.json`, which is the same for the same seeds on any machine; `timings.json`, which
//! is not; and below `failures/`, named by law and seed, what broke: the small plan as a regression (`.toml`), its timeline
//! (`.txt`, `.html`), the report (`.report.txt`) and the history (`.json`). Each file is there whole or not at all, and
//! the summary comes last.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::{CliError, history_files, keep};
use crate::laws::Laws;
use crate::regressions;
use crate::report::failure::Failure;
use crate::report::json;
use crate::report::summary::{Summary, Timings};
use crate::subject::Subject;
use crate::support::atomic_file;
use crate::timeline::head::{Head, Ruling};
use crate::timeline::{html, text};

pub struct Out {
    folder: PathBuf,
}

impl Out {
    /// Asked for before the search: nobody wants to hear after an hour that there is nowhere to write.
    pub fn prepare(folder: &Path) -> Result<Self, CliError> {
        let out = Self { folder: folder.to_owned() };
        if folder.is_file() {
            let shown = folder.display();
            return Err(CliError(format!("`{shown}` is a file: --out names a folder")));
        }
        probe(folder).map_err(|cause| unwritten(folder, &cause))?;
        // What an earlier search left here would pass for this one's.
        for name in ["summary.json", "timings.json"] {
            match fs::remove_file(folder.join(name)) {
                Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                    return Err(unwritten(&folder.join(name), &cause));
                }
                _ => {}
            }
        }
        out.forget_failures().map_err(|cause| unwritten(&folder.join("failures"), &cause))?;
        Ok(out)
    }

    /// Those of an earlier search, by their names: what else somebody keeps there stays.
    fn forget_failures(&self) -> std::io::Result<()> {
        let laws = Laws::names();
        let Ok(files) = fs::read_dir(self.folder.join("failures")) else { return Ok(()) };
        for file in files {
            let path = file?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let is_ours = laws.iter().any(|law| {
                let rest = name.strip_prefix(law).and_then(|rest| rest.strip_prefix('-'));
                let seed = rest.and_then(|rest| rest.split_once('.')).map(|(seed, _)| seed);
                seed.is_some_and(|seed| seed.parse::<u64>().is_ok())
            });
            if is_ours {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Where the small plan of a failure is kept.
    pub fn plan_of(&self, failure: &Failure) -> PathBuf {
        self.file_of(failure, "toml")
    }

    pub fn page_of(&self, failure: &Failure) -> PathBuf {
        self.file_of(failure, "html")
    }

    fn file_of(&self, failure: &Failure, extension: &str) -> PathBuf {
        self.folder.join("failures").join(format!("{}.{extension}", failure.file_stem()))
    }

    pub fn write_failure(&self, failure: &Failure, subject: &Subject, report: &str) -> Result<(), CliError> {
        let kept = regressions::keep(&self.plan_of(failure), &keep::regression_of(failure), subject);
        kept.map_err(CliError::of)?;
        put(&self.file_of(failure, "txt"), &text::draw(&failure.history, Some(&failure.broken)))?;
        put(&self.page_of(failure), &page(failure))?;
        put(&self.file_of(failure, "report.txt"), report)?;
        history_files::write(&self.file_of(failure, "json"), &failure.history, subject)
    }

    pub fn write_summary(&self, summary: &Summary, timings: &Timings) -> Result<(), CliError> {
        put(&self.folder.join("timings.json"), &json::pretty(timings))?;
        put(&self.folder.join("summary.json"), &json::pretty(summary))
    }
}

/// Whether a file can be written there that nobody wrote yet: asked before the work that it takes.
pub fn is_free(path: &Path, what_to_do: &str) -> Result<(), CliError> {
    let shown = path.display();
    match fs::symlink_metadata(path) {
        // A device is written into, and nothing is lost.
        Ok(there) if there.is_file() || there.is_dir() || there.is_symlink() => {
            Err(CliError(format!("`{shown}` is there already: {what_to_do}")))
        }
        Ok(_) => Ok(()),
        Err(_) => can_be_written(path),
    }
}

/// Whether a report can be written there, with what there is left as it is: asked before the work that it takes.
pub fn can_be_written(path: &Path) -> Result<(), CliError> {
    let is_there = path.exists();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !is_there);
    let tried = folder.map_or(Ok(()), fs::create_dir_all).and_then(|()| {
        let opened = fs::OpenOptions::new().append(true).create(!is_there).open(path);
        if opened.is_ok() && !is_there { fs::remove_file(path) } else { opened.map(drop) }
    });
    tried.map_err(|cause| unwritten(path, &cause))
}

/// Makes the folder if need be, and writes a file there.
fn probe(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let probe = folder.join(format!(".{}.unfinished", std::process::id()));
    let written = fs::write(&probe, "probe");
    // Whether it was written or not, it may be there.
    let removed = fs::remove_file(&probe);
    written.and(removed)
}

/// Of the small plan, whichever plan it was found in.
fn page(failure: &Failure) -> String {
    let plan = match failure.found.seed {
        Some(seed) => format!("seed {seed}, made small"),
        None => "a plan, made small".to_owned(),
    };
    let (history, ruling) = (&failure.history, Ruling::Broken(&failure.broken));
    let (events, hash) = (history.events.len() as u64, history.hash());
    html::draw(history, &Head { subject: &failure.subject, plan: &plan, events, hash, ruling })
}

/// Writes a report, whole or not at all.
pub fn put(path: &Path, text: &str) -> Result<(), CliError> {
    atomic_file::write(path, text.as_bytes()).map_err(|cause| unwritten(path, &cause))
}

fn unwritten(path: &Path, cause: &std::io::Error) -> CliError {
    CliError(format!("`{}` cannot be written: {cause}", path.display()))
}
