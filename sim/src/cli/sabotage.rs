//! `sabotage`: the kill matrix of all planted bugs, or of those that are named.

use serde::Serialize;

use crate::cli::command_options::Sabotage;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::stdout;
use crate::matrix::{Figures, KillVerdict, Matrix, Row, SHRINK_RUNS, STARTS, catalogue, heading};
use crate::planted;
use crate::report::format::FORMAT;
use crate::report::json;
use crate::search::Conclusion;
use crate::search::processors;
use crate::support::unknown_name;

#[derive(Serialize)]
struct Table<'a> {
    format: u32,
    rows: &'a [Row],
    /// Figures of the whole catalogue; none if only a part was asked for.
    figures: Option<Figures>,
}

pub fn kill(wanted: &Sabotage) -> CommandResult {
    let whole = catalogue(&[]);
    let unknown = wanted.names.iter().find(|name| planted::by_name(name).is_none());
    if let Some(unknown) = unknown {
        let known: Vec<&str> = whole.iter().map(|(bug, _)| bug.name).collect();
        return Err(CliError(unknown_name::unknown("sabotage", unknown, &known)));
    }
    if !wanted.json {
        stdout::line(heading());
    }
    let matrix = Matrix {
        starts: &STARTS,
        most: wanted.most,
        jobs: processors(),
        shrink_runs: SHRINK_RUNS,
        deviations: wanted.deviations,
    };
    let rows = matrix.of(&catalogue(&wanted.names), &|row| {
        if !wanted.json {
            stdout::line(row.line());
        }
    });
    // The limits are for the whole catalogue.
    let figures = Figures::of(&rows).filter(|_| rows.len() == whole.len());
    if wanted.json {
        stdout::raw(&json::pretty(&Table { format: FORMAT, rows: &rows, figures }));
    } else if let Some(figures) = figures {
        stdout::line(figures);
    }
    let is_fast = figures.is_none_or(|figures| figures.meet_the_bars());
    let of_bars = if is_fast { Conclusion::Holds } else { Conclusion::Broken };
    Ok(Conclusion::gravest(rows.iter().map(conclusion).chain([of_bars])))
}

fn conclusion(row: &Row) -> Conclusion {
    match row.verdict {
        KillVerdict::HarnessError => Conclusion::Failed,
        _ if row.is_right => Conclusion::Holds,
        _ => Conclusion::Broken,
    }
}
