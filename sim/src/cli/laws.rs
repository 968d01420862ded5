//! `laws`: prints each law with its sentence and the planted bugs that it must catch.

use crate::cli::error::CommandResult;
use crate::cli::stdout;
use crate::laws::Laws;
use crate::plan::Plan;
use crate::planted;
use crate::search::Conclusion;
use crate::subject::{Subject, claims};

pub fn laws(subject: &Subject) -> CommandResult {
    for law in Laws::new(&Plan::quiet(0)).all() {
        let claimed = if subject.claims(law.name()) { "" } else { " (not claimed)" };
        stdout::line(format_args!("{}{claimed}", law.name()));
        stdout::line(format_args!("    {}", law.sentence()));
        for claim in subject.not_claimed {
            if let (of, Some(part)) = claims::split(claim)
                && of == law.name()
            {
                stdout::line(format_args!("    not claimed of it: {part}"));
            }
        }
        let caught: Vec<&str> =
            planted::all().filter(|planted| planted.law == law.name()).map(|planted| planted.name).collect();
        if !caught.is_empty() {
            stdout::line(format_args!("    catches {}", caught.join(", ")));
        }
    }
    Ok(Conclusion::Holds)
}
