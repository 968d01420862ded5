//! What a regression file must go on showing: the true system keeps every law, and where the plan came from a planted bug, it
//! still breaks the named law on that, at the named place. A file that no longer gets there says why.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::{LoadError, Place, Regression, load, place_of};
use crate::judge::judge;
use crate::laws::Laws;
use crate::subject::Subject;

/// Why a regression file no longer shows what it was kept for.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error(transparent)]
    Unloadable(#[from] LoadError),
    #[error("`{path}` is a plan alone: a regression has a law, a story and an origin")]
    NoRegression { path: String },
    #[error("`{path}` names the law `{law}`, and there is none of that name")]
    NoSuchLaw { path: String, law: String },
    #[error("`{path}`: {subject} breaks {law}: {because}")]
    Broken { path: String, subject: &'static str, law: &'static str, because: String },
    #[error("`{path}` no longer reaches its point: with `{sabotage}` planted, {law} holds")]
    NotReached { path: String, sabotage: String, law: String },
    #[error("`{path}` no longer reaches its point: {law} is broken {found}, and was {expected}")]
    Elsewhere { path: String, law: String, expected: Place, found: Place },
}

/// Loads a file, and holds it against the true system and against the bug it was found with.
pub fn replay(path: &Path, truth: &Subject) -> Result<Regression, ReplayError> {
    let shown = || path.display().to_string();
    let (plan, regression) = load(path)?;
    let regression = regression.ok_or_else(|| ReplayError::NoRegression { path: shown() })?;
    let law = regression.law.clone();
    if !Laws::names().contains(&law.as_str()) {
        return Err(ReplayError::NoSuchLaw { path: shown(), law });
    }
    if let Some(broken) = judge(&Arc::new(plan.clone()), truth).broken() {
        let (law, because) = (broken.law, broken.because);
        return Err(ReplayError::Broken { path: shown(), subject: truth.name, law, because });
    }
    let Some(sabotage) = regression.origin.sabotage.clone() else { return Ok(regression) };
    let planted = regression.subject(path)?;
    match (place_of(&plan, &planted, &law), &regression.finding) {
        (None, _) => Err(ReplayError::NotReached { path: shown(), sabotage, law }),
        (Some(found), Some(expected)) if found != *expected => {
            Err(ReplayError::Elsewhere { path: shown(), law, expected: expected.clone(), found })
        }
        _ => Ok(regression),
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "by an event of kind {:?}", self.event)?;
        match &self.after {
            Some(step) => write!(f, " after `{step}`"),
            None => f.write_str(" before any step"),
        }
    }
}
