//! The one judgement of a history, whether it is watched while it happens or read from a file: all laws, and for a registry
//! that is not ours once more in an order of its decisions that fits.

use crate::history::event::{Event, Witness};
use crate::judge::in_order::judged_in_order;
use crate::judge::judged::{Judged, findings};
use crate::laws::Laws;
use crate::plan::Plan;

pub struct Judgement {
    laws: Laws,
    /// All of them, where decisions may take time.
    events: Option<Vec<Event>>,
}

impl Judgement {
    /// `is_ours`: the registry that made the history is ours, which decides each call at one reading of its clock.
    pub fn new(plan: &Plan, is_ours: bool) -> Self {
        Self { laws: Laws::new(plan), events: (!is_ours).then(Vec::new) }
    }

    /// The findings of the laws that its subject claims to keep.
    pub fn findings(self, plan: &Plan, not_claimed: &[impl AsRef<str>]) -> Vec<Judged> {
        let findings = findings(plan, &self.laws);
        let mut findings = match self.events {
            Some(events) => judged_in_order(plan, &events, findings),
            None => findings,
        };
        findings.retain(|judged| !not_claimed.iter().any(|law| law.as_ref() == judged.law));
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
