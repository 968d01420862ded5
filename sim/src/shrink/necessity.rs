//! Which parts of a small plan are needed for its breach: the plan is run again without each of them, under eight seeds of
//! the network. A part without which the law never breaks is a part of the cause.

use std::sync::Arc;

use crate::judge::judge;
use crate::plan::Plan;
use crate::shrink::{NETWORK_SEEDS, facts, network_seeds};
use crate::subject::Subject;

/// A plan, part by part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// The plan as it is.
    pub whole: Need,
    /// The first steps, in the order of the plan: a plan of many more was not made small, and each costs runs.
    pub steps: Vec<Need>,
    /// Facts of the header beyond a quiet world: a clock, links that lose messages, a second worker.
    pub facts: Vec<Need>,
}

/// How often the law breaks without a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The part, as the plan says it.
    pub what: String,
    /// Under how many seeds the law breaks without it.
    pub breaks: u64,
    /// How many seeds were tried.
    pub tried: u64,
}

impl Need {
    /// True, if the law never breaks without it.
    pub fn is_needed(&self) -> bool {
        self.breaks == 0
    }

    /// How often the law breaks without it, for people.
    pub fn breaks_without(&self) -> String {
        match self.breaks {
            0 => "never".to_owned(),
            breaks => format!("in {breaks} of {}", self.tried),
        }
    }
}

/// Runs the plan without each of its first steps, so many at most, and without each fact of its header.
pub fn needs(plan: &Plan, subject: &Subject, law: &str, most: usize) -> Needs {
    let seeds = network_seeds(plan);
    let need = |what: String, without: &Plan| {
        let breaks = |seed: &u64| {
            let seeded = Plan { seed: *seed, ..without.clone() };
            judge(&Arc::new(seeded), subject).breaks(law)
        };
        Need { what, breaks: seeds.iter().filter(|seed| breaks(seed)).count() as u64, tried: NETWORK_SEEDS }
    };
    let without_step = |place: usize| {
        let mut without = plan.clone();
        without.steps.remove(place);
        need(plan.steps[place].to_string(), &without)
    };
    Needs {
        whole: need("the whole plan".to_owned(), plan),
        steps: (0..plan.steps.len().min(most)).map(without_step).collect(),
        facts: facts(plan).into_iter().map(|fact| need(fact.what, &fact.without)).collect(),
    }
}
