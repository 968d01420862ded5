//! `regressions`: every kept plan again. Each must hold for the subject, and one that came from a planted bug must still catch
//! that bug, or it has become a file that shows nothing.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::arguments::Regressions;
use crate::cli::invocation::Invocation;
use crate::cli::run::append_job_summary;
use crate::cli::values::Format;
use crate::cli::{Complaint, End, Ended, output_folder, stdout};
use crate::regressions;
use crate::regressions::{Origin, Regression, ReplayError};
use crate::report::github;
use crate::report::json;
use crate::report::junit::{Came, Case, Suite};
use crate::subject::Subject;

#[derive(Serialize)]
struct Line {
    file: String,
    law: Option<String>,
    came: &'static str,
    why: String,
}

pub fn regressions(wanted: &Regressions, invocation: &Invocation<'_>) -> Ended {
    let subject = invocation.subject()?;
    let folder = &wanted.folder;
    let files = regressions::files(folder).map_err(|cause| {
        Complaint(format!(
            "`{}` cannot be read: {cause}: name the folder of the regressions, `keep` makes one",
            folder.display()
        ))
    })?;
    if files.is_empty() {
        return Err(Complaint(format!(
            "there is no regression in `{}`: name their folder",
            folder.display()
        )));
    }
    let lines: Vec<Line> = files.iter().map(|path| tried(path, &subject)).collect();
    let count = |came: &str| lines.iter().filter(|line| line.came == came).count();
    let end = match () {
        () if count("unreadable") > 0 => End::Failed,
        () if count("broken") > 0 => End::Broken,
        () if count("undecided") + count("toothless") > 0 => End::Inconclusive,
        () => End::Holds,
    };
    if let Some(path) = &wanted.report.junit {
        output_folder::put(path, &suite(&subject, &lines).xml())?;
    }
    match wanted.report.format {
        Format::Json => stdout::raw(&json::pretty(&lines)),
        Format::Human => tell(&lines),
        Format::Github => {
            tell(&lines);
            let mut page = format!("## fencepost: the regressions of {}\n\n", subject.name);
            for line in &lines {
                page.push_str(&format!("- `{}`: {} {}\n", line.file, line.came, line.why));
                if line.came != "held" {
                    stdout::line(github::error_in(&line.file, line.came, &line.why));
                }
            }
            append_job_summary(&page)?;
        }
    }
    Ok(end)
}

fn tell(lines: &[Line]) {
    for line in lines {
        let why = if line.why.is_empty() { String::new() } else { format!(": {}", line.why) };
        stdout::line(format_args!("{:<10} {}{why}", line.came, line.file));
    }
    let held = lines.iter().filter(|line| line.came == "held").count();
    stdout::line(format_args!("{held} of {} held", lines.len()));
}

fn tried(path: &Path, subject: &Subject) -> Line {
    let file = path.display().to_string();
    let (law, came, why) = match regressions::replay(path, subject) {
        Ok(Regression { law, origin: Origin { sabotage: Some(planted), .. }, .. }) => {
            let why = format!("and {planted} is caught by {law}");
            (Some(law), "held", why)
        }
        Ok(regression) => (Some(regression.law), "held", String::new()),
        Err(error) => {
            let regression = regressions::load(path).ok().and_then(|(_, regression)| regression);
            (regression.map(|regression| regression.law), came(&error), error.to_string())
        }
    };
    Line { file, law, came, why }
}

fn came(error: &ReplayError) -> &'static str {
    match error {
        ReplayError::Unloadable(_) | ReplayError::NoRegression | ReplayError::NoSuchLaw { .. } => {
            "unreadable"
        }
        ReplayError::Broken { .. } => "broken",
        ReplayError::Undecided { .. } => "undecided",
        ReplayError::NotReached { .. } | ReplayError::Elsewhere { .. } | ReplayError::NoPlace { .. } => {
            "toothless"
        }
    }
}

fn suite(subject: &Subject, lines: &[Line]) -> Suite {
    let case = |line: &Line| {
        let name = PathBuf::from(&line.file).file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let came = match line.came {
            "held" => Came::Held,
            "unreadable" => Came::Errored(line.why.clone()),
            came => Came::Failed(format!("{came}: {}", line.why), line.why.clone()),
        };
        Case { name: name.unwrap_or_else(|| line.file.clone()), came }
    };
    let name = format!("fencepost regressions of {}", subject.name);
    Suite { name, cases: lines.iter().map(case).collect(), wall_us: 0 }
}
