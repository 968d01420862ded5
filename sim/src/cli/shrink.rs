//! `shrink`: a breaking plan, made smaller, and written as a regression if a file is named.

use std::io::{self, Write};
use std::ops::ControlFlow;

use crate::cli::arguments::Shrink;
use crate::cli::invocation::Invocation;
use crate::cli::plan_source::{Found, found};
use crate::cli::{Complaint, End, interrupt, keep, output_folder, stdout};
use crate::judge::judge;
use crate::planted;
use crate::regressions;
use crate::shrink::{Ended, Progress, Shrunk, shrink_watched};

pub fn shrink_to(wanted: &Shrink, invocation: &Invocation<'_>) -> crate::cli::Ended {
    let found = found(&wanted.what, invocation)?;
    let law = law_to_break(&found, wanted.law)?;
    if let Some(path) = &wanted.out {
        output_folder::is_free(path, "name another file")?;
    }
    let shrunk = smallest(&found, &law, wanted.budget)?;
    stdout::line(format_args!(
        "{} steps to {} in {} runs{}\n",
        found.plan.steps.len(),
        shrunk.plan.steps.len(),
        shrunk.runs,
        ended_early(shrunk.ended)
    ));
    match &wanted.out {
        None => stdout::raw(&shrunk.plan.to_string()),
        Some(path) => {
            let regression = keep::regression(&found, &law, shrunk.plan, None);
            regressions::keep(path, &regression, &found.subject).map_err(Complaint::of)?;
            stdout::line(format_args!("written to {}", path.display()));
        }
    }
    Ok(End::Broken)
}

/// Told candidate by candidate on standard error, for whoever waits.
pub fn smallest(found: &Found, law: &str, budget: u64) -> Result<Shrunk, Complaint> {
    until_asked(found, law, budget, &mut |progress| {
        let came_of_it = if progress.was_kept { "kept" } else { "holds" };
        drop(writeln!(io::stderr().lock(), "  {came_of_it:<6} {}", progress.what));
    })
}

/// Ctrl-C ends it with the best so far.
pub fn until_asked(
    found: &Found,
    law: &str,
    budget: u64,
    tell: &mut dyn FnMut(&Progress),
) -> Result<Shrunk, Complaint> {
    let asked =
        interrupt::listen().map_err(|cause| Complaint(format!("Ctrl-C cannot be listened for: {cause}")))?;
    let shrunk = shrink_watched(&found.plan, &found.subject, law, budget, &mut |progress| {
        tell(progress);
        if interrupt::is_asked(&asked) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    match shrunk.ended {
        Ended::NotBroken => Err(Complaint(format!(
            "this plan broke `{law}` once and not again: `determinism` tells whether runs repeat themselves"
        ))),
        _ => Ok(shrunk),
    }
}

/// What there is to say of a plan that might become smaller still.
pub fn ended_early(ended: Ended) -> &'static str {
    match ended {
        Ended::OutOfBudget => ", when the budget was used up",
        Ended::Interrupted => ", when it was interrupted",
        Ended::Smallest | Ended::NotBroken => "",
    }
}

/// The law that was named, or that this was kept or planted for, or the first that is broken.
pub fn law_to_break(found: &Found, named: Option<&str>) -> Result<String, Complaint> {
    let verdict = judge(&found.plan, &found.subject);
    let kept = found.regression.as_ref().map(|regression| regression.law.as_str());
    let kept = kept.filter(|law| verdict.breaks(law));
    // A planted bug is there to break its law, whatever else it breaks before.
    let planted = planted::by_name(found.subject.name).map(|planted| planted.law);
    let planted = planted.filter(|law| verdict.breaks(law));
    match named.or(kept).or(planted) {
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
