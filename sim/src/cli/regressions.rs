//! `regressions`: runs every regression file again. The subject must keep all laws, and where the plan was found with a
//! planted bug, that bug must still be caught.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::command_options::Regressions;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::invocation::Invocation;
use crate::cli::job_summary::append_job_summary;
use crate::cli::values::Format;
use crate::cli::{output_folder, stdout};
use crate::regressions;
use crate::regressions::{Origin, Regression, RegressionStatus};
use crate::report::format::FORMAT;
use crate::report::github;
use crate::report::json;
use crate::report::junit::{CaseResult, JunitCase, Suite};
use crate::search::Conclusion;
use crate::subject::Subject;

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
    regressions: &'a [Replayed],
}

pub fn regressions(wanted: &Regressions, invocation: &Invocation<'_>) -> CommandResult {
    let subject = invocation.subject()?;
    let folder = &wanted.folder;
    let files = regressions::files(folder).map_err(|cause| {
        CliError(format!(
            "`{}` cannot be read: {cause}: name the folder of the regressions, `keep` makes one",
            folder.display()
        ))
    })?;
    if files.is_empty() {
        return Err(CliError(format!("there is no regression in `{}`: name their folder", folder.display())));
    }
    let replayed: Vec<Replayed> = files.iter().map(|path| replay(path, &subject)).collect();
    if let Some(path) = &wanted.report.junit {
        output_folder::put(path, &suite(&subject, &replayed).xml())?;
    }
    match wanted.report.format {
        Format::Json => {
            stdout::raw(&json::pretty(&RegressionTable { format: FORMAT, regressions: &replayed }))
        }
        Format::Human => print_table(&replayed),
        Format::Github => {
            print_table(&replayed);
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
    Ok(conclusion(&replayed))
}

fn conclusion(replayed: &[Replayed]) -> Conclusion {
    Conclusion::gravest(replayed.iter().map(|file| match file.status {
        RegressionStatus::Held => Conclusion::Holds,
        RegressionStatus::Undecided | RegressionStatus::Toothless => Conclusion::Inconclusive,
        RegressionStatus::Broken => Conclusion::Broken,
        RegressionStatus::Unreadable => Conclusion::Failed,
    }))
}

fn print_table(replayed: &[Replayed]) {
    for Replayed { file, status, why, .. } in replayed {
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        stdout::line(format_args!("{:<10} {file}{why}", status.name()));
    }
    let held = replayed.iter().filter(|file| file.status == RegressionStatus::Held).count();
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

fn suite(subject: &Subject, replayed: &[Replayed]) -> Suite {
    let case = |Replayed { file, status, why, .. }: &Replayed| {
        let stem = PathBuf::from(file).file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let failed = || CaseResult::Failed(format!("{}: {why}", status.name()), why.clone());
        let result = match status {
            RegressionStatus::Held => CaseResult::Held,
            RegressionStatus::Unreadable => CaseResult::Errored(why.clone()),
            RegressionStatus::Broken | RegressionStatus::Undecided | RegressionStatus::Toothless => failed(),
        };
        JunitCase { name: stem.unwrap_or_else(|| file.clone()), result }
    };
    let name = format!("fencepost regressions of {}", subject.name);
    Suite { name, cases: replayed.iter().map(case).collect(), wall_us: 0 }
}
