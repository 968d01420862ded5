//! What a page says of the run as a whole: what was put to the test, by which plan, and what came of the laws. The run was
//! judged to its end, and what is drawn may be less of it: then a breach that comes later is told of as not reached.

use crate::judge::{Breach, Verdict};

pub struct Head<'a> {
    pub subject: &'a str,
    /// Where the plan is from: its seed, or the name of its file.
    pub plan: &'a str,
    /// Of the whole run.
    pub events: u64,
    pub hash: u64,
    pub ruling: Ruling<'a>,
}

/// Silence is not the same as a law that holds.
pub enum Ruling<'a> {
    Broken(&'a Breach),
    /// The run is drawn to an event before it.
    NotReached(&'a Breach),
    /// Laws of which it cannot be told whether they hold, and why.
    Undecided(Vec<(&'static str, &'a str)>),
    Holds,
}

impl<'a> Ruling<'a> {
    /// Of a run of which so many events are drawn.
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
            _ => None,
        }
    }
}
