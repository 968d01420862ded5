//! Replaying a regression. The true system must keep every law; where the plan was found with a planted bug, that bug must
//! still break the law at the same place. A file for which either is false says why.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use crate::judge::{Breach, judge};
use crate::laws::Laws;
use crate::regressions::file::{BreachPlace, LoadError, Regression, load};
use crate::regressions::keep::place_of;
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
    #[error("{subject} breaks {} at event {}: {}", breach.law, breach.at, breach.because)]
    Broken { subject: &'static str, breach: Breach },
    #[error("it cannot be told whether {law} holds: {because}")]
    Undecided { law: &'static str, because: String },
    #[error(
        "it no longer reaches its point: with `{planted_bug}` planted, {law} holds; keep another plan for it"
    )]
    NotReached { planted_bug: String, law: String },
    #[error("it does not say where {law} breaks with `{planted_bug}` planted: `keep` writes that")]
    NoPlace { planted_bug: String, law: String },
    #[error("it no longer reaches its point: {law} is broken {found}, and was {expected}")]
    Elsewhere { law: String, expected: BreachPlace, found: BreachPlace },
}

/// Loads a regression file and runs its plan on the true system, and with the bug it was found with.
pub fn replay(path: &Path, truth: &Subject) -> Result<Regression, ReplayError> {
    let (plan, regression) = load(path)?;
    let regression = regression.ok_or(ReplayError::NoRegression)?;
    let law = regression.law.clone();
    if !Laws::names().contains(&law.as_str()) {
        return Err(ReplayError::NoSuchLaw { law });
    }
    let verdict = judge(&Arc::new(plan.clone()), truth);
    if let Some(breach) = verdict.broken() {
        return Err(ReplayError::Broken { subject: truth.name, breach });
    }
    if let Some((law, because)) = verdict.undecided().next() {
        return Err(ReplayError::Undecided { law, because: because.to_owned() });
    }
    let Some(planted_bug) = regression.origin.planted_bug.clone() else { return Ok(regression) };
    let with_bug = regression.subject(path)?;
    match (place_of(&plan, &with_bug, &law), &regression.place) {
        (None, _) => Err(ReplayError::NotReached { planted_bug, law }),
        (Some(found), Some(expected)) if found != *expected => {
            Err(ReplayError::Elsewhere { law, expected: expected.clone(), found })
        }
        (Some(_), None) => Err(ReplayError::NoPlace { planted_bug, law }),
        (Some(_), Some(_)) => Ok(regression),
    }
}

/// The result of replaying a regression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RegressionStatus {
    Held,
    /// The subject breaks a law.
    Broken,
    /// It could not be told whether the subject keeps a law.
    Undecided,
    /// The planted bug no longer breaks the law where it did.
    Toothless,
    Unreadable,
}

impl RegressionStatus {
    pub fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Broken => "broken",
            Self::Undecided => "undecided",
            Self::Toothless => "toothless",
            Self::Unreadable => "unreadable",
        }
    }
}

impl ReplayError {
    pub fn status(&self) -> RegressionStatus {
        match self {
            Self::Unloadable(_) | Self::NoRegression | Self::NoSuchLaw { .. } => RegressionStatus::Unreadable,
            Self::Broken { .. } => RegressionStatus::Broken,
            Self::Undecided { .. } => RegressionStatus::Undecided,
            Self::NotReached { .. } | Self::Elsewhere { .. } | Self::NoPlace { .. } => {
                RegressionStatus::Toothless
            }
        }
    }
}

impl fmt::Display for BreachPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "by an event of kind {:?}", self.event)?;
        match &self.after {
            Some(step) => write!(f, " after `{step}`"),
            None => f.write_str(" before any step"),
        }
    }
}
