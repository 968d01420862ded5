//! `diff`: two histories, and the first event that differs. Of one plan that is a leak of determinism; of two plans it is
//! what a change of the plan came to.

use std::path::Path;

use crate::cli::{CommandResult, history_files, stdout};
use crate::history::History;
use crate::search::Conclusion;

/// Events of both that are shown before the one that differs.
const BEFORE: usize = 3;

pub fn diff(one: &Path, other: &Path) -> CommandResult {
    let (ours, theirs) = (history_files::read(one)?.history, history_files::read(other)?.history);
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
    let Some(place) = place else {
        stdout::line(format_args!("no event differs, of {}", ours.events.len()));
        return Ok(Conclusion::Holds);
    };
    for same in place.saturating_sub(BEFORE)..place {
        stdout::line(format_args!("  {:>7} {}", same, ours.line(same)));
    }
    stdout::line(format_args!("< {place:>7} {}", shown(&ours, &theirs, place)));
    stdout::line(format_args!("> {place:>7} {}", shown(&theirs, &ours, place)));
    if is_one_plan {
        stdout::line("one plan gave different events: that is not deterministic");
        return Ok(Conclusion::NotDeterministic);
    }
    Ok(Conclusion::Holds)
}

/// Two events that read alike may differ in what is not shown.
fn shown(here: &History, there: &History, place: usize) -> String {
    let line = here.line(place);
    match here.events.get(place) {
        Some(event) if line == there.line(place) => {
            format!("{line}  (clock {}, a {}, b {}, grant {})", event.clock, event.a, event.b, event.grant.0)
        }
        _ => line,
    }
}
