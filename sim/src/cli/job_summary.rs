//! The job summary of GitHub Actions: a file that GitHub names and shows on the job's page. Each step adds to it.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use crate::cli::error::CliError;

/// Adds a page to the job summary, if this runs on GitHub. An empty page shows whether the file can be written.
pub fn append_job_summary(page: &str) -> Result<(), CliError> {
    let named = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty());
    let Some(path) = named.map(PathBuf::from) else { return Ok(()) };
    let added = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path)
        .and_then(|mut file| file.write_all(page.as_bytes()));
    added.map_err(|cause| {
        let path = path.display();
        CliError(format!("GITHUB_STEP_SUMMARY is `{path}`, which cannot be added to: {cause}"))
    })
}
