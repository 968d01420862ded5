//! `keep`: makes a breaking plan smaller and writes it as a regression with its story.

use std::process::Command;
use std::sync::Arc;

use crate::cli::command_options::Keep;
use crate::cli::invocation::Invocation;
use crate::cli::plan_source::{PlanSource, find_plan};
use crate::cli::shrink::{ended_early, law_to_break, smallest};
use crate::cli::wrap::wrapped;
use crate::cli::{CliError, CommandResult, output_folder, stdout};
use crate::judge::judge;
use crate::plan::Plan;
use crate::planted;
use crate::regressions;
use crate::regressions::{Origin, Regression};
use crate::report::failure::Failure;
use crate::search::{Conclusion, Reproducer};

pub fn keep(wanted: &Keep, invocation: &Invocation<'_>) -> CommandResult {
    let source = find_plan(&wanted.what, invocation)?;
    let law = law_to_break(&source, wanted.law)?;
    let name = wanted.name.clone().unwrap_or_else(|| format!("{law}-{}", name_suffix(&source)));
    let path = wanted.into.join(format!("{name}.toml"));
    output_folder::is_free(&path, "say --name another")?;
    let shrunk = smallest(&source, &law, wanted.budget)?;
    let regression = regression(&source, &law, shrunk.plan, wanted.story.as_deref());
    let steps = regression.plan.steps.len();
    regressions::keep(&path, &regression, &source.subject).map_err(CliError::of)?;
    let (before, early) = (source.plan.steps.len(), ended_early(shrunk.ended));
    stdout::line(format_args!("{before} steps made {steps} in {} runs{early}", shrunk.runs));
    stdout::line(format_args!("it was read back, run, and breaks {law}; kept in {}", path.display()));
    if wanted.story.is_none() {
        let had = source.regression.as_ref().filter(|had| wrapped(&had.story) == regression.story);
        match had {
            None => stdout::line("its story is a sentence yet: tell there what happens, in order"),
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

/// The regression to write: with the story that was given, the one it had, or a first sentence.
pub fn regression(source: &PlanSource, law: &str, plan: Plan, story: Option<&str>) -> Regression {
    let planted_bug = planted::by_name(source.subject.name).map(|planted| planted.name.to_owned());
    // The story of another law or another bug would be wrong here.
    let had =
        source.regression.as_ref().filter(|had| had.law == law && had.origin.planted_bug == planted_bug);
    let told = story.or(had.map(|regression| regression.story.as_str()));
    let story = told.map_or_else(|| first_sentence(source, &plan, law), wrapped);
    let origin = had.map(|regression| regression.origin.clone()).unwrap_or_default();
    let commit = origin.commit.or_else(commit_here);
    let origin = Origin { seed: source.seed.or(origin.seed), commit, planted_bug };
    Regression { law: law.to_owned(), story, origin, place: None, plan }
}

/// The regression for a breach that a search found.
pub fn regression_of(failure: &Failure) -> Regression {
    let Reproducer { seed, store, breach, .. } = &failure.reproducer;
    let subject = failure.subject.as_str();
    let planted_bug = planted::by_name(subject).map(|planted| planted.name.to_owned());
    Regression {
        law: breach.law.to_owned(),
        story: sentence(&breach.because, subject, breach.law, Some(*seed), store.name()),
        origin: Origin { seed: Some(*seed), commit: commit_here(), planted_bug },
        place: None,
        plan: failure.reproducer.plan().clone(),
    }
}

fn first_sentence(source: &PlanSource, plan: &Plan, law: &str) -> String {
    let broken = judge(&Arc::new(plan.clone()), &source.subject).breach_of(law);
    let because = broken.map_or_else(String::new, |broken| broken.because);
    sentence(&because, source.subject.name, law, source.seed, source.store().name())
}

fn sentence(because: &str, subject: &str, law: &str, seed: Option<u64>, store: &str) -> String {
    let from = seed.map_or_else(|| "a plan from a file".to_owned(), |seed| format!("seed {seed}"));
    wrapped(&format!("`{subject}` breaks {law}, found with {from} on {store}: {because}."))
}

/// The commit that is checked out here: a seed names a plan only together with the generator of its commit.
fn commit_here() -> Option<String> {
    let asked = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output().ok()?;
    let commit = String::from_utf8(asked.stdout).ok()?.trim().to_owned();
    (asked.status.success() && !commit.is_empty()).then_some(commit)
}
