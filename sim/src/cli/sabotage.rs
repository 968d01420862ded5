//! `sabotage`: the kill matrix of all planted bugs, or of those that are named.

use serde::Serialize;

use crate::cli::command_options::{ReportOptions, Sabotage};
use crate::cli::error::{CliError, CommandResult};
use crate::cli::invocation::Invocation;
use crate::cli::step_progress::StepProgress;
use crate::cli::values::Format;
use crate::cli::{command_report, interrupt, stdout};
use crate::matrix::{Figures, KillVerdict, Matrix, Row, SHRINK_RUNS, STARTS, catalogue, heading};
use crate::planted;
use crate::report::format::KILL_MATRIX;
use crate::report::junit::{CaseResult, JunitCase, Suite};
use crate::search::clocks::wall_us;
use crate::search::{Conclusion, processors};
use crate::support::unknown_name;

#[derive(Serialize)]
struct Table<'a> {
    format: u32,
    verdict: Conclusion,
    exit_code: u8,
    /// Rows that were wanted: after an interruption there are fewer.
    wanted: usize,
    rows: &'a [Row],
    /// Figures of the whole catalogue; none if only a part was asked for or done.
    figures: Option<Figures>,
}

pub fn kill(wanted: &Sabotage, invocation: &Invocation<'_>) -> CommandResult {
    let whole = catalogue(&[]);
    let unknown = wanted.names.iter().find(|name| planted::by_name(name).is_none());
    if let Some(unknown) = unknown {
        let known: Vec<&str> = whole.iter().map(|(bug, _)| bug.name).collect();
        return Err(CliError(unknown_name::unknown("sabotage", unknown, &known)));
    }
    let format = if wanted.json { Format::Json } else { wanted.report.format };
    let report = ReportOptions { format, junit: wanted.report.junit.clone() };
    command_report::check(&report)?;
    let asked = interrupt::listen()?;
    let is_interrupted = || interrupt::is_asked(&asked);
    let has_lines = command_report::has_lines(&report);
    if has_lines {
        stdout::line(heading());
    }
    let bugs = catalogue(&wanted.names);
    let began_us = wall_us();
    let progress = StepProgress::begin(bugs.len() as u64, "rows", invocation.is_quiet());
    let matrix = Matrix {
        starts: &STARTS,
        most: wanted.most,
        jobs: processors(),
        shrink_runs: SHRINK_RUNS,
        deviations: wanted.deviations,
        is_interrupted: &is_interrupted,
    };
    let rows = matrix.of(&bugs, &|row| {
        if has_lines {
            progress.line(row.line());
        }
        progress.add(row.bug);
    });
    progress.end();
    // The limits are for the whole catalogue.
    let figures = Figures::of(&rows).filter(|_| rows.len() == whole.len());
    let is_fast = figures.is_none_or(|figures| figures.meet_the_bars());
    let of_bars = if is_fast { Conclusion::Holds } else { Conclusion::Broken };
    let of_interruption = if rows.len() < bugs.len() { Conclusion::Inconclusive } else { Conclusion::Holds };
    let verdict = Conclusion::gravest(rows.iter().map(conclusion).chain([of_bars, of_interruption]));
    if has_lines {
        if let Some(figures) = figures {
            stdout::line(figures);
        }
        if rows.len() < bugs.len() {
            let wrong = rows.iter().filter(|row| !row.is_right).count();
            stdout::line(format_args!(
                "it was interrupted: {} of {} rows are done, {wrong} of them are not as expected",
                rows.len(),
                bugs.len()
            ));
        }
    }
    let table = Table {
        format: KILL_MATRIX,
        verdict,
        exit_code: verdict.exit_code(),
        wanted: bugs.len(),
        rows: &rows,
        figures,
    };
    let suite = suite(
        &bugs.iter().map(|(bug, _)| bug.name).collect::<Vec<_>>(),
        &rows,
        wall_us().saturating_sub(began_us),
    );
    command_report::write(&report, &table, &suite)?;
    Ok(verdict)
}

fn conclusion(row: &Row) -> Conclusion {
    match row.verdict {
        KillVerdict::HarnessError => Conclusion::Failed,
        _ if row.is_right => Conclusion::Holds,
        _ => Conclusion::Broken,
    }
}

/// A case for each planted bug. One that was not done is skipped.
fn suite(bugs: &[&str], rows: &[Row], wall_us: u64) -> Suite {
    let case = |name: &&str| {
        let result = match rows.iter().find(|row| row.bug == *name) {
            None => CaseResult::Skipped("it was interrupted before".to_owned()),
            Some(row) if row.verdict == KillVerdict::HarnessError => CaseResult::Errored(
                row.harness_panic.as_ref().map_or_else(String::new, |panic| panic.said.clone()),
            ),
            Some(row) if row.is_right => CaseResult::Held,
            Some(row) => CaseResult::Failed(row.verdict.to_string(), row.line()),
        };
        JunitCase { name: (*name).to_owned(), result }
    };
    let mut cases: Vec<JunitCase> = bugs.iter().map(case).collect();
    if rows.len() < bugs.len() {
        cases.push(JunitCase::interrupted(rows.len(), bugs.len(), "planted bug"));
    }
    Suite { name: "fencepost sabotage".to_owned(), cases, wall_us }
}
