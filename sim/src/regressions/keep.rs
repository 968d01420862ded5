//! Writing a regression. The text is read back and run before it becomes a file: it must still break its law at the same
//! place, since later replays have the text alone.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use crate::history::event::What;
use crate::judge::{judge, record};
use crate::plan::{Plan, PlanError};
use crate::regressions::file::{BreachPlace, Regression, read};
use crate::subject::Subject;
use crate::support::atomic_file;

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    #[error("the plan does not break `{law}` on `{subject}`: nothing was written")]
    NotBroken { law: String, subject: &'static str },
    #[error("the plan cannot be told as text ({why}): nothing was written")]
    NoText { why: String },
    #[error("the plan does not read back from its text, and nothing was written: {error}")]
    Unreadable { error: PlanError },
    #[error("the plan that reads back from the text is another one: nothing was written")]
    AnotherPlan,
    #[error(
        "the plan breaks `{law}` once and not again, and nothing was written: `determinism` tells whether runs repeat themselves"
    )]
    NotRepeated { law: String },
    #[error("`{path}` is there already: say another name")]
    IsThere { path: String },
    #[error("`{path}` cannot be written: {cause}")]
    Unwritten { path: String, cause: std::io::Error },
}

/// Writes a regression that breaks its law on `subject`, together with the place where it does. Never replaces a file.
pub fn keep(path: &Path, regression: &Regression, subject: &Subject) -> Result<Regression, KeepError> {
    let (kept, text) = verified(regression, subject)?;
    let unwritten = |cause| KeepError::Unwritten { path: path.display().to_string(), cause };
    atomic_file::write_new(path, text.as_bytes()).map_err(|cause| match cause.kind() {
        ErrorKind::AlreadyExists => KeepError::IsThere { path: path.display().to_string() },
        _ => unwritten(cause),
    })?;
    Ok(kept)
}

/// Fills in the place where the regression breaks its law, and gives its text, which was read back and run.
pub fn verified(regression: &Regression, subject: &Subject) -> Result<(Regression, String), KeepError> {
    let law = &regression.law;
    let place = place_of(&regression.plan, subject, law)
        .ok_or_else(|| KeepError::NotBroken { law: law.clone(), subject: subject.name })?;
    let kept = Regression { place: Some(place), ..regression.clone() };
    let text = toml::to_string_pretty(&kept).map_err(|why| KeepError::NoText { why: why.to_string() })?;
    let (plan, read_back) = read(&text).map_err(|error| KeepError::Unreadable { error })?;
    if read_back.as_ref() != Some(&kept) {
        return Err(KeepError::AnotherPlan);
    }
    if place_of(&plan, subject, law) != kept.place {
        return Err(KeepError::NotRepeated { law: law.clone() });
    }
    Ok((kept, text))
}

/// Where the plan breaks the law, if it does.
pub fn place_of(plan: &Plan, subject: &Subject, law: &str) -> Option<BreachPlace> {
    let plan = Arc::new(plan.clone());
    let breach = usize::try_from(judge(&plan, subject).breach_of(law)?.at).ok()?;
    let history = record(&plan, subject);
    let event = history.events.get(breach)?.kind();
    let last_step = history.events[..breach].iter().rev().find_map(|event| {
        let What::StepTaken { step } = event.what() else { return None };
        usize::try_from(step).ok()
    });
    Some(BreachPlace { after: last_step.and_then(|step| plan.steps.get(step)).cloned(), event })
}
