//! The law bodies-overlap-within-bound: two bodies of one process may run at once, but not for long. A worker counts a ttl by
//! its own clock from when it sent the call that extended its lease; the registry counts a ttl by its clock from when it
//! decided that call. So the difference of their clocks bounds how long both bodies run. Rates are parts per million.

use std::collections::BTreeMap;

use crate::history::event::{CallResult, Event, EventKind, GrantNo, TurnedOut, What};
use crate::laws::case::Case;
use crate::laws::explain::{Evidence, Explanation};
use crate::laws::law::{Assumption, Law, LawCard, Side, unheard};
use crate::laws::state::by_grant::ByGrant;
use crate::laws::state::by_process::ByProcess;
use crate::plan::Plan;

const MILLION: u64 = 1_000_000;

/// For readings in whole milliseconds, and for stopping a body.
const SLACK_US: u64 = 4_000;

#[derive(Default)]
pub struct BodiesOverlapWithinBound {
    /// By node.
    ttls_us: BTreeMap<u8, u64>,
    drift_ppm: u64,
    /// How far each step of the plan moves the registry's clock forward.
    forward_ms: Vec<u64>,
    /// All forward steps so far.
    forward_us: u64,
    /// When a decision was recorded that had waited between its reading and its write, and how long that was.
    waited_to_write_us: (u64, u64),
    rows: ByProcess<RunningBodies>,
    paused_nodes: Vec<u8>,
    /// The forward steps there had been when the grant was last extended.
    extended_at_forward_us: ByGrant<u64>,
}

#[derive(Default)]
struct RunningBodies {
    running: Vec<RunningBody>,
    overlaps: Vec<BodyOverlap>,
    is_lied_about: bool,
    /// The forward steps there had been when a call was decided whose outcome is unknown.
    unknown_at_forward_us: u64,
    /// The same, if it was applied, for the decision that is recorded next.
    applied_at_forward_us: Option<u64>,
}

/// Ordered by grant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct RunningBody {
    grant: GrantNo,
    node: u8,
}

struct BodyOverlap {
    earlier: RunningBody,
    later: RunningBody,
    began_us: u64,
    /// How much of it either node stood still.
    paused_us: u64,
    /// How many of the two nodes stand still now, and since when there is one.
    paused_now: usize,
    paused_since_us: u64,
    bound_us: u64,
}

impl Law for BodiesOverlapWithinBound {
    const SIDE: Side = Side::RegistryOrWorker;
    const CARD: LawCard = LawCard {
        name: "bodies-overlap-within-bound",
        sentence: "two bodies of one process run at once for no longer than their clocks can be apart",
        hears: &[
            EventKind::StepTaken,
            EventKind::StoreWaited,
            EventKind::Granted,
            EventKind::Reclaimed,
            EventKind::Reentered,
            EventKind::Renewed,
            EventKind::Refused,
            EventKind::TurnedOut,
            EventKind::Observed,
            EventKind::Paused,
            EventKind::Resumed,
            EventKind::Crashed,
            EventKind::BodyBegan,
            EventKind::BodyEnded,
        ],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: false,
        is_about_panics: false,
        catches: &["renewal-that-renews-nothing", "one-incarnation-for-all"],
        explain,
    };

    fn new(plan: &Plan) -> Self {
        Self {
            ttls_us: plan.ttls_us(),
            drift_ppm: plan.worst_drift_ppm() / 2,
            forward_ms: plan.forward_steps_ms(),
            ..Self::default()
        }
    }

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        match what {
            What::StepTaken { step } => {
                let place = usize::try_from(step).unwrap_or(usize::MAX);
                self.forward_us += self.forward_ms.get(place).copied().unwrap_or(0) * 1_000;
            }
            What::Granted { .. } | What::Reclaimed { .. } | What::Reentered { .. } | What::Renewed { .. } => {
                // The clock may have been stepped since the reading that this was decided on.
                let (at_us, waited_us) = self.waited_to_write_us;
                let since_us = if at_us == event.at_us { waited_us } else { 0 };
                let was_forward_us = self.forward_us.saturating_sub(since_us);
                let applied = self.rows.of(event.process).applied_at_forward_us.take();
                let was_forward_us = applied.unwrap_or(was_forward_us);
                *self.extended_at_forward_us.of(event.grant) = was_forward_us;
            }
            // Nobody knows its outcome until somebody looks, and the clock may be stepped until then.
            What::Refused { why: CallResult::OutcomeUnknown, .. } => {
                self.rows.of(event.process).unknown_at_forward_us = self.forward_us;
            }
            What::TurnedOut { fate, .. } => {
                let row = self.rows.of(event.process);
                let is_applied = fate == TurnedOut::Applied;
                row.applied_at_forward_us = is_applied.then_some(row.unknown_at_forward_us);
            }
            What::Refused { .. } => {}
            What::StoreWaited { wrote_ms, .. } => {
                self.waited_to_write_us = (event.at_us, wrote_ms.saturating_sub(event.clock) * 1_000);
            }
            What::Observed { do_probes_lie, .. } => {
                // A probe that lied may have passed a live lease on: then nothing of the ttl need have passed.
                self.rows.of(event.process).is_lied_about |= do_probes_lie;
            }
            What::Paused => self.node_stops(event),
            What::Resumed | What::Crashed { .. } => self.node_moves_on(event),
            What::BodyBegan { .. } => self.body_begins(event),
            What::BodyEnded { .. } => self.body_ends(event, case),
            _ => unheard(what),
        }
    }
}

impl BodiesOverlapWithinBound {
    /// The worker's ttl by the slowest clock, less the registry's by the fastest.
    fn bound_us(&self, ttl_us: u64, forward_us: u64) -> u64 {
        let slowest = ttl_us * MILLION / (MILLION - self.drift_ppm) + 1;
        let fastest = ttl_us.saturating_sub(forward_us) * MILLION / (MILLION + self.drift_ppm);
        slowest.saturating_sub(fastest) + SLACK_US
    }

    fn node_stops(&mut self, event: &Event) {
        // Pauses may overlap: the first one begins the standstill, and the end of the last one ends it.
        if self.paused_nodes.contains(&event.node) {
            return;
        }
        self.paused_nodes.push(event.node);
        self.overlaps_with(event.node).for_each(|overlap| overlap.stops(event.at_us));
    }

    fn node_moves_on(&mut self, event: &Event) {
        let Some(place) = self.paused_nodes.iter().position(|node| *node == event.node) else { return };
        self.paused_nodes.swap_remove(place);
        self.overlaps_with(event.node).for_each(|overlap| overlap.moves_on(event.at_us));
    }

    fn overlaps_with(&mut self, node: u8) -> impl Iterator<Item = &mut BodyOverlap> {
        let overlaps = self.rows.all().flat_map(|row| &mut row.overlaps);
        overlaps.filter(move |overlap| overlap.earlier.node == node || overlap.later.node == node)
    }

    fn body_begins(&mut self, event: &Event) {
        let begun = RunningBody { grant: event.grant, node: event.node };
        let row = self.rows.of(event.process);
        let (running, is_lied_about) = (row.running.clone(), row.is_lied_about);
        row.running.push(begun);
        for other in running {
            // By their grants: the body of the earlier one may begin last.
            let (earlier, later) = (begun.min(other), begun.max(other));
            let extended_at_us = self.extended_at_forward_us.get(earlier.grant).copied().unwrap_or(0);
            let ttl_us = self.ttls_us.get(&earlier.node).copied().unwrap_or(0);
            let forward_us = if is_lied_about { ttl_us } else { self.forward_us - extended_at_us };
            let is_paused = |node| usize::from(self.paused_nodes.contains(&node));
            let is_other_node_paused = if earlier.node == later.node { 0 } else { is_paused(earlier.node) };
            let overlap = BodyOverlap {
                earlier,
                later,
                began_us: event.at_us,
                paused_us: 0,
                paused_now: is_paused(later.node) + is_other_node_paused,
                paused_since_us: event.at_us,
                bound_us: self.bound_us(ttl_us, forward_us),
            };
            self.rows.of(event.process).overlaps.push(overlap);
        }
    }

    fn body_ends(&mut self, event: &Event, case: &mut Case) {
        let row = self.rows.of(event.process);
        row.running.retain(|body| body.grant != event.grant);
        let is_over = |overlap: &mut BodyOverlap| {
            overlap.earlier.grant == event.grant || overlap.later.grant == event.grant
        };
        for overlap in row.overlaps.extract_if(.., is_over) {
            let (lasted_us, bound_us) = (overlap.lasted_us(event.at_us), overlap.bound_us);
            case.meet();
            if lasted_us > bound_us {
                case.breach(|| {
                    format!(
                        "two workers ran bodies of one process at the same time for {lasted_us} us; right: at most {bound_us} us, \
                         as far as the clocks of this plan can be apart"
                    )
                });
            }
        }
    }
}

impl BodyOverlap {
    fn stops(&mut self, at_us: u64) {
        if self.paused_now == 0 {
            self.paused_since_us = at_us;
        }
        self.paused_now += 1;
    }

    fn moves_on(&mut self, at_us: u64) {
        self.paused_now -= 1;
        if self.paused_now == 0 {
            self.paused_us += at_us - self.paused_since_us;
        }
    }

    /// Without the time in which either node stood still.
    fn lasted_us(&self, now_us: u64) -> u64 {
        let paused_us = if self.paused_now > 0 { now_us - self.paused_since_us } else { 0 };
        (now_us - self.began_us).saturating_sub(self.paused_us + paused_us)
    }
}

fn explain(evidence: &Evidence<'_>) -> Option<Explanation> {
    evidence.latest("another body of it had begun", |event| {
        event.kind() == EventKind::BodyBegan && event.grant != evidence.breach.grant
    })
}
