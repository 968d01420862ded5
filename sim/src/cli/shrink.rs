//! `shrink`: makes a breaking plan smaller, and writes it as a regression if a file is named.

use std::io::{self, Write};
use std::ops::ControlFlow;

use serde::Serialize;

use crate::cli::command_options::Shrink;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::invocation::Invocation;
use crate::cli::plan_source::{PlanSource, find_plan};
use crate::cli::step_progress::StepProgress;
use crate::cli::{command_report, interrupt, new_regression, output_folder, stdout};
use crate::judge::judge;
use crate::planted;
use crate::regressions;
use crate::report::format::SHRINK;
use crate::report::junit::{CaseResult, JunitCase, Suite};
use crate::search::Conclusion;
use crate::search::clocks::wall_us;
use crate::shrink::{Ended, Progress, Shrunk, shrink_watched};
use crate::support::plural::counted;

#[derive(Serialize)]
struct ShrinkReport<'a> {
    format: u32,
    verdict: Conclusion,
    exit_code: u8,
    subject: &'a str,
    law: &'a str,
    steps_before: usize,
    steps: usize,
    runs: u64,
    /// Why it ended: `smallest`, `out of budget` or `interrupted`.
    ended: &'static str,
    /// The small plan, as the text of its file.
    plan: String,
    /// The file of the regression, if one was asked for.
    file: Option<String>,
}

pub fn shrink_to(wanted: &Shrink, invocation: &Invocation<'_>) -> CommandResult {
    command_report::check(&wanted.report)?;
    let source = find_plan(&wanted.what, invocation)?;
    let law = law_to_break(&source, wanted.law)?;
    if let Some(path) = &wanted.out {
        output_folder::is_free(path, "name another file")?;
    }
    let began_us = wall_us();
    let shrunk = smallest(&source, &law, wanted.budget, invocation.is_quiet())?;
    let (before, after) = (source.plan.steps.len(), shrunk.plan.steps.len());
    let (steps, runs_made) = (counted(before, "step"), counted(shrunk.runs, "run"));
    let said = format!("shrunk from {steps} to {after}, in {runs_made}{}", ended_early(shrunk.ended));
    let plan = shrunk.plan.to_string();
    let (runs, ended) = (shrunk.runs, name_of(shrunk.ended));
    if let Some(path) = &wanted.out {
        let regression = new_regression::from_source(&source, &law, shrunk.plan, None);
        regressions::keep(path, &regression, &source.subject).map_err(CliError::of)?;
    }
    if command_report::has_lines(&wanted.report) {
        stdout::line(format_args!("{said}\n"));
        match &wanted.out {
            None => stdout::raw(&plan),
            Some(path) => stdout::line(format_args!("written to {}", path.display())),
        }
    }
    let result = CaseResult::Failed(said, plan.clone());
    let suite = Suite {
        name: format!("fencepost shrink of {}", source.subject.name),
        cases: vec![JunitCase { name: law.clone(), result }],
        wall_us: wall_us().saturating_sub(began_us),
    };
    let report = ShrinkReport {
        format: SHRINK,
        verdict: Conclusion::Broken,
        exit_code: Conclusion::Broken.exit_code(),
        subject: source.subject.name,
        law: &law,
        steps_before: before,
        steps: after,
        runs,
        ended,
        plan,
        file: wanted.out.as_ref().map(|path| path.display().to_string()),
    };
    command_report::write(&wanted.report, &report, &suite)?;
    Ok(Conclusion::Broken)
}

/// Shrinks the plan, with a bar on a terminal and otherwise a line on standard error for every candidate.
pub fn smallest(source: &PlanSource, law: &str, budget: u64, is_quiet: bool) -> Result<Shrunk, CliError> {
    let bar = StepProgress::begin(budget, "runs", is_quiet);
    let shrunk = until_asked(source, law, budget, &mut |progress| {
        let result = if progress.was_kept { "kept" } else { "holds" };
        if !bar.is_hidden() {
            bar.set(
                progress.runs,
                &format!("{} steps, {result:<5} {}", progress.best.steps.len(), progress.what),
            );
        } else if !is_quiet {
            drop(writeln!(io::stderr().lock(), "  {result:<6} {}", progress.what));
        }
    });
    bar.end();
    shrunk
}

fn name_of(ended: Ended) -> &'static str {
    match ended {
        Ended::Smallest => "smallest",
        Ended::OutOfBudget => "out of budget",
        Ended::Interrupted => "interrupted",
        Ended::NotBroken => "not broken",
    }
}

/// Shrinks the plan until Ctrl-C, which ends it with the smallest plan so far.
pub fn until_asked(
    source: &PlanSource,
    law: &str,
    budget: u64,
    tell: &mut dyn FnMut(&Progress),
) -> Result<Shrunk, CliError> {
    let asked = interrupt::listen()?;
    let shrunk = shrink_watched(&source.plan, &source.subject, law, budget, &mut |progress| {
        tell(progress);
        if interrupt::is_asked(&asked) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    match shrunk.ended {
        Ended::NotBroken => Err(CliError(format!(
            "this plan broke `{law}` once and not again: `determinism` tells whether runs repeat themselves"
        ))),
        _ => Ok(shrunk),
    }
}

/// A note for a shrinking that ended before the plan was as small as it gets.
pub fn ended_early(ended: Ended) -> &'static str {
    match ended {
        Ended::OutOfBudget => ", when the budget was used up",
        Ended::Interrupted => ", when it was interrupted",
        Ended::Smallest | Ended::NotBroken => "",
    }
}

/// The law that was named, or that this was kept or planted for, or the first that is broken.
pub fn law_to_break(source: &PlanSource, named: Option<&str>) -> Result<String, CliError> {
    let verdict = judge(&source.plan, &source.subject);
    let kept = source.regression.as_ref().map(|regression| regression.law.as_str());
    let kept = kept.filter(|law| verdict.breaks(law));
    // A planted bug is there to break its law, whatever else it breaks before.
    let planted = planted::by_name(source.subject.name).map(|planted| planted.law);
    let planted = planted.filter(|law| verdict.breaks(law));
    match named.or(kept).or(planted) {
        Some(law) if verdict.breaks(law) => Ok(law.to_owned()),
        Some(law) => Err(CliError(format!("this plan does not break `{law}`: there is nothing to shrink"))),
        None => verdict.broken().map(|broken| broken.law.to_owned()).ok_or_else(|| {
            CliError(format!(
                "this plan breaks no law of `{}`: there is nothing to shrink, or --subject names another",
                source.subject.name
            ))
        }),
    }
}
