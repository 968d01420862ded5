//! What a regression file must go on showing: the true system keeps every law, and where the plan came from a planted bug, it
//! still breaks the named law on that, at the named place. A file that no longer gets there says why.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::judge::{Breach, judge};
use crate::laws::Laws;
use crate::regressions::{LoadError, Place, Regression, load, place_of};
use crate::subject::Subject;

/// Why a regression file no longer shows what it was kept for.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error(transparent)]
    Unloadable(#[from] LoadError),
    #[error("it is a plan alone: a regression has a law, a story and an origin, and `keep` writes them")]
    NoRegression,
    #[error("it names the law `{law}`, and there is none of that name: `laws` tells which there are")]
    NoSuchLaw { law: String },
    #[error("{subject} breaks {law} at event {at}: {because}")]
    Broken { subject: &'static str, law: &'static str, at: u64, because: String },
    #[error("it cannot be told whether {law} holds: {because}")]
    Undecided { law: &'static str, because: String },
    #[error(
        "it no longer reaches its point: with `{sabotage}` planted, {law} holds; keep another plan for it"
    )]
    NotReached { sabotage: String, law: String },
    #[error("it does not say where {law} breaks with `{sabotage}` planted: `keep` writes that")]
    NoPlace { sabotage: String, law: String },
    #[error("it no longer reaches its point: {law} is broken {found}, and was {expected}")]
    Elsewhere { law: String, expected: Place, found: Place },
}

/// Loads a file, and holds it against the true system and against the bug it was found with.
pub fn replay(path: &Path, truth: &Subject) -> Result<Regression, ReplayError> {
    let (plan, regression) = load(path)?;
    let regression = regression.ok_or(ReplayError::NoRegression)?;
    let law = regression.law.clone();
    if !Laws::names().contains(&law.as_str()) {
        return Err(ReplayError::NoSuchLaw { law });
    }
    let verdict = judge(&Arc::new(plan.clone()), truth);
    if let Some(Breach { law, at, because, .. }) = verdict.broken() {
        return Err(ReplayError::Broken { subject: truth.name, law, at, because });
    }
    if let Some((law, because)) = verdict.undecided().next() {
        return Err(ReplayError::Undecided { law, because: because.to_owned() });
    }
    let Some(sabotage) = regression.origin.sabotage.clone() else { return Ok(regression) };
    let planted = regression.subject(path)?;
    match (place_of(&plan, &planted, &law), &regression.finding) {
        (None, _) => Err(ReplayError::NotReached { sabotage, law }),
        (Some(found), Some(expected)) if found != *expected => {
            Err(ReplayError::Elsewhere { law, expected: expected.clone(), found })
        }
        (Some(_), None) => Err(ReplayError::NoPlace { sabotage, law }),
        (Some(_), Some(_)) => Ok(regression),
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
