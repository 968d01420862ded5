//! `shrink`: a breaking plan, made smaller, and written as a regression if a file is named.

use super::arguments::Shrink;
use super::found::{Found, found};
use super::invocation::Invocation;
use super::keep::{self, told};
use super::{Complaint, End, Ended, out, say};
use crate::judge::judge;
use crate::shrink::shrink;

pub fn shrink_to(wanted: &Shrink, invocation: &Invocation<'_>) -> Ended {
    let found = found(&wanted.what, invocation)?;
    let law = law_to_break(&found, wanted.law.as_deref())?;
    let mut log = |success: &str| told(success);
    let shrunk = shrink(&found.plan, &found.subject, &law, wanted.budget, &mut log);
    say::line(format_args!(
        "{} steps to {} in {} runs\n",
        found.plan.steps.len(),
        shrunk.plan.steps.len(),
        shrunk.runs
    ));
    match &wanted.out {
        None => say::raw(&shrunk.plan.to_string()),
        Some(path) => {
            let text = keep::verified(&found, &law, shrunk.plan, "Not told yet.")?;
            out::put(path, &text)?;
            say::line(format_args!("written to {}", path.display()));
        }
    }
    Ok(End::Broken)
}

/// The law that was named, or the first that is broken.
pub fn law_to_break(found: &Found, named: Option<&str>) -> Result<String, Complaint> {
    let verdict = judge(&found.plan, &found.subject);
    let kept = found.regression.as_ref().map(|regression| regression.law.as_str());
    let kept = kept.filter(|law| verdict.breaks(law));
    match named.or(kept) {
        Some(law) if verdict.breaks(law) => Ok(law.to_owned()),
        Some(law) => Err(Complaint(format!("this plan does not break `{law}`: there is nothing to shrink"))),
        None => verdict.broken().map(|broken| broken.law.to_owned()).ok_or_else(|| {
            Complaint(format!(
                "this plan breaks no law of `{}`: there is nothing to shrink, or --subject names another",
                found.subject.name
            ))
        }),
    }
}
