//! From a plan that breaks a law to a smaller one that breaks the same law, always by running the system again. Steps go
//! first, in halves and then one by one. A minimal plan breaks its law under few seeds of the network, so each
//! candidate is tried under eight of them. Every accepted candidate is strictly smaller: shrinking ends by itself.

use std::sync::Arc;

use crate::judge::{judge, record};
use crate::laws::Finding;
use crate::plan::{Links, Node, Nodes, Plan};
use crate::step::Action;
use crate::subject::Subject;

/// Network seeds that a candidate is tried under, its own among them.
const LUCKS: u64 = 8;

/// How a shrinking went.
#[derive(Debug, Clone)]
pub struct Shrunk {
    pub plan: Plan,
    pub runs: u64,
}

/// Makes the plan smaller for as long as it breaks `law`, trying at most `budget` runs. `log` hears of each success.
pub fn shrink(plan: &Plan, subject: &Subject, law: &str, budget: u64, log: &mut dyn FnMut(&str)) -> Shrunk {
    let mut shrinker = Shrinker { best: plan.clone(), subject, law, runs: 0, budget, log };
    shrinker.shorten();
    loop {
        let before = shrinker.best.clone();
        shrinker.drop_steps();
        shrinker.drop_nodes();
        shrinker.calm_down();
        if shrinker.best == before || shrinker.runs >= shrinker.budget {
            return Shrunk { plan: shrinker.best, runs: shrinker.runs };
        }
    }
}

struct Shrinker<'a> {
    best: Plan,
    subject: &'a Subject,
    law: &'a str,
    runs: u64,
    budget: u64,
    log: &'a mut dyn FnMut(&str),
}

impl Shrinker<'_> {
    /// Whether the candidate breaks the law under some luck; then it is the best so far.
    fn try_instead(&mut self, candidate: Plan, what: impl FnOnce() -> String) -> bool {
        if candidate == self.best || candidate.check().is_err() {
            return false;
        }
        for luck in 0..LUCKS {
            if self.runs >= self.budget {
                return false;
            }
            self.runs += 1;
            let lucky = Arc::new(Plan { seed: self.best.seed.wrapping_add(luck), ..candidate.clone() });
            if judge(&lucky, self.subject).breaks(self.law) {
                (self.log)(&what());
                self.best = Plan::clone(&lucky);
                return true;
            }
        }
        false
    }

    /// Steps after the breach cannot matter to it, unless it is one of the calm.
    fn shorten(&mut self) {
        let plan = Arc::new(self.best.clone());
        self.runs += 1;
        let findings = judge(&plan, self.subject).findings;
        let at = findings.iter().find_map(|judged| match judged.finding {
            Finding::Broken { at, .. } if judged.law == self.law => usize::try_from(at).ok(),
            _ => None,
        });
        let history = record(&plan, self.subject);
        let Some(event) = at.and_then(|at| history.events.get(at)) else { return };
        let breach_ms = event.at_us / 1_000 + 1;
        let mut candidate = self.best.clone();
        candidate.steps.retain(|step| step.at_ms <= breach_ms);
        candidate.horizon_ms = candidate.horizon_ms.min(breach_ms);
        self.try_instead(candidate, || format!("nothing after {breach_ms} ms"));
    }

    fn drop_steps(&mut self) {
        let mut size = self.best.steps.len().div_ceil(2);
        while size > 0 {
            let mut at = 0;
            while at < self.best.steps.len() {
                let mut candidate = self.best.clone();
                let end = (at + size).min(candidate.steps.len());
                // Bodies are found by the number of the step that registered them: removing renumbers, and that is sound.
                candidate.steps.drain(at..end);
                let left = candidate.steps.len();
                if !self.try_instead(candidate, || format!("{left} steps")) {
                    at += size;
                }
            }
            size /= 2;
        }
    }

    fn drop_nodes(&mut self) {
        for node in self.best.nodes().collect::<Vec<_>>() {
            let mut candidate = self.best.clone();
            let numbers = match node {
                Node::Worker(_) => &mut candidate.workers,
                Node::Host(_) => &mut candidate.hosts,
                _ => continue,
            };
            *numbers = Nodes(
                numbers
                    .0
                    .iter()
                    .copied()
                    .filter(
                        |number| !matches!(node, Node::Worker(gone) | Node::Host(gone) if gone == *number),
                    )
                    .collect(),
            );
            candidate.clocks.retain(|clock| clock.node != node);
            self.try_instead(candidate, || format!("without {node}"));
        }
    }

    /// Calmer links, truer clocks, fewer steps of bodies.
    fn calm_down(&mut self) {
        let quick = Plan { links: Links::QUICK, ..self.best.clone() };
        self.try_instead(quick, || "quick links".to_owned());
        let links = self.best.links;
        let calmer = [
            Links { loss_permille: 0, ..links },
            Links { repeat_permille: 0, ..links },
            Links { late_permille: 0, late_ms: 0, ..links },
        ];
        for links in calmer {
            let candidate = Plan { links, ..self.best.clone() };
            self.try_instead(candidate, || "calmer links".to_owned());
        }
        for place in (0..self.best.clocks.len()).rev() {
            let mut candidate = self.best.clone();
            candidate.clocks.remove(place);
            self.try_instead(candidate, || "a truer clock".to_owned());
        }
        for place in 0..self.best.steps.len() {
            if let Action::Register {
                body: crate::step::Body::Steps { count, .. } | crate::step::Body::Emits { count, .. },
                ..
            } = self.best.steps[place].action
            {
                for fewer in [1, count / 2] {
                    let mut candidate = self.best.clone();
                    if let Action::Register {
                        body: crate::step::Body::Steps { count, .. } | crate::step::Body::Emits { count, .. },
                        ..
                    } = &mut candidate.steps[place].action
                        && fewer < *count
                    {
                        *count = fewer;
                        self.try_instead(candidate, || "a shorter body".to_owned());
                    }
                }
            }
        }
    }
}
