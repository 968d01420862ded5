//! The plan that somebody means: of a seed, or of a file; and whom it is for.

use std::path::Path;
use std::sync::Arc;

use crate::cli::Complaint;
use crate::cli::invocation::Invocation;
use crate::laws::Laws;
use crate::plan::{Plan, Store};
use crate::regressions;
use crate::regressions::Regression;
use crate::search::Plans;
use crate::search::seeds;
use crate::subject::Subject;

pub struct Found {
    pub plan: Arc<Plan>,
    pub subject: Subject,
    pub regression: Option<Regression>,
    pub seed: Option<u64>,
}

pub fn found(what: &str, invocation: &Invocation<'_>) -> Result<Found, Complaint> {
    let subject = invocation.subject()?;
    if !what.is_empty() && what.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit()) {
        let seed = seeds::parse(what).map_err(Complaint)?;
        let (store, profile) = (subject.store_needed, invocation.profile());
        let plan = Plans { store, profile, subject: &subject }.plan(seed);
        return Ok(Found { plan: Arc::new(plan), subject, regression: None, seed: Some(seed) });
    }
    for (flag, is_said) in
        [("--store", invocation.stores().is_some()), ("--profile", invocation.profile().is_some())]
    {
        if is_said {
            return Err(Complaint(format!(
                "{flag} is for seeds: what is in `{what}` says that itself, leave it out"
            )));
        }
    }
    let path = Path::new(what);
    let complain = |error: &regressions::LoadError| {
        let hint = match error {
            regressions::LoadError::Unreadable { .. } => ": give a seed, or the file of a plan or regression",
            _ => "",
        };
        Complaint(format!("{error}{hint}"))
    };
    let (plan, regression) = regressions::load(path).map_err(|error| complain(&error))?;
    if let Some(law) = regression.as_ref().map(|regression| &regression.law)
        && !Laws::names().contains(&law.as_str())
    {
        let why = regressions::ReplayError::NoSuchLaw { law: law.clone() };
        return Err(Complaint(format!("`{what}` is no regression: {why}")));
    }
    let subject = match &regression {
        Some(regression) if regression.origin.sabotage.is_some() && !invocation.asks_for_subject() => {
            regression.subject(path).map_err(|error| complain(&error))?
        }
        _ => subject,
    };
    Ok(Found { plan: Arc::new(plan), subject, regression, seed: None })
}

impl Found {
    pub fn store(&self) -> Store {
        self.plan.store
    }
}
