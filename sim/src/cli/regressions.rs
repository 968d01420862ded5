//! `regressions`: runs every regression file again. The subject must keep all laws, and where the plan was found with a
//! planted bug, that bug must still be caught.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::command_options::Regressions;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::invocation::Invocation;
use crate::cli::job_summary::append_job_summary;
use crate::cli::step_progress::StepProgress;
use crate::cli::values::Format;
use crate::cli::{command_report, interrupt, output_folder, stdout};
use crate::regressions;
use crate::regressions::{Origin, Regression, RegressionStatus};
use crate::report::format::REGRESSIONS;
use crate::report::github;
use crate::report::json;
use crate::report::junit::{CaseResult, JunitCase, Suite};
use crate::search::Conclusion;
use crate::subject::Subject;
use crate::support::plural::counted;

/// One regression file and the result of its replay.
#[derive(Serialize)]
struct Replayed {
    file: String,
    law: Option<String>,
    #[serde(rename = "came")]
    status: RegressionStatus,
    why: String,
}

#[derive(Serialize)]
struct RegressionTable<'a> {
    format: u32,
    verdict: Conclusion,
    exit_code: u8,
    /// Files that were found: after an interruption fewer are replayed.
    wanted: usize,
    regressions: &'a [Replayed],
}

pub fn regressions(wanted: &Regressions, invocation: &Invocation<'_>) -> CommandResult {
    let subject = invocation.subject()?;
    let folder = &wanted.folder;
    command_report::check(&wanted.report)?;
    let files = match regressions::files(folder) {
        Ok(files) => files,
        Err(cause) => {
            let why = unreadable(folder, &cause, invocation);
            if let Some(path) = &wanted.report.junit {
                let case = JunitCase {
                    name: "the folder of regressions".to_owned(),
                    result: CaseResult::Errored(why.clone()),
                };
                output_folder::put(path, &suite_of(&subject, vec![case]).xml())?;
            }
            return Err(CliError(why));
        }
    };
    // A project that has kept none yet passes: there is nothing that it could have broken again.
    if files.is_empty() && command_report::has_lines(&wanted.report) {
        let (shown, keep) = (folder.display(), invocation.line("keep SEED"));
        stdout::line(format_args!("there is no regression in `{shown}` yet: `{keep}` adds one"));
    }
    let asked = interrupt::listen()?;
    let progress = StepProgress::begin(files.len() as u64, "files", invocation.is_quiet());
    let mut replayed = Vec::new();
    for path in files.iter().take_while(|_| !interrupt::is_asked(&asked)) {
        replayed.push(replay(path, &subject));
        progress.add(&path.display().to_string());
    }
    progress.end();
    let left = files.len() - replayed.len();
    let verdict = conclusion(&replayed, left);
    if let Some(path) = &wanted.report.junit {
        output_folder::put(path, &suite(&subject, &replayed, &files[replayed.len()..]).xml())?;
    }
    match wanted.report.format {
        Format::Json => stdout::raw(&json::pretty(&RegressionTable {
            format: REGRESSIONS,
            verdict,
            exit_code: verdict.exit_code(),
            wanted: files.len(),
            regressions: &replayed,
        })),
        Format::Human => print_table(&replayed, left),
        Format::Github => {
            print_table(&replayed, left);
            let mut page = format!("## fencepost: the regressions of {}\n\n", subject.name);
            for Replayed { file, status, why, .. } in &replayed {
                page.push_str(&format!("- `{file}`: {} {why}\n", status.name()));
                if *status != RegressionStatus::Held {
                    stdout::line(github::error_in(file, status.name(), why));
                }
            }
            append_job_summary(&page)?;
        }
    }
    Ok(verdict)
}

fn unreadable(folder: &Path, cause: &std::io::Error, invocation: &Invocation<'_>) -> String {
    let shown = folder.display();
    match cause.kind() {
        std::io::ErrorKind::NotFound => {
            let keep = invocation.line("keep SEED");
            format!("`{shown}` does not exist: name the folder of regressions, or make one with `{keep}`")
        }
        _ => format!("`{shown}` cannot be read: {cause}: name the folder of regressions"),
    }
}

/// Files that were not replayed make it inconclusive.
fn conclusion(replayed: &[Replayed], left: usize) -> Conclusion {
    let of_files = replayed.iter().map(|file| match file.status {
        RegressionStatus::Held => Conclusion::Holds,
        RegressionStatus::Undecided | RegressionStatus::Toothless => Conclusion::Inconclusive,
        RegressionStatus::Broken => Conclusion::Broken,
        RegressionStatus::Unreadable => Conclusion::Failed,
    });
    Conclusion::gravest(of_files.chain((left > 0).then_some(Conclusion::Inconclusive)))
}

fn print_table(replayed: &[Replayed], left: usize) {
    for Replayed { file, status, why, .. } in replayed {
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        stdout::line(format_args!("{:<10} {file}{why}", status.name()));
    }
    let held = replayed.iter().filter(|file| file.status == RegressionStatus::Held).count();
    if left > 0 {
        stdout::line(format_args!("it was interrupted: {} were not replayed", counted(left, "file")));
    }
    stdout::line(format_args!("{held} of {} held", replayed.len()));
}

fn replay(path: &Path, subject: &Subject) -> Replayed {
    let file = path.display().to_string();
    match regressions::replay(path, subject) {
        Ok(Regression { law, origin: Origin { planted_bug, .. }, .. }) => {
            let why = planted_bug.map_or_else(String::new, |bug| format!("and {bug} is caught by {law}"));
            Replayed { file, law: Some(law), status: RegressionStatus::Held, why }
        }
        Err(error) => {
            let regression = regressions::load(path).ok().and_then(|(_, regression)| regression);
            let law = regression.map(|regression| regression.law);
            Replayed { file, law, status: error.status(), why: error.to_string() }
        }
    }
}

fn suite(subject: &Subject, replayed: &[Replayed], left: &[PathBuf]) -> Suite {
    let stem = |file: &Path| {
        let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        stem.unwrap_or_else(|| file.display().to_string())
    };
    let case = |Replayed { file, status, why, .. }: &Replayed| {
        let failed = || CaseResult::Failed(format!("{}: {why}", status.name()), why.clone());
        let result = match status {
            RegressionStatus::Held => CaseResult::Held,
            RegressionStatus::Unreadable => CaseResult::Errored(why.clone()),
            RegressionStatus::Broken | RegressionStatus::Undecided | RegressionStatus::Toothless => failed(),
        };
        JunitCase { name: stem(Path::new(file)), result }
    };
    let skipped = |path: &PathBuf| JunitCase {
        name: stem(path),
        result: CaseResult::Skipped("it was interrupted before".to_owned()),
    };
    let mut cases: Vec<JunitCase> = replayed.iter().map(case).chain(left.iter().map(skipped)).collect();
    if !left.is_empty() {
        cases.push(JunitCase::interrupted(replayed.len(), replayed.len() + left.len(), "regression"));
    }
    suite_of(subject, cases)
}

fn suite_of(subject: &Subject, cases: Vec<JunitCase>) -> Suite {
    let name = format!("fencepost regressions of {}", subject.name);
    Suite { name, cases, wall_us: 0 }
}
