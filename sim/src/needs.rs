//! What each part of a small plan is needed for: the plan is run again without it. Removed, does the law still break, and
//! under how many seeds of the network? A part without which it never breaks is a part of the cause.

use std::fmt;
use std::sync::Arc;

use crate::judge::judge;
use crate::plan::Plan;
use crate::shrink::{LUCKS, facts};
use crate::subject::Subject;

/// A plan, part by part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// The plan as it is.
    pub whole: Need,
    /// Every step, in the order of the plan.
    pub steps: Vec<Need>,
    /// What the header says beyond a quiet world: a clock, links that lose messages, a second worker.
    pub facts: Vec<Need>,
}

/// What becomes of the breach without a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The part, as the plan says it.
    pub what: String,
    /// Under how many seeds the law breaks without it.
    pub breaks: u64,
    /// Of how many that were tried.
    pub tried: u64,
}

impl Need {
    /// Whether the law never breaks without it.
    pub fn is_needed(&self) -> bool {
        self.breaks == 0
    }
}

/// Runs the plan without each of its steps, and without each fact of its header.
pub fn needs(plan: &Plan, subject: &Subject, law: &str) -> Needs {
    let need = |what: String, without: &Plan| {
        let breaks = |luck: &u64| {
            let lucky = Plan { seed: plan.seed.wrapping_add(*luck), ..without.clone() };
            judge(&Arc::new(lucky), subject).breaks(law)
        };
        Need { what, breaks: (0..LUCKS).filter(breaks).count() as u64, tried: LUCKS }
    };
    let without_step = |place: usize| {
        let mut without = plan.clone();
        without.steps.remove(place);
        need(plan.steps[place].to_string(), &without)
    };
    Needs {
        whole: need("the whole plan".to_owned(), plan),
        steps: (0..plan.steps.len()).map(without_step).collect(),
        facts: facts(plan).into_iter().map(|fact| need(fact.what, &fact.without)).collect(),
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, breaks, tried } = self;
        let width = f.width().unwrap_or(0);
        match breaks {
            0 => write!(f, "{what:<width$}    without it: never"),
            _ => write!(f, "{what:<width$}    without it: in {breaks} of {tried}"),
        }
    }
}

/// A line each, in columns.
impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = || self.steps.iter().chain(&self.facts);
        let width = parts().map(|need| need.what.chars().count()).max().unwrap_or(0);
        let Need { breaks, tried, .. } = self.whole;
        writeln!(f, "it breaks under {breaks} of {tried} seeds of the network")?;
        parts().try_for_each(|need| writeln!(f, "{need:width$}"))
    }
}
