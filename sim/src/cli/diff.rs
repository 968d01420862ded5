//! `diff`: compares two histories and prints the first event that differs. If both are runs of one plan with one subject, a
//! difference means that the run is not deterministic.

use std::path::Path;

use crate::cli::error::CommandResult;
use crate::cli::{history_files, stdout};
use crate::history::History;
use crate::history::stored::StoredHistory;
use crate::search::Conclusion;

/// Equal events that are shown before the first difference.
const BEFORE: usize = 3;

pub fn diff(one: &Path, other: &Path) -> CommandResult {
    let (
        StoredHistory { history: ours, subject, .. },
        StoredHistory { history: theirs, subject: against, .. },
    ) = (history_files::read(one)?, history_files::read(other)?);
    let is_one_plan = ours.plan == theirs.plan;
    let place = ours.first_difference(&theirs);
    if !is_one_plan {
        stdout::line("their plans differ:");
        for (name, here, there) in [(one, &ours, &theirs), (other, &theirs, &ours)] {
            for step in here.plan.steps.iter().filter(|step| !there.plan.steps.contains(step)) {
                stdout::line(format_args!("  only in {}: {step}", name.display()));
            }
        }
    }
    let is_one_subject = subject == against;
    if !is_one_subject {
        let name = |subject: &Option<String>| subject.clone().unwrap_or_else(|| "unknown".to_owned());
        stdout::line(format_args!("their subjects differ: `{}` and `{}`", name(&subject), name(&against)));
    }
    let Some(place) = place else {
        stdout::line(format_args!("no event differs, of {}", ours.events.len()));
        return Ok(Conclusion::Holds);
    };
    for same in place.saturating_sub(BEFORE)..place {
        stdout::line(format_args!("  {:>7} {}", same, ours.line(same)));
    }
    stdout::line(format_args!("< {place:>7} {}", shown(&ours, &theirs, place)));
    stdout::line(format_args!("> {place:>7} {}", shown(&theirs, &ours, place)));
    if is_one_plan && is_one_subject {
        stdout::line("one plan gave different events: that is not deterministic");
        return Ok(Conclusion::NotDeterministic);
    }
    Ok(Conclusion::Holds)
}

/// The line of an event. If both lines read alike, it also has the values that lines leave out.
fn shown(here: &History, there: &History, place: usize) -> String {
    let line = here.line(place);
    match here.events.get(place) {
        Some(event) if line == there.line(place) => {
            format!("{line}  (clock {}, {:?}, grant {})", event.clock, event.what(), event.grant.0)
        }
        _ => line,
    }
}
