//! `keep`: a breaking plan, made smaller, and kept among the regressions with its story. What is written was read back and run
//! first: a file that does not break its law is no regression.

use std::process::Command;
use std::sync::Arc;

use super::arguments::Keep;
use super::found::{Found, found};
use super::invocation::Invocation;
use super::shrink::{ended_early, law_to_break, smallest};
use super::{Complaint, End, Ended, out, say};
use crate::corpus::{Origin, Regression, place_of};
use crate::judge::judge;
use crate::plan::Plan;
use crate::report::failure::Failure;
use crate::report::summary::store_name;
use crate::sabotage;

pub fn keep(wanted: &Keep, invocation: &Invocation<'_>) -> Ended {
    let found = found(&wanted.what, invocation)?;
    let law = law_to_break(&found, wanted.law.as_deref())?;
    let name = wanted.name.clone().unwrap_or_else(|| format!("{law}-{}", whose(&found)));
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
        return Err(Complaint(format!("`{name}` is no name for a file: say --name what-happens")));
    }
    let path = wanted.into.join(format!("{name}.toml"));
    if path.exists() {
        return Err(Complaint(format!("`{}` is there already: say --name another", path.display())));
    }
    let shrunk = smallest(&found, &law, wanted.budget)?;
    let story = match (&wanted.story, &found.regression) {
        (Some(story), _) => story.trim().to_owned(),
        (None, Some(regression)) => regression.story.clone(),
        (None, None) => first_sentence(&found, &shrunk.plan, &law),
    };
    let steps = shrunk.plan.steps.len();
    let text = verified(&found, &law, shrunk.plan, &story)?;
    out::put(&path, &text)?;
    let (before, early) = (found.plan.steps.len(), ended_early(shrunk.ended));
    say::line(format_args!("{before} steps made {steps} in {} runs{early}", shrunk.runs));
    say::line(format_args!("it was read back, run, and breaks {law}; kept in {}", path.display()));
    if wanted.story.is_none() && found.regression.is_none() {
        say::line("its story is a sentence yet: tell there what happens, in order");
    }
    say::line(format_args!("replay it:  {}", invocation.about_file("replay", &path, &found.subject)));
    Ok(End::Broken)
}

/// Who broke it, and with what.
fn whose(found: &Found) -> String {
    match (sabotage::by_name(found.subject.name), found.seed) {
        (Some(planted), _) => planted.name.to_owned(),
        (None, Some(seed)) => format!("seed-{seed}"),
        (None, None) => "kept".to_owned(),
    }
}

fn first_sentence(found: &Found, plan: &Plan, law: &str) -> String {
    let broken = judge(&Arc::new(plan.clone()), &found.subject).breach_of(law);
    let because = broken.map_or_else(String::new, |broken| broken.because);
    sentence(&because, found.subject.name, law, found.seed, store_name(found.store()))
}

fn sentence(because: &str, subject: &str, law: &str, seed: Option<u64>, store: &str) -> String {
    let from = seed.map_or_else(|| "a plan from a file".to_owned(), |seed| format!("seed {seed}"));
    format!("`{subject}` breaks {law}, found with {from} on {store}: {because}.")
}

/// The commit that is checked out where this runs: what a seed means is a matter of the generator that read it.
fn commit_here() -> Option<String> {
    let asked = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output().ok()?;
    let commit = String::from_utf8(asked.stdout).ok()?.trim().to_owned();
    (asked.status.success() && !commit.is_empty()).then_some(commit)
}

/// A regression's text that was read back and still breaks its law.
pub fn verified(found: &Found, law: &str, plan: Plan, story: &str) -> Result<String, Complaint> {
    let origin = found.regression.as_ref().map(|regression| regression.origin.clone()).unwrap_or_default();
    let sabotage = sabotage::by_name(found.subject.name).map(|planted| planted.name.to_owned());
    let commit = origin.commit.or_else(commit_here);
    let origin = Origin { seed: found.seed.or(origin.seed), commit, sabotage };
    let finding = place_of(&plan, &found.subject, law);
    let kept = Regression { law: law.to_owned(), story: story.to_owned(), origin, finding, plan };
    let text = written(&kept)?;
    let again = read_back(&text)?;
    let place = place_of(&again.plan, &found.subject, law);
    if place.is_none() || place != again.finding {
        return Err(Complaint(format!(
            "what would be written does not break {law} when it is read back, so it is not kept: `determinism` tells \
             whether runs repeat themselves"
        )));
    }
    Ok(text)
}

/// The same of a breach that a search found and made small.
pub fn regression_text(failure: &Failure) -> Result<String, Complaint> {
    let (subject, law) = (failure.subject.as_str(), failure.broken.law);
    let store = store_name(failure.found.store);
    let sabotage = sabotage::by_name(subject).map(|planted| planted.name.to_owned());
    written(&Regression {
        law: law.to_owned(),
        story: sentence(&failure.broken.because, subject, law, failure.found.seed, store),
        origin: Origin { seed: failure.found.seed, commit: None, sabotage },
        finding: None,
        plan: failure.history.plan.clone(),
    })
}

fn written(regression: &Regression) -> Result<String, Complaint> {
    toml::to_string_pretty(regression)
        .map_err(|cause| Complaint(format!("the plan cannot be written as TOML, which is a bug: {cause}")))
}

fn read_back(text: &str) -> Result<Regression, Complaint> {
    toml::from_str(text).map_err(|cause: toml::de::Error| {
        Complaint(format!("what would be written cannot be read back, which is a bug: {cause}"))
    })
}
