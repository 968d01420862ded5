//! The errors of a check, as a failed test shows them: a broken law comes with its small plan, its timeline and the commands
//! that replay it.

use std::fmt;

use crate::coverage::Mark;
use crate::judge::Breach;
use crate::plan::{Plan, Store};
use crate::prove::Statement;
use crate::report::failure::Failure;
use crate::report::human;
use crate::report::human::NextCommands;
use crate::report::proof;
use crate::search::{Conclusion, HarnessPanic, Reason, Reproducer, RequestError, SearchResult, UndecidedLaw};
use crate::subject::Subject;

/// Why a check did not show that all laws hold.
#[derive(thiserror::Error)]
pub enum CheckError {
    #[error("{0}")]
    Broken(Box<BrokenLaw>),
    #[error("{0}")]
    Inconclusive(Box<Inconclusive>),
    /// A scope of which not every run could be judged.
    #[error("{0}")]
    NotProven(Box<NotProven>),
    #[error(
        "`{subject}` broke {law} with seed {seed}, and not again: its runs are no function of their plans. `determinism` of a \
         binary of your own names the first event that differs"
    )]
    NotDeterministic { subject: &'static str, law: &'static str, seed: u64 },
    #[error("the harness itself panicked in seed {}, which is a bug in it: {}", .0.seed, .0.said)]
    HarnessPanicked(HarnessPanic),
    #[error(transparent)]
    BadRequest(#[from] RequestError),
}

/// A broken law, with the small plan that breaks it.
pub struct BrokenLaw {
    pub breach: Breach,
    pub seed: u64,
    /// The minimal reproducer.
    pub plan: Plan,
    report: String,
}

/// A check that broke no law, and saw too little to say that none is broken.
#[derive(Debug)]
pub struct Inconclusive {
    pub subject: &'static str,
    pub reasons: Vec<Reason>,
    /// Coverage marks that were not reached.
    pub missed: Vec<Mark>,
    pub first_undecided: Option<UndecidedLaw>,
}

/// A scope that was not proven, though no law is broken in it: its statement says what is missing.
#[derive(Debug)]
pub struct NotProven(pub Statement);

impl CheckError {
    /// The broken law, if that is the error.
    pub fn broken(&self) -> Option<&BrokenLaw> {
        match self {
            Self::Broken(broken) => Some(broken),
            Self::Inconclusive(_)
            | Self::NotProven(_)
            | Self::NotDeterministic { .. }
            | Self::HarnessPanicked(_)
            | Self::BadRequest(_) => None,
        }
    }

    /// The name of the broken law, if that is the error.
    pub fn law(&self) -> Option<&'static str> {
        self.broken().map(|broken| broken.breach.law)
    }
}

/// Gives the result back if all laws held, and the error otherwise.
pub(super) fn if_not_held(result: SearchResult, subject: &Subject) -> Result<SearchResult, CheckError> {
    let SearchResult { reasons, missed, first_undecided, .. } = result;
    Err(match result.conclusion {
        Conclusion::Holds => return Ok(SearchResult { reasons, missed, first_undecided, ..result }),
        Conclusion::Inconclusive => {
            let subject = subject.name;
            CheckError::Inconclusive(Box::new(Inconclusive { subject, reasons, missed, first_undecided }))
        }
        Conclusion::Broken | Conclusion::NotDeterministic | Conclusion::Failed => {
            let reproducer = result.reproducers.into_iter().next();
            let first = result.breaches.into_iter().next();
            match (result.panicked, reproducer, first) {
                (Some(panicked), _, _) => CheckError::HarnessPanicked(panicked),
                (None, Some(reproducer), _) => {
                    CheckError::Broken(Box::new(BrokenLaw::new(reproducer, subject)))
                }
                (None, None, first) => CheckError::NotDeterministic {
                    subject: subject.name,
                    law: first.as_ref().map_or("a law", |first| first.breach.law),
                    seed: first.map_or(0, |first| first.seed),
                },
            }
        }
    })
}

impl BrokenLaw {
    pub(super) fn new(reproducer: Reproducer, subject: &Subject) -> Self {
        let next = next_commands(&reproducer);
        let failure = Failure::new(reproducer, subject);
        let report = human::failure(&failure, &next, None);
        let Reproducer { breach, seed, history, .. } = failure.reproducer;
        Self { breach, seed, plan: history.plan, report }
    }
}

/// The commands for a binary that calls `cli::main_for` for this subject.
fn next_commands(found: &Reproducer) -> NextCommands {
    let store = match found.store {
        Store::Memory => "",
        Store::Sqlite => " --store sqlite",
    };
    let line = |command: &str, more: &str| format!("YOUR-BINARY {command} {}{store}{more}", found.seed);
    let page = format!(" --shrunk --timeline html --out {}.html", found.file_stem());
    NextCommands {
        replay: line(
            "replay",
            " --shrunk --timeline text   (a binary that calls cli::main_for for this subject)",
        ),
        debug: line("replay", &page),
        keep: line("keep", ""),
        elsewhere: None,
    }
}

impl fmt::Display for BrokenLaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report)
    }
}

impl fmt::Debug for BrokenLaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}

impl fmt::Display for NotProven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&proof::statement(&self.0))
    }
}

impl fmt::Display for Inconclusive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "`{}` broke no law, and it was not shown that it breaks none:", self.subject)?;
        for reason in &self.reasons {
            writeln!(f, "  {reason}")?;
        }
        match &self.first_undecided {
            Some(UndecidedLaw { seed, law, because }) => {
                writeln!(f, "  first undecided: {law} could not be told with seed {seed}: {because}")
            }
            None => Ok(()),
        }
    }
}

/// As [`fmt::Display`], so that `unwrap` in a test prints the report.
impl fmt::Debug for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}
