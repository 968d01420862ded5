//! The regression for a breach: its origin, and a story, of which the first sentence is written here.

use std::process::Command;
use std::sync::Arc;

use crate::cli::plan_source::PlanSource;
use crate::cli::wrap::wrapped;
use crate::judge::judge;
use crate::plan::Plan;
use crate::planted;
use crate::regressions::{Origin, Regression};
use crate::report::failure::Failure;
use crate::search::Reproducer;

/// The regression to write: with the story that was given, the one it had, or a first sentence.
pub fn from_source(source: &PlanSource, law: &str, plan: Plan, story: Option<&str>) -> Regression {
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

/// The regression for a breach that a search or a proof found.
pub fn from_failure(failure: &Failure) -> Regression {
    let Reproducer { seed, store, breach, .. } = &failure.reproducer;
    let subject = failure.subject.as_str();
    let planted_bug = planted::by_name(subject).map(|planted| planted.name.to_owned());
    Regression {
        law: breach.law.to_owned(),
        story: match &failure.scope {
            Some(scope) => told(&breach.because, subject, breach.law, &format!("in scope {scope}")),
            None => sentence(&breach.because, subject, breach.law, Some(*seed), store.name()),
        },
        origin: Origin { seed: failure.scope.is_none().then_some(*seed), commit: commit_here(), planted_bug },
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
    told(because, subject, law, &format!("with {from} on {store}"))
}

fn told(because: &str, subject: &str, law: &str, found: &str) -> String {
    wrapped(&format!("`{subject}` breaks {law}, found {found}: {because}."))
}

/// The commit that is checked out here: a seed names a plan only together with the generator of its commit.
fn commit_here() -> Option<String> {
    let asked = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output().ok()?;
    let commit = String::from_utf8(asked.stdout).ok()?.trim().to_owned();
    (asked.status.success() && !commit.is_empty()).then_some(commit)
}
