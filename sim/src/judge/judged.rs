//! One law's word on a run, and those of all laws.

use crate::judge::breach::Breach;
use crate::laws::{Finding, LawResult, Laws};
use crate::plan::Plan;

/// One law's word on a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub law: &'static str,
    pub sentence: &'static str,
    pub finding: Finding,
    pub checked: u64,
}

impl Judged {
    pub fn holds(&self) -> bool {
        self.finding == Finding::Holds
    }

    /// The breach that the finding states, if it states one.
    pub fn breach(&self) -> Option<Breach> {
        match &self.finding {
            Finding::Broken { at, because } => {
                let Self { law, sentence, .. } = *self;
                Some(Breach { law, sentence, at: *at, because: because.clone() })
            }
            Finding::Holds | Finding::Undecided { .. } => None,
        }
    }
}

/// The findings of all laws, claimed or not.
pub(super) fn findings(plan: &Plan, laws: &Laws) -> Vec<Judged> {
    let judged = |law: LawResult<'_>| Judged {
        law: law.name(),
        sentence: law.sentence(),
        finding: finding(plan, law),
        checked: law.checked(),
    };
    laws.all().into_iter().map(judged).collect()
}

fn finding(plan: &Plan, law: LawResult<'_>) -> Finding {
    match law.card.broken_assumption(plan) {
        Some(why) => Finding::Undecided { because: why.to_owned() },
        None => law.finding(),
    }
}
