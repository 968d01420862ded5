//! The one judgement of a history, whether it is watched while it happens or read from a file: all laws, and for a registry
//! that is not ours once more in an order of its decisions that fits.

use crate::history::event::{Event, Witness};
use crate::judge::in_order::judged_in_order;
use crate::judge::judged::{Judged, findings};
use crate::laws::Laws;
use crate::plan::Plan;

pub struct Judgement {
    laws: Laws,
    /// Laws, or parts of one, that the subject does not claim to keep.
    not_claimed: Vec<String>,
    /// All of them, where decisions may take time.
    events: Option<Vec<Event>>,
}

impl Judgement {
    /// `is_ours`: the registry that made the history is ours, which decides each call at one reading of its clock.
    pub fn new(plan: &Plan, is_ours: bool, not_claimed: &[impl AsRef<str>]) -> Self {
        let laws = Laws::for_claims(plan, not_claimed);
        let not_claimed = not_claimed.iter().map(|claim| claim.as_ref().to_owned()).collect();
        Self { laws, not_claimed, events: (!is_ours).then(Vec::new) }
    }

    /// The findings of the laws that its subject claims to keep.
    pub fn findings(self, plan: &Plan) -> Vec<Judged> {
        let findings = findings(plan, &self.laws);
        let mut findings = match self.events {
            Some(events) => judged_in_order(plan, &events, findings, &self.not_claimed),
            None => findings,
        };
        findings.retain(|judged| !self.not_claimed.iter().any(|law| law == judged.law));
        findings
    }
}

impl Witness for Judgement {
    fn see(&mut self, event: &Event) {
        self.laws.see(event);
        if let Some(events) = &mut self.events {
            events.push(*event);
        }
    }
}
