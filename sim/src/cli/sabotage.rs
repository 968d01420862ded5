//! `sabotage`: every planted bug, the law that catches it, how many seeds that took, and what shows that it was there.

use serde::Serialize;

use crate::cli::arguments::Sabotage;
use crate::cli::run::processors;
use crate::cli::{CliError, CommandResult, stdout};
use crate::matrix;
use crate::matrix::{Figures, Matrix, Row, SHRINK_RUNS, STARTS, catalogue, heading};
use crate::planted;
use crate::report::json;
use crate::search::Conclusion;

#[derive(Serialize)]
struct Table<'a> {
    rows: &'a [Row],
    /// Of the whole catalogue; none of a part.
    figures: Option<Figures>,
}

pub fn kill(wanted: &Sabotage) -> CommandResult {
    let whole = catalogue(&[]);
    let unknown = wanted.names.iter().find(|name| planted::by_name(name).is_none());
    if let Some(unknown) = unknown {
        let known: Vec<&str> = whole.iter().map(|(sabotage, _)| sabotage.name).collect();
        return Err(CliError(format!("there is no sabotage `{unknown}`: say one of {}", known.join(", "))));
    }
    if !wanted.json {
        stdout::line(heading());
    }
    let matrix = Matrix { starts: &STARTS, most: wanted.most, jobs: processors(), shrink_runs: SHRINK_RUNS };
    let rows = matrix.of(&catalogue(&wanted.names), &|row| {
        if !wanted.json {
            stdout::line(row.line());
        }
    });
    // The bars are for the whole of it.
    let figures = Figures::of(&rows).filter(|_| rows.len() == whole.len());
    if wanted.json {
        stdout::raw(&json::pretty(&Table { rows: &rows, figures }));
    } else if let Some(figures) = figures {
        stdout::line(figures);
    }
    let is_fast = figures.is_none_or(|figures| figures.meet_the_bars());
    Ok(match () {
        () if rows.iter().any(|row| row.end == matrix::End::HarnessError) => Conclusion::Failed,
        () if is_fast && rows.iter().all(|row| row.is_right) => Conclusion::Holds,
        () => Conclusion::Broken,
    })
}
