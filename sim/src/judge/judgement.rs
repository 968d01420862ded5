//! The one judgement of a history, whether it is watched while it happens or read from a file: all laws, and for a registry
//! that is not ours the doubts about its decisions that took time.

use crate::history::event::{Event, Witness};
use crate::judge::breach::Breach;
use crate::judge::early_readings::EarlyReadings;
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

pub struct Judgement {
    laws: Laws,
    early: Option<EarlyReadings>,
}

impl Judgement {
    /// `is_ours`: the registry that made the history is ours, which decides each call at one reading of its clock.
    pub fn new(plan: &Plan, is_ours: bool) -> Self {
        Self { laws: Laws::new(plan), early: (!is_ours).then(|| EarlyReadings::new(plan)) }
    }

    /// The findings of the laws that its subject claims to keep.
    pub fn findings(self, plan: &Plan, not_claimed: &[impl AsRef<str>]) -> Vec<Judged> {
        let judged = |law: LawResult<'_>| Judged {
            law: law.name(),
            sentence: law.sentence(),
            finding: finding(plan, law),
            checked: law.checked(),
        };
        let mut findings: Vec<Judged> = self.laws.all().into_iter().map(judged).collect();
        if let Some(early) = self.early.filter(|early| early.is_needed) {
            doubt(plan, &early, &mut findings);
        }
        findings.retain(|judged| !not_claimed.iter().any(|law| law.as_ref() == judged.law));
        findings
    }
}

impl Witness for Judgement {
    fn see(&mut self, event: &Event) {
        self.laws.see(event);
        if let Some(early) = &mut self.early {
            early.see(event);
        }
    }
}

fn finding(plan: &Plan, law: LawResult<'_>) -> Finding {
    match law.card.broken_assumption(plan) {
        Some(why) => Finding::Undecided { because: why.to_owned() },
        None => law.finding(),
    }
}

/// Takes back what depends on an instant or an order that nobody knows.
fn doubt(plan: &Plan, early: &EarlyReadings, findings: &mut [Judged]) {
    for (judged, law) in findings.iter_mut().zip(early.laws.all()) {
        assert_eq!(judged.law, law.name(), "findings stand in the order of the laws");
        if let Some(doubt) = early.doubt(law.card, &judged.finding, &finding(plan, law)) {
            judged.finding = Finding::Undecided { because: doubt.to_owned() };
        }
    }
}
