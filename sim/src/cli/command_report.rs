//! The reports of commands that are not searches, in every format: JSON on standard output, annotations and a job summary for
//! GitHub, and a JUnit file beside any of them.

use serde::Serialize;

use crate::cli::command_options::ReportOptions;
use crate::cli::error::CliError;
use crate::cli::job_summary::append_job_summary;
use crate::cli::values::Format;
use crate::cli::{output_folder, stdout};
use crate::report::junit::Suite;
use crate::report::{github, json};

/// Checks that the reports that are wanted can be written, before the work is done.
pub fn check(wanted: &ReportOptions) -> Result<(), CliError> {
    wanted.junit.as_deref().map(output_folder::can_be_written).transpose()?;
    if wanted.format == Format::Github {
        append_job_summary("")?;
    }
    Ok(())
}

/// Writes what is not written for people as the command goes on.
pub fn write(wanted: &ReportOptions, document: &impl Serialize, suite: &Suite) -> Result<(), CliError> {
    if let Some(path) = &wanted.junit {
        output_folder::put(path, &suite.xml())?;
    }
    match wanted.format {
        Format::Human => {}
        Format::Json => stdout::raw(&json::pretty(document)),
        Format::Github => {
            github::suite_annotations(suite).iter().for_each(stdout::line);
            append_job_summary(&github::suite_summary(suite))?;
        }
    }
    Ok(())
}

/// True, if lines for people belong on standard output.
pub fn has_lines(wanted: &ReportOptions) -> bool {
    wanted.format != Format::Json
}
