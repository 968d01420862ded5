//! `keep`: makes a breaking plan smaller and writes it as a regression with its story.

use crate::cli::command_options::Keep;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::invocation::Invocation;
use crate::cli::plan_source::{PlanSource, find_plan};
use crate::cli::shrink::{ended_early, law_to_break, smallest};
use crate::cli::wrap::wrapped;
use crate::cli::{new_regression, output_folder, stdout};
use crate::planted;
use crate::regressions;
use crate::search::Conclusion;
use crate::support::plural::counted;

pub fn keep(wanted: &Keep, invocation: &Invocation<'_>) -> CommandResult {
    let source = find_plan(&wanted.what, invocation)?;
    let law = law_to_break(&source, wanted.law)?;
    let name = wanted.name.clone().unwrap_or_else(|| format!("{law}-{}", name_suffix(&source)));
    let path = wanted.into.join(format!("{name}.toml"));
    output_folder::is_free(&path, "say --name another")?;
    let shrunk = smallest(&source, &law, wanted.budget, invocation.is_quiet())?;
    let regression = new_regression::from_source(&source, &law, shrunk.plan, wanted.story.as_deref());
    let steps = regression.plan.steps.len();
    regressions::keep(&path, &regression, &source.subject).map_err(CliError::of)?;
    let (before, early) = (source.plan.steps.len(), ended_early(shrunk.ended));
    stdout::line(format_args!(
        "shrunk from {} to {steps}, in {}{early}",
        counted(before, "step"),
        counted(shrunk.runs, "run")
    ));
    stdout::line(format_args!("it was read back, run, and breaks {law}; kept in {}", path.display()));
    if wanted.story.is_none() {
        let had = source.regression.as_ref().filter(|had| wrapped(&had.story) == regression.story);
        match had {
            None => stdout::line(
                "its story is one generated sentence: edit `story` in the file, and tell what happens, in order",
            ),
            Some(had) if had.plan != regression.plan => {
                stdout::line("its story is that of the plan it came from: see whether it is still so");
            }
            Some(_) => {}
        }
    }
    stdout::line(format_args!("replay it:  {}", invocation.about_file("replay", &path, &source.subject)));
    Ok(Conclusion::Broken)
}

/// The end of a regression's name: the planted bug or the seed.
fn name_suffix(source: &PlanSource) -> String {
    match (planted::by_name(source.subject.name), source.seed) {
        (Some(planted), _) => planted.name.to_owned(),
        (None, Some(seed)) => format!("seed-{seed}"),
        (None, None) => "kept".to_owned(),
    }
}
