//! The law of overlap: two bodies of one process may run at once, but not for long. A worker counts a ttl from when it sent
//! the call that extended its lease, on its own clock; the registry counts a ttl from when it decided it, on its own.
//! So how long both may be at it follows from how far clocks may be apart. In integers: rates are parts per million.

use crate::history::event::{Event, GrantNo, Kind};
use crate::laws::{ByProcess, Case, Law};
use crate::plan::Plan;

const MILLION: u64 = 1_000_000;

/// Of readings in whole milliseconds, and of stopping a body.
const SLACK_US: u64 = 4_000;

/// See its sentence.
pub struct BodiesOverlapWithinBound {
    ttl_us: u64,
    drift_ppm: u64,
    /// How far each step of the plan moves the registry's clock forward.
    forward_ms: Vec<u64>,
    /// All forward steps so far.
    forward_us: u64,
    rows: ByProcess<Bodies>,
    /// Nodes that stand still.
    paused: Vec<u8>,
    /// Of each grant: the forward steps there had been when it was last extended.
    extended_at_forward: Vec<u64>,
    case: Case,
}

#[derive(Default)]
struct Bodies {
    running: Vec<(GrantNo, u8)>,
    overlaps: Vec<Overlap>,
    is_lied_about: bool,
}

struct Overlap {
    earlier: (GrantNo, u8),
    later: (GrantNo, u8),
    began_us: u64,
    /// Of it, time in which either node stood still.
    paused_us: u64,
    /// How many of the two stand still, and since when there is one.
    still: u8,
    still_since_us: u64,
    bound_us: u64,
}

impl Overlap {
    fn involves(&self, node: u8) -> bool {
        self.earlier.1 == node || self.later.1 == node
    }

    fn stands_still(&mut self, at_us: u64) {
        if self.still == 0 {
            self.still_since_us = at_us;
        }
        self.still += 1;
    }

    fn moves_on(&mut self, at_us: u64) {
        self.still -= 1;
        if self.still == 0 {
            self.paused_us += at_us - self.still_since_us;
        }
    }

    fn lasted_us(&self, now_us: u64) -> u64 {
        let still_us = if self.still > 0 { now_us - self.still_since_us } else { 0 };
        (now_us - self.began_us).saturating_sub(self.paused_us + still_us)
    }
}

impl BodiesOverlapWithinBound {
    pub fn new(plan: &Plan) -> Self {
        Self {
            ttl_us: plan.ttl_ms * 1_000,
            drift_ppm: plan.worst_drift_ppm() / 2,
            forward_ms: plan.forward_steps_ms(),
            forward_us: 0,
            rows: ByProcess::default(),
            paused: Vec::new(),
            extended_at_forward: Vec::new(),
            case: Case::default(),
        }
    }

    /// The worker's ttl by the slowest clock, less the registry's by the fastest.
    fn bound_us(&self, forward_us: u64) -> u64 {
        let slowest = self.ttl_us * MILLION / (MILLION - self.drift_ppm) + 1;
        let fastest = self.ttl_us.saturating_sub(forward_us) * MILLION / (MILLION + self.drift_ppm);
        slowest.saturating_sub(fastest) + SLACK_US
    }

    fn ends(&mut self, number: u64, event: &Event) {
        let row = self.rows.of(event.process);
        row.running.retain(|(grant, _)| *grant != event.grant);
        let is_over =
            |overlap: &mut Overlap| overlap.earlier.0 == event.grant || overlap.later.0 == event.grant;
        for overlap in row.overlaps.extract_if(.., is_over) {
            let (lasted_us, bound_us) = (overlap.lasted_us(event.at_us), overlap.bound_us);
            self.case.meet();
            if lasted_us > bound_us {
                self.case.breach(number, || {
                    format!(
                        "two bodies ran at once for {lasted_us} us, and {bound_us} us is what clocks allow"
                    )
                });
            }
        }
    }

    fn paused(&mut self, event: &Event) {
        // Of pauses within a pause the first begins it, and only the last one's end ends it.
        if self.paused.contains(&event.node) {
            return;
        }
        self.paused.push(event.node);
        let overlaps = self.rows.all().flat_map(|row| &mut row.overlaps);
        overlaps
            .filter(|overlap| overlap.involves(event.node))
            .for_each(|overlap| overlap.stands_still(event.at_us));
    }

    fn resumed(&mut self, event: &Event) {
        let Some(place) = self.paused.iter().position(|node| *node == event.node) else { return };
        self.paused.swap_remove(place);
        let overlaps = self.rows.all().flat_map(|row| &mut row.overlaps);
        overlaps
            .filter(|overlap| overlap.involves(event.node))
            .for_each(|overlap| overlap.moves_on(event.at_us));
    }

    fn begins(&mut self, event: &Event) {
        let begun = (event.grant, event.node);
        let row = self.rows.of(event.process);
        let (running, is_lied_about) = (row.running.clone(), row.is_lied_about);
        row.running.push(begun);
        for other in running {
            // By their grants: the body of the earlier one may begin last.
            let (earlier, later) = (begun.min(other), begun.max(other));
            let place = earlier.0.0 as usize;
            let extended_at = self.extended_at_forward.get(place).copied().unwrap_or(0);
            let forward_us = if is_lied_about { self.ttl_us } else { self.forward_us - extended_at };
            let nodes = if earlier.1 == later.1 { vec![later.1] } else { vec![earlier.1, later.1] };
            let still = nodes.iter().filter(|node| self.paused.contains(node)).count() as u8;
            let overlap = Overlap {
                earlier,
                later,
                began_us: event.at_us,
                paused_us: 0,
                still,
                still_since_us: event.at_us,
                bound_us: self.bound_us(forward_us),
            };
            self.rows.of(event.process).overlaps.push(overlap);
        }
    }
}

impl Law for BodiesOverlapWithinBound {
    fn name(&self) -> &'static str {
        "bodies-overlap-within-bound"
    }

    fn sentence(&self) -> &'static str {
        "two bodies of one process run at once for no longer than their clocks can be apart"
    }

    fn see(&mut self, number: u64, event: &Event) {
        match event.kind {
            Kind::StepTaken => {
                let place = usize::try_from(event.a).unwrap_or(usize::MAX);
                self.forward_us += self.forward_ms.get(place).copied().unwrap_or(0) * 1_000;
            }
            Kind::Granted | Kind::Reclaimed | Kind::Reentered | Kind::Renewed => {
                let place = event.grant.0 as usize;
                if self.extended_at_forward.len() <= place {
                    self.extended_at_forward.resize(place + 1, 0);
                }
                self.extended_at_forward[place] = self.forward_us;
            }
            // A probe that lied may have passed a live lease on: then nothing of the ttl need have passed.
            Kind::Observed if event.b == 1 => self.rows.of(event.process).is_lied_about = true,
            Kind::Paused => self.paused(event),
            Kind::Resumed | Kind::Crashed => self.resumed(event),
            Kind::BodyBegan => self.begins(event),
            Kind::BodyEnded => self.ends(number, event),
            _ => {}
        }
    }

    fn case(&self) -> &Case {
        &self.case
    }
}
