//! The clocks of a run, worked out again from the plan and the steps that were taken, so that a reading is known at every
//! instant and an instant for every reading. Events carry readings too: each is compared, and whoever draws says how many
//! agree.

use std::collections::BTreeMap;

use crate::history::History;
use crate::history::event::{Event, What};
use crate::plan::Node;
use crate::plan::clock::{Clock, Stretch};

pub use crate::plan::clock::EPOCH_MS;

#[derive(Debug, Clone, Default)]
pub struct NodeClocks {
    of: BTreeMap<u8, Clock>,
    /// How many events carry a reading, and how many of those these clocks do not show.
    pub readings: u64,
    pub differing: u64,
    /// When a decision was recorded that had waited between its reading and its write, and that reading.
    read_earlier: Option<(u64, u64)>,
}

impl NodeClocks {
    pub fn of(history: &History) -> Self {
        let mut clocks = Self::default();
        for node in history.plan.nodes() {
            let setting = history.plan.clocks.iter().find(|clock| clock.node == node);
            let (offset_ms, drift_ppm) = setting.map_or((0, 0), |clock| (clock.offset_ms, clock.drift_ppm));
            clocks.of.insert(node.code(), Clock::new(offset_ms, drift_ppm));
        }
        for event in &history.events {
            clocks.compare(event);
            if let What::StepTaken { step } = event.what() {
                let step = usize::try_from(step).ok().and_then(|number| history.plan.steps.get(number));
                if let Some(fault) = step.and_then(|step| step.action.clock_fault())
                    && let Some(clock) = clocks.of.get_mut(&fault.node().code())
                {
                    fault.bend(clock, event.at_us);
                }
            }
        }
        clocks
    }

    pub fn stretches(&self, node: Node) -> impl DoubleEndedIterator<Item = &Stretch> {
        self.of.get(&node.code()).into_iter().flat_map(Clock::stretches)
    }

    /// The parts of a time in which this clock's wall reading was below `wall_ms`: one, unless it was set back.
    pub fn before_wall(&self, node: Node, from_us: u64, to_us: u64, wall_ms: u64) -> Vec<(u64, u64)> {
        let mut parts: Vec<(u64, u64)> = Vec::new();
        let mut stretches = self.stretches(node).peekable();
        while let Some(stretch) = stretches.next() {
            let next_us = stretches.peek().map_or(u64::MAX, |next| next.from_us);
            let reached_us = stretch.reaches_wall_ms(wall_ms);
            let part = (stretch.from_us.max(from_us), reached_us.min(next_us).min(to_us));
            if part.0 >= part.1 {
                continue;
            }
            match parts.last_mut() {
                Some(last) if last.1 == part.0 => last.1 = part.1,
                _ => parts.push(part),
            }
        }
        parts
    }

    /// The first instant at which this clock shows that so much has passed since its beginning.
    pub fn instant_of(&self, node: Node, monotonic_us: u64) -> u64 {
        let mut stretches = self.stretches(node).rev();
        let within = stretches.find(|stretch| stretch.monotonic_us <= monotonic_us);
        within.map_or(monotonic_us, |stretch| stretch.reaches_monotonic_us(monotonic_us))
    }

    /// The readings of this node's wall clock and monotonic clock at an instant, in µs.
    pub fn shown_us(&self, node: Node, at_us: u64) -> Option<(i64, u64)> {
        let stretch = self.of.get(&node.code())?.at(at_us);
        Some((stretch.wall_us(at_us), stretch.monotonic_us(at_us)))
    }

    fn compare(&mut self, event: &Event) {
        let is_decision = event.kind().is_decided();
        if let What::StoreWaited { wrote_ms, .. } = event.what() {
            self.read_earlier = (wrote_ms != event.clock).then_some((event.at_us, event.clock));
        }
        let node = if is_decision { Node::Registry } else { Node::from_code(event.node) };
        let Some(clock) = self.of.get(&node.code()) else { return };
        let shown = match is_decision {
            true => clock.wall_ms(event.at_us),
            false => clock.monotonic_us(event.at_us),
        };
        self.readings += 1;
        let is_earlier = is_decision && self.read_earlier == Some((event.at_us, event.clock));
        self.differing += u64::from(shown != event.clock && !is_earlier);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::event::NO_PROCESS;
    use crate::plan::Plan;
    use crate::timeline::test_events::{NO_GRANT, event};

    fn taken(step: u64, at_us: u64, clock: u64) -> Event {
        event(at_us, 0, NO_PROCESS, NO_GRANT, What::StepTaken { step }).with_clock(clock)
    }

    /// The registry a quarter of a second ahead, fast by a tenth from second 1, set back 2 s in second 3.
    fn bent() -> NodeClocks {
        let mut plan = Plan::quiet(1);
        plan.clocks.push("registry +250ms +0ppm".parse().unwrap());
        plan.steps.push("1s drift registry +100000ppm".parse().unwrap());
        plan.steps.push("3s step registry by -2s".parse().unwrap());
        let events = vec![taken(0, 1_000_000, 1_000_000), taken(1, 3_000_000, 3_200_000)];
        NodeClocks::of(&History { plan, grants: Vec::new(), events, notes: Vec::new() })
    }

    #[test]
    fn a_clock_that_is_ahead_fast_and_set_back_is_known_at_every_instant() {
        let clocks = bent();
        assert_eq!((clocks.readings, clocks.differing), (2, 0));
        let shown_us = |at_us: u64| {
            clocks.shown_us(Node::Registry, at_us).map(|(wall_us, _)| wall_us - EPOCH_MS * 1_000)
        };
        // 1 s and a quarter; after two seconds at 1.1, 3.45 s, less 2 s.
        assert_eq!(shown_us(0), Some(250_000));
        assert_eq!(shown_us(1_000_000), Some(1_250_000));
        assert_eq!(shown_us(2_999_999), Some(3_449_998));
        assert_eq!(shown_us(3_000_000), Some(1_450_000));
        // A monotonic clock is not set.
        assert_eq!(
            clocks.shown_us(Node::Registry, 3_000_000).map(|(_, monotonic)| monotonic),
            Some(3_200_000)
        );
        assert_eq!(clocks.instant_of(Node::Registry, 500_000), 500_000);
        assert_eq!(clocks.instant_of(Node::Registry, 2_100_000), 2_000_000);
        assert_eq!(clocks.instant_of(Node::Registry, 4_300_000), 4_000_000);
    }

    #[test]
    fn a_lease_that_ran_out_is_live_again_when_the_clock_is_set_back() {
        let wall_ms = EPOCH_MS as u64 + 2_350;
        let parts = bent().before_wall(Node::Registry, 500_000, 9_000_000, wall_ms);
        // 2.35 s is shown a second after the drift began; again, 0.9 s of the clock after it was set back.
        assert_eq!(parts, [(500_000, 2_000_000), (3_000_000, 3_818_182)]);
    }

    #[test]
    fn a_reading_that_no_such_clock_shows_is_counted() {
        let events = vec![taken(9, 1_000_000, 1_000_001)];
        let clocks =
            NodeClocks::of(&History { plan: Plan::quiet(1), grants: Vec::new(), events, notes: Vec::new() });
        assert_eq!((clocks.readings, clocks.differing), (1, 1));
    }
}
