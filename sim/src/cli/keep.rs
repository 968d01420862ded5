//! `keep`: a breaking plan, made smaller, and kept among the regressions with its story. What is written was read back and run
//! first: a file that does not break its law is no regression.

use std::process::Command;
use std::sync::Arc;

use crate::cli::arguments::Keep;
use crate::cli::invocation::Invocation;
use crate::cli::plan_source::{Found, found};
use crate::cli::shrink::{ended_early, law_to_break, smallest};
use crate::cli::wrap::wrapped;
use crate::cli::{Complaint, End, Ended, output_folder, stdout};
use crate::judge::judge;
use crate::plan::Plan;
use crate::planted;
use crate::regressions;
use crate::regressions::{Origin, Regression};
use crate::report::failure::Failure;

pub fn keep(wanted: &Keep, invocation: &Invocation<'_>) -> Ended {
    let found = found(&wanted.what, invocation)?;
    let law = law_to_break(&found, wanted.law)?;
    let name = wanted.name.clone().unwrap_or_else(|| format!("{law}-{}", whose(&found)));
    let path = wanted.into.join(format!("{name}.toml"));
    output_folder::is_free(&path, "say --name another")?;
    let shrunk = smallest(&found, &law, wanted.budget)?;
    let regression = regression(&found, &law, shrunk.plan, wanted.story.as_deref());
    let steps = regression.plan.steps.len();
    regressions::keep(&path, &regression, &found.subject).map_err(Complaint::of)?;
    let (before, early) = (found.plan.steps.len(), ended_early(shrunk.ended));
    stdout::line(format_args!("{before} steps made {steps} in {} runs{early}", shrunk.runs));
    stdout::line(format_args!("it was read back, run, and breaks {law}; kept in {}", path.display()));
    if wanted.story.is_none() {
        let had = found.regression.as_ref().filter(|had| wrapped(&had.story) == regression.story);
        match had {
            None => stdout::line("its story is a sentence yet: tell there what happens, in order"),
            Some(had) if had.plan != regression.plan => {
                stdout::line("its story is that of the plan it came from: see whether it is still so");
            }
            Some(_) => {}
        }
    }
    stdout::line(format_args!("replay it:  {}", invocation.about_file("replay", &path, &found.subject)));
    Ok(End::Broken)
}

/// Who broke it, and with what.
fn whose(found: &Found) -> String {
    match (planted::by_name(found.subject.name), found.seed) {
        (Some(planted), _) => planted.name.to_owned(),
        (None, Some(seed)) => format!("seed-{seed}"),
        (None, None) => "kept".to_owned(),
    }
}

/// What is to be kept: with a story that was told, or one that it had, or a first sentence of one.
pub fn regression(found: &Found, law: &str, plan: Plan, story: Option<&str>) -> Regression {
    let sabotage = planted::by_name(found.subject.name).map(|planted| planted.name.to_owned());
    // Of another law, or another bug, it would tell what is not so.
    let had = found.regression.as_ref().filter(|had| had.law == law && had.origin.sabotage == sabotage);
    let told = story.or(had.map(|regression| regression.story.as_str()));
    let story = told.map_or_else(|| first_sentence(found, &plan, law), wrapped);
    let origin = had.map(|regression| regression.origin.clone()).unwrap_or_default();
    let commit = origin.commit.or_else(commit_here);
    let origin = Origin { seed: found.seed.or(origin.seed), commit, sabotage };
    Regression { law: law.to_owned(), story, origin, finding: None, plan }
}

/// The same of a breach that a search found and made small.
pub fn regression_of(failure: &Failure) -> Regression {
    let (subject, law) = (failure.subject.as_str(), failure.broken.law);
    let store = failure.found.store.name();
    let sabotage = planted::by_name(subject).map(|planted| planted.name.to_owned());
    Regression {
        law: law.to_owned(),
        story: sentence(&failure.broken.because, subject, law, failure.found.seed, store),
        origin: Origin { seed: failure.found.seed, commit: commit_here(), sabotage },
        finding: None,
        plan: failure.history.plan.clone(),
    }
}

fn first_sentence(found: &Found, plan: &Plan, law: &str) -> String {
    let broken = judge(&Arc::new(plan.clone()), &found.subject).breach_of(law);
    let because = broken.map_or_else(String::new, |broken| broken.because);
    sentence(&because, found.subject.name, law, found.seed, found.store().name())
}

fn sentence(because: &str, subject: &str, law: &str, seed: Option<u64>, store: &str) -> String {
    let from = seed.map_or_else(|| "a plan from a file".to_owned(), |seed| format!("seed {seed}"));
    wrapped(&format!("`{subject}` breaks {law}, found with {from} on {store}: {because}."))
}

/// The commit that is checked out where this runs: what a seed means is a matter of the generator that read it.
fn commit_here() -> Option<String> {
    let asked = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output().ok()?;
    let commit = String::from_utf8(asked.stdout).ok()?.trim().to_owned();
    (asked.status.success() && !commit.is_empty()).then_some(commit)
}
