//! Finding the plan that a command line names: by a seed or by a file, with the subject to run it on.

use std::path::Path;
use std::sync::Arc;

use crate::cli::error::CliError;
use crate::cli::invocation::Invocation;
use crate::laws::Laws;
use crate::plan::{Plan, Store};
use crate::regressions;
use crate::regressions::Regression;
use crate::search::seeds;
use crate::search::{RequestError, SeededPlans};
use crate::subject::Subject;

/// A plan that was named, and its origin.
pub struct PlanSource {
    pub plan: Arc<Plan>,
    pub subject: Subject,
    /// The regression, if the plan is from the file of one.
    pub regression: Option<Regression>,
    /// None if the plan is from a file.
    pub seed: Option<u64>,
}

/// Reads `what` as a seed or as the path of a plan or regression.
pub fn find_plan(what: &str, invocation: &Invocation<'_>) -> Result<PlanSource, CliError> {
    let subject = invocation.subject()?;
    if !what.is_empty() && what.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit()) {
        let seed = seeds::parse(what).map_err(CliError)?;
        let (store, profile) = (subject.store_needed, invocation.profile());
        let plan = SeededPlans { store, profile, subject: &subject }.plan(seed);
        check_store(&plan, &subject)?;
        return Ok(PlanSource { plan: Arc::new(plan), subject, regression: None, seed: Some(seed) });
    }
    if let Some(flag) = invocation.option_for_seeds() {
        return Err(CliError(format!(
            "{flag} is for seeds: what is in `{what}` says that itself, leave it out"
        )));
    }
    let path = Path::new(what);
    let load_error = |error: &regressions::LoadError| {
        let hint = match error {
            regressions::LoadError::Unreadable { .. } => ": give a seed, or the file of a plan or regression",
            _ => "",
        };
        CliError(format!("{error}{hint}"))
    };
    let (plan, regression) = regressions::load(path).map_err(|error| load_error(&error))?;
    if let Some(law) = regression.as_ref().map(|regression| &regression.law)
        && !Laws::names().contains(&law.as_str())
    {
        let why = regressions::ReplayError::NoSuchLaw { law: law.clone() };
        return Err(CliError(format!("`{what}` is no regression: {why}")));
    }
    let subject = match &regression {
        Some(regression) if regression.origin.planted_bug.is_some() && !invocation.asks_for_subject() => {
            regression.subject(path).map_err(|error| load_error(&error))?
        }
        _ => subject,
    };
    check_store(&plan, &subject)?;
    Ok(PlanSource { plan: Arc::new(plan), subject, regression, seed: None })
}

fn check_store(plan: &Plan, subject: &Subject) -> Result<(), CliError> {
    if subject.can_keep_rows_in(plan.store) {
        return Ok(());
    }
    Err(CliError::of(RequestError::NoSqlite { subject: subject.name }))
}

impl PlanSource {
    pub fn store(&self) -> Store {
        self.plan.store
    }
}
