//! The folder that a search leaves: `index.html` for people; `summary.json`, which is the same for the same seeds on any
//! machine; `timings.json`, which is not; and `failures/` with files named by law and seed: the small plan as a regression
//! (`.toml`), its timeline (`.txt`, `.html`), the report (`.report.txt`) and the history (`.json`). Files are written beside
//! their place and renamed, so a reader never sees half a file; the summary comes last.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::error::CliError;
use crate::cli::{history_files, new_regression};
use crate::laws::Laws;
use crate::regressions;
use crate::report::failure::Failure;
use crate::report::index_page;
use crate::report::index_page::FailureFiles;
use crate::report::json;
use crate::report::summary::{Summary, Timings};
use crate::search::Reproducer;
use crate::subject::Subject;
use crate::support::atomic_file;
use crate::timeline::page_head::{PageHead, Ruling};
use crate::timeline::{html, text};

const INDEX: &str = "index.html";

pub struct OutputFolder {
    folder: PathBuf,
}

impl OutputFolder {
    /// Makes the folder and clears it of an earlier search. Called before the search, so that a long one is not in vain.
    pub fn prepare(folder: &Path) -> Result<Self, CliError> {
        let out = Self { folder: folder.to_owned() };
        if folder.is_file() {
            let shown = folder.display();
            return Err(CliError(format!("`{shown}` is a file: --out names a folder")));
        }
        if folder.is_absolute() && folder.file_name().is_none() {
            let shown = folder.display();
            return Err(CliError(format!("`{shown}` is the root of all files: name a folder of its own")));
        }
        probe(folder).map_err(|cause| unwritten(folder, &cause))?;
        out.check_index()?;
        // Readers would take files of an earlier search for files of this one.
        for name in [INDEX, "summary.json", "timings.json", "proof.json"] {
            match fs::remove_file(folder.join(name)) {
                Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                    return Err(unwritten(&folder.join(name), &cause));
                }
                _ => {}
            }
        }
        out.remove_failures().map_err(|cause| unwritten(&folder.join("failures"), &cause))?;
        Ok(out)
    }

    /// Refuses a folder whose `index.html` is somebody else's: a search would replace it.
    fn check_index(&self) -> Result<(), CliError> {
        let path = self.folder.join(INDEX);
        match fs::read(&path) {
            Ok(page) if !String::from_utf8_lossy(&page).contains(index_page::SIGN) => Err(CliError(format!(
                "`{}` is a page of something else: name another folder",
                path.display()
            ))),
            _ => Ok(()),
        }
    }

    /// Removes the failures of an earlier search, which it knows by their names.
    fn remove_failures(&self) -> std::io::Result<()> {
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

    /// The file of the failure's small plan.
    pub fn plan_of(&self, failure: &Failure) -> PathBuf {
        self.file_of(failure, "toml")
    }

    pub fn page_of(&self, failure: &Failure) -> PathBuf {
        self.file_of(failure, "html")
    }

    fn file_of(&self, failure: &Failure, extension: &str) -> PathBuf {
        self.folder.join("failures").join(format!("{}.{extension}", failure.reproducer.file_stem()))
    }

    pub fn write_failure(&self, failure: &Failure, subject: &Subject, report: &str) -> Result<(), CliError> {
        let found = &failure.reproducer;
        let kept = regressions::keep(&self.plan_of(failure), &new_regression::from_failure(failure), subject);
        kept.map_err(CliError::of)?;
        put(&self.file_of(failure, "txt"), &text::draw(&found.history, Some(&found.breach)))?;
        put(&self.page_of(failure), &page(failure))?;
        put(&self.file_of(failure, "report.txt"), report)?;
        history_files::write(&self.file_of(failure, "json"), &found.history, subject)
    }

    /// Writes the statement of a proof.
    pub fn write_proof(&self, proof: &str) -> Result<(), CliError> {
        put(&self.folder.join("proof.json"), proof)
    }

    /// Writes the page that links to the failures' files.
    pub fn write_index(
        &self,
        summary: &Summary,
        timings: &Timings,
        failures: &[Failure],
    ) -> Result<(), CliError> {
        let stems = failures.iter().map(|failure| failure.reproducer.file_stem());
        let files: Vec<FailureFiles<'_>> = summary
            .failures
            .iter()
            .zip(stems)
            .map(|(failure, stem)| FailureFiles { failure, stem })
            .collect();
        put(&self.folder.join(INDEX), &index_page::draw(summary, timings, &files))
    }

    pub fn write_summary(&self, summary: &Summary, timings: &Timings) -> Result<(), CliError> {
        put(&self.folder.join("timings.json"), &json::pretty(timings))?;
        put(&self.folder.join("summary.json"), &json::pretty(summary))
    }
}

/// Checks that there is no file at this path and that one can be written.
pub fn is_free(path: &Path, what_to_do: &str) -> Result<(), CliError> {
    let shown = path.display();
    match fs::symlink_metadata(path) {
        // Writing to a device replaces nothing.
        Ok(there) if there.is_file() || there.is_dir() || there.is_symlink() => {
            Err(CliError(format!("`{shown}` is there already: {what_to_do}")))
        }
        Ok(_) => Ok(()),
        Err(_) => can_be_written(path),
    }
}

/// Checks that a report can be written there, without changing a file that is there.
pub fn can_be_written(path: &Path) -> Result<(), CliError> {
    let is_there = path.exists();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !is_there);
    let tried = folder.map_or(Ok(()), fs::create_dir_all).and_then(|()| {
        let opened = fs::OpenOptions::new().append(true).create(!is_there).open(path);
        if opened.is_ok() && !is_there { fs::remove_file(path) } else { opened.map(drop) }
    });
    tried.map_err(|cause| unwritten(path, &cause))
}

/// Makes the folder and checks that a file can be written in it.
fn probe(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let probe = folder.join(format!(".{}.unfinished", std::process::id()));
    let written = fs::write(&probe, "probe");
    // After a failed write the file may still be there.
    let removed = fs::remove_file(&probe);
    written.and(removed)
}

/// The page of the small plan.
fn page(failure: &Failure) -> String {
    let Reproducer { seed, history, breach, .. } = &failure.reproducer;
    let plan = format!("seed {seed}, made small");
    let (events, hash) = (history.events.len() as u64, history.hash());
    let ruling = Ruling::Broken(breach);
    html::draw(history, &PageHead { subject: &failure.subject, plan: &plan, events, hash, ruling })
}

/// Writes a report.
pub fn put(path: &Path, text: &str) -> Result<(), CliError> {
    atomic_file::write(path, text.as_bytes()).map_err(|cause| unwritten(path, &cause))
}

fn unwritten(path: &Path, cause: &std::io::Error) -> CliError {
    if path.is_dir() && (path.file_name().is_none() || cause.kind() == std::io::ErrorKind::IsADirectory) {
        return CliError(format!("`{}` cannot be written: it is a folder, name a file", path.display()));
    }
    CliError(format!("`{}` cannot be written: {cause}", path.display()))
}
