//! The head of a page: the subject and the plan of the run, and the result of its laws. The run was judged to its end, and the
//! drawing may stop before that: then the head says that a later breach is not reached.

use crate::judge::{Breach, Verdict};

pub struct PageHead<'a> {
    pub subject: &'a str,
    /// The plan's origin: its seed, or the name of its file.
    pub plan: &'a str,
    /// The events of the whole run, drawn or not.
    pub events: u64,
    pub hash: u64,
    pub ruling: Ruling<'a>,
}

/// The result of a run's laws. A run that breaks no law and cannot decide one is not a run in which every law holds.
pub enum Ruling<'a> {
    Broken(&'a Breach),
    /// The run is drawn to an event before it.
    NotReached(&'a Breach),
    /// Laws that could not be decided, and why.
    Undecided(Vec<(&'static str, &'a str)>),
    Holds,
}

impl<'a> Ruling<'a> {
    /// The result of a run of which so many events are drawn.
    pub fn of(verdict: &'a Verdict, broken: Option<&'a Breach>, drawn: usize) -> Self {
        let undecided: Vec<_> = verdict.undecided().collect();
        match broken {
            Some(broken) if usize::try_from(broken.at).is_ok_and(|at| at < drawn) => Self::Broken(broken),
            Some(broken) => Self::NotReached(broken),
            None if !undecided.is_empty() => Self::Undecided(undecided),
            None => Self::Holds,
        }
    }

    /// The breach, if it is drawn.
    pub fn broken(&self) -> Option<&'a Breach> {
        match self {
            Self::Broken(broken) => Some(broken),
            Self::NotReached(_) | Self::Undecided(_) | Self::Holds => None,
        }
    }
}
