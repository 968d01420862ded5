//! A plan becomes a file only after its text, read back, still breaks the law at the same place: what is kept for ever is the
//! text, and not the value it was written from.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use crate::history::event::Kind;
use crate::judge::{judge, record};
use crate::plan::{Plan, PlanError};
use crate::regressions::{Place, Regression, read};
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

/// Writes a regression that breaks its law on `subject`, with the place where it does: whole, or not at all, and in the
/// place of no other.
pub fn keep(path: &Path, regression: &Regression, subject: &Subject) -> Result<Regression, KeepError> {
    let (kept, text) = verified(regression, subject)?;
    let unwritten = |cause| KeepError::Unwritten { path: path.display().to_string(), cause };
    atomic_file::write_new(path, text.as_bytes()).map_err(|cause| match cause.kind() {
        ErrorKind::AlreadyExists => KeepError::IsThere { path: path.display().to_string() },
        _ => unwritten(cause),
    })?;
    Ok(kept)
}

/// The regression with the place where it breaks its law, and its text, which was read back and breaks it there.
pub fn verified(regression: &Regression, subject: &Subject) -> Result<(Regression, String), KeepError> {
    let law = &regression.law;
    let place = place_of(&regression.plan, subject, law)
        .ok_or_else(|| KeepError::NotBroken { law: law.clone(), subject: subject.name })?;
    let kept = Regression { finding: Some(place), ..regression.clone() };
    let text = toml::to_string_pretty(&kept).map_err(|why| KeepError::NoText { why: why.to_string() })?;
    let (plan, read_back) = read(&text).map_err(|error| KeepError::Unreadable { error })?;
    if read_back.as_ref() != Some(&kept) {
        return Err(KeepError::AnotherPlan);
    }
    if place_of(&plan, subject, law) != kept.finding {
        return Err(KeepError::NotRepeated { law: law.clone() });
    }
    Ok((kept, text))
}

/// Where the plan breaks the law, if it does.
pub fn place_of(plan: &Plan, subject: &Subject, law: &str) -> Option<Place> {
    let plan = Arc::new(plan.clone());
    let breach = usize::try_from(judge(&plan, subject).breach_of(law)?.at).ok()?;
    let history = record(&plan, subject);
    let event = history.events.get(breach)?.kind;
    let taken = history.events[..breach].iter().rev().find(|event| event.kind == Kind::StepTaken);
    let step = taken.and_then(|taken| plan.steps.get(usize::try_from(taken.a).ok()?));
    Some(Place { after: step.map(ToString::to_string), event })
}
