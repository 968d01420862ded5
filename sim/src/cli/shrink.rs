//! `shrink`: makes a breaking plan smaller, and writes it as a regression if a file is named.

use std::io::{self, Write};
use std::ops::ControlFlow;

use crate::cli::command_options::Shrink;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::invocation::Invocation;
use crate::cli::plan_source::{PlanSource, find_plan};
use crate::cli::{interrupt, new_regression, output_folder, stdout};
use crate::judge::judge;
use crate::planted;
use crate::regressions;
use crate::search::Conclusion;
use crate::shrink::{Ended, Progress, Shrunk, shrink_watched};

pub fn shrink_to(wanted: &Shrink, invocation: &Invocation<'_>) -> CommandResult {
    let source = find_plan(&wanted.what, invocation)?;
    let law = law_to_break(&source, wanted.law)?;
    if let Some(path) = &wanted.out {
        output_folder::is_free(path, "name another file")?;
    }
    let shrunk = smallest(&source, &law, wanted.budget)?;
    stdout::line(format_args!(
        "{} steps to {} in {} runs{}\n",
        source.plan.steps.len(),
        shrunk.plan.steps.len(),
        shrunk.runs,
        ended_early(shrunk.ended)
    ));
    match &wanted.out {
        None => stdout::raw(&shrunk.plan.to_string()),
        Some(path) => {
            let regression = new_regression::from_source(&source, &law, shrunk.plan, None);
            regressions::keep(path, &regression, &source.subject).map_err(CliError::of)?;
            stdout::line(format_args!("written to {}", path.display()));
        }
    }
    Ok(Conclusion::Broken)
}

/// Shrinks the plan, with a line on standard error for every candidate.
pub fn smallest(source: &PlanSource, law: &str, budget: u64) -> Result<Shrunk, CliError> {
    until_asked(source, law, budget, &mut |progress| {
        let came_of_it = if progress.was_kept { "kept" } else { "holds" };
        drop(writeln!(io::stderr().lock(), "  {came_of_it:<6} {}", progress.what));
    })
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
