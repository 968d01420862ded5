//! One run of a scope: what is remembered of it, and for a run that is extended all that points are read from.

use std::sync::Arc;

use crate::history::event::{Event, EventKind, RunningHash, What, Witness};
use crate::judge::{Breach, Judged, first_breach, judge_beside, record_messages};
use crate::laws::Finding;
use crate::plan::{Node, Plan, Process};
use crate::prove::decision_order::{DecisionOrder, changes_rows, mix};
use crate::subject::Subject;
use crate::world::MessageLog;

/// The facts that a proof keeps of a run.
pub struct RunSeen {
    /// The hash of every event with its time, without the marks of the plan's own steps.
    pub history: u64,
    pub order: DecisionOrder,
    pub findings: Vec<Judged>,
}

impl RunSeen {
    pub fn of(plan: &Arc<Plan>, subject: &Subject) -> Self {
        let mut seen = Seeing { history: RunningHash::default(), order: DecisionOrder::new(plan) };
        let findings = judge_beside(plan, subject, &mut seen);
        Self { history: seen.history.value(), order: seen.order, findings }
    }

    pub fn breaches(&self) -> impl Iterator<Item = Breach> {
        self.findings.iter().filter_map(Judged::breach)
    }

    pub fn first_breach(&self) -> Option<Breach> {
        first_breach(&self.findings)
    }

    /// The order of decisions together with what the laws found.
    pub fn outcome_key(&self, key: u64) -> u64 {
        self.findings.iter().fold(key, |key, judged| match &judged.finding {
            Finding::Holds => mix(key, 0),
            Finding::Broken { .. } => mix(key, 1),
            Finding::Undecided { .. } => mix(key, 2),
        })
    }
}

struct Seeing {
    history: RunningHash,
    order: DecisionOrder,
}

impl Witness for Seeing {
    fn see(&mut self, event: &Event) {
        // A fault that changes nothing leaves its own mark and no other.
        let is_mark = matches!(
            event.kind(),
            EventKind::StepTaken
                | EventKind::Paused
                | EventKind::Resumed
                | EventKind::Lost
                | EventKind::Repeated
        );
        if !is_mark {
            self.history.see(event);
        }
        self.order.see(event);
    }
}

/// A run that is extended.
pub struct RecordedRun {
    pub plan: Arc<Plan>,
    pub events: Vec<Event>,
    pub messages: MessageLog,
}

/// A lease, from a change of its expiry to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownLease {
    pub process: Process,
    /// Decided in this millisecond.
    pub since_ms: u64,
    /// The first millisecond in which it has expired, while clocks agree.
    pub expires_ms: u64,
}

impl RecordedRun {
    pub fn of(plan: Arc<Plan>, subject: &Subject) -> Self {
        let (events, messages) = record_messages(&plan, subject);
        Self { plan, events, messages }
    }

    /// Instants before the liveness phase in which a node does anything, in ms, each once.
    pub fn bursts(&self, node: Node) -> Vec<u64> {
        let mut bursts = Vec::new();
        for message in &self.messages.sent {
            if message.link.from == node && node != Node::Registry {
                bursts.push(message.at_us);
            }
            if message.link.to == node {
                bursts.extend(message.arrives_us);
            }
        }
        for event in &self.events {
            let is_own = event.node == node.code();
            match event.what() {
                What::EffectStarted { .. } | What::BodyBegan { .. } | What::BodyEnded { .. } if is_own => {
                    bursts.push(event.at_us);
                }
                _ => {}
            }
        }
        self.milliseconds(bursts)
    }

    /// Instants in which the registry's rows change, in ms, each once.
    pub fn changes(&self) -> Vec<u64> {
        self.milliseconds(self.events.iter().filter(|event| changes_rows(event)).map(|event| event.at_us))
    }

    /// Every lease, once for each expiry that it had.
    pub fn leases(&self) -> Vec<KnownLease> {
        let mut leases: Vec<KnownLease> = Vec::new();
        for event in &self.events {
            let expires_ms = match event.what() {
                What::Granted { expires_ms, .. }
                | What::Reclaimed { expires_ms, .. }
                | What::Reentered { expires_ms, .. }
                | What::Renewed { expires_ms, .. } => expires_ms,
                _ => continue,
            };
            let since_ms = event.at_us / 1_000;
            let expires_ms = since_ms + expires_ms.saturating_sub(event.clock);
            let lease = KnownLease { process: Process(event.process), since_ms, expires_ms };
            if since_ms < self.plan.horizon_ms && leases.last() != Some(&lease) {
                leases.push(lease);
            }
        }
        leases
    }

    fn milliseconds(&self, instants_us: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let mut instants: Vec<u64> = instants_us.into_iter().map(|at_us| at_us / 1_000).collect();
        instants.retain(|at_ms| *at_ms < self.plan.horizon_ms);
        instants.sort_unstable();
        instants.dedup();
        instants
    }
}
