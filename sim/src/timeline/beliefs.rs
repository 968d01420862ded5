//! The leases that workers may believe in. A worker whose claim was answered holds the lease until a ttl after it first sent
//! the call that last extended it, on its own monotonic clock, or until it is told otherwise. This is worked out from calls
//! and answers alone, whatever the worker's code does.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::history::History;
use crate::history::event::{CallKind, CallResult, Event, GrantNo, What};
use crate::plan::Node;
use crate::timeline::clocks::NodeClocks;

/// A worker's belief in one grant. `from`, `to` and the first parts of extensions are places in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkerBelief {
    pub node: u8,
    pub process: u16,
    pub grant: GrantNo,
    pub from: usize,
    pub to: Option<usize>,
    pub why: &'static str,
    /// Where its deadline moved, and to what reading of the worker's monotonic clock.
    pub extensions: Vec<(usize, u64)>,
    /// The parts of true time in which it lasted: one, unless an answer came after the deadline.
    pub lasted_us: Vec<(u64, u64)>,
}

pub fn beliefs(history: &History, clocks: &NodeClocks) -> Vec<WorkerBelief> {
    let mut tracker = BeliefTracker { ttls_us: history.plan.ttls_us(), ..BeliefTracker::default() };
    for (place, event) in history.events.iter().enumerate() {
        // A belief changes when its worker sends a call, hears an answer or dies, and with nothing else.
        if let What::Sent { call, number } = event.what() {
            tracker.sent(place, event, call, number);
        } else if let What::Heard { call, result, number } = event.what() {
            tracker.heard(place, event, call, result, number);
        } else if let What::Crashed { .. } = event.what() {
            tracker.crashed(place, event.node);
        }
    }
    for belief in &mut tracker.beliefs {
        belief.lasted_us = lasted(belief, history, clocks);
        belief.check(history);
    }
    tracker.beliefs
}

impl WorkerBelief {
    /// A belief begins with an answer to its own worker and ends after that.
    fn check(&self, history: &History) {
        let begun = &history.events[self.from];
        assert!(
            begun.node == self.node && begun.grant == self.grant,
            "a belief begins with another's answer"
        );
        assert!(self.to.is_none_or(|to| to > self.from), "a belief ends before it begins");
        let places = self.extensions.iter().map(|(place, _)| *place);
        assert!(places.is_sorted() && self.extensions[0].0 == self.from, "a belief is extended out of order");
    }
}

fn lasted(belief: &WorkerBelief, history: &History, clocks: &NodeClocks) -> Vec<(u64, u64)> {
    let at_us = |place: usize| history.events[place].at_us;
    let end_us = belief.to.map_or_else(|| history.events.last().map_or(0, |last| last.at_us), at_us);
    let mut parts: Vec<(u64, u64)> = Vec::new();
    for (number, (place, deadline_us)) in belief.extensions.iter().enumerate() {
        let next_us = belief.extensions.get(number + 1).map_or(end_us, |(next, _)| at_us(*next));
        let until_us = clocks.instant_of(Node::from_code(belief.node), *deadline_us).min(next_us);
        match parts.last_mut() {
            Some(last) if last.1 == at_us(*place) => last.1 = until_us.max(last.1),
            _ if until_us > at_us(*place) => parts.push((at_us(*place), until_us)),
            _ => {}
        }
    }
    parts
}

#[derive(Default)]
struct BeliefTracker {
    /// By node.
    ttls_us: BTreeMap<u8, u64>,
    beliefs: Vec<WorkerBelief>,
    /// Those that have not ended, by node and grant.
    held: BTreeMap<(u8, GrantNo), usize>,
    /// The time at which each call under way was first sent, by node and the call's number.
    begun_us: BTreeMap<(u8, u64), u64>,
}

impl BeliefTracker {
    fn sent(&mut self, place: usize, event: &Event, call: CallKind, number: u64) {
        self.begun_us.insert((event.node, number), event.clock);
        if call == CallKind::Release {
            self.end((event.node, event.grant), place, "it gave the lease back");
        }
    }

    fn heard(&mut self, place: usize, event: &Event, call: CallKind, result: CallResult, number: u64) {
        let begun_us = self.begun_us.remove(&(event.node, number));
        let is_done = result == CallResult::Done;
        let is_end = matches!(call, CallKind::Complete | CallKind::UnfencedComplete);
        if is_end && is_done || result.is_loss() {
            let why = if is_done { "its work is done" } else { result.name() };
            for held in self.about(event) {
                self.end(held, place, why);
            }
            return;
        }
        let extends = matches!(call, CallKind::Claim | CallKind::Reclaim | CallKind::Renew);
        let Some(begun_us) = begun_us.filter(|_| extends && is_done && event.grant.is_some()) else { return };
        let ttl_us = self.ttls_us.get(&event.node).copied().unwrap_or(0);
        let deadline_us = begun_us.saturating_add(ttl_us);
        match (self.held.get(&(event.node, event.grant)), call) {
            (Some(number), _) => {
                let extensions = &mut self.beliefs[*number].extensions;
                let latest_us = extensions.last().map_or(0, |(_, known_us)| *known_us).max(deadline_us);
                extensions.push((place, latest_us));
            }
            (None, CallKind::Renew) => {}
            (None, _) => {
                self.held.insert((event.node, event.grant), self.beliefs.len());
                let (node, process, grant) = (event.node, event.process, event.grant);
                let extensions = vec![(place, deadline_us)];
                let (to, why, lasted_us) = (None, "", Vec::new());
                self.beliefs.push(WorkerBelief {
                    node,
                    process,
                    grant,
                    from: place,
                    to,
                    why,
                    extensions,
                    lasted_us,
                });
            }
        }
    }

    /// The beliefs that an answer is about: the one in the grant that the call presented, or all of the node in the process.
    fn about(&self, event: &Event) -> Vec<(u8, GrantNo)> {
        if event.grant.is_some() {
            return vec![(event.node, event.grant)];
        }
        let of_process = |(key, number): (&(u8, GrantNo), &usize)| {
            (key.0 == event.node && self.beliefs[*number].process == event.process).then_some(*key)
        };
        self.held.iter().filter_map(of_process).collect()
    }

    fn crashed(&mut self, place: usize, node: u8) {
        self.begun_us.retain(|(of, _), _| *of != node);
        let of_node: Vec<_> = self.held.keys().filter(|(of, _)| *of == node).copied().collect();
        for held in of_node {
            self.end(held, place, "it crashed");
        }
    }

    fn end(&mut self, held: (u8, GrantNo), place: usize, why: &'static str) {
        if let Some(number) = self.held.remove(&held) {
            self.beliefs[number].to = Some(place);
            self.beliefs[number].why = why;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::test_events::{NO_GRANT, event, history};

    const ANN: GrantNo = GrantNo(0);
    const BOB: GrantNo = GrantNo(1);

    /// An event of p1 on worker-1, whose clock is fast by a tenth.
    fn at(at_ms: u64, grant: GrantNo, what: What) -> Event {
        event(at_ms * 1_000, 1, 1, grant, what).with_clock(at_ms * 1_100)
    }

    fn sent(at_ms: u64, grant: GrantNo, call: CallKind, number: u64) -> Event {
        at(at_ms, grant, What::Sent { call, number })
    }

    fn heard(at_ms: u64, grant: GrantNo, call: CallKind, result: CallResult, number: u64) -> Event {
        at(at_ms, grant, What::Heard { call, result, number })
    }

    fn believed(events: Vec<Event>) -> Vec<WorkerBelief> {
        let mut history = history(events);
        history.plan.ttl_ms = 1_100;
        history.plan.clocks.push("worker-1 +0ms +100000ppm".parse().unwrap());
        beliefs(&history, &NodeClocks::of(&history))
    }

    #[test]
    fn a_belief_counts_from_when_the_call_was_sent_on_the_workers_own_clock() {
        let believed = believed(vec![
            sent(100, NO_GRANT, CallKind::Claim, 1),
            heard(400, ANN, CallKind::Claim, CallResult::Done, 1),
            sent(500, ANN, CallKind::Renew, 2),
            heard(900, ANN, CallKind::Renew, CallResult::Done, 2),
            sent(950, ANN, CallKind::Renew, 3),
            heard(990, ANN, CallKind::Renew, CallResult::Failed, 3),
            sent(1_400, ANN, CallKind::Renew, 4),
            heard(1_700, ANN, CallKind::Renew, CallResult::Done, 4),
            at(9_000, NO_GRANT, What::Paused),
        ]);
        assert_eq!((believed.len(), believed[0].from, believed[0].to), (1, 1, None));
        assert_eq!(believed[0].extensions, [(1, 1_210_000), (3, 1_650_000), (7, 2_640_000)]);
        // 1.1 s of a clock that is fast by a tenth is one true second; the last answer came after the deadline.
        assert_eq!(believed[0].lasted_us, [(400_000, 1_500_000), (1_700_000, 2_400_000)]);
    }

    #[test]
    fn a_belief_ends_when_the_worker_is_told_gives_it_back_or_dies() {
        let believed = believed(vec![
            sent(100, NO_GRANT, CallKind::Claim, 1),
            heard(110, ANN, CallKind::Claim, CallResult::Done, 1),
            heard(120, ANN, CallKind::Start, CallResult::Superseded, 2),
            sent(130, NO_GRANT, CallKind::Claim, 3),
            heard(140, BOB, CallKind::Claim, CallResult::Done, 3),
            // An unfenced call names no grant.
            heard(150, NO_GRANT, CallKind::UnfencedComplete, CallResult::Done, 4),
        ]);
        let seen: Vec<_> = believed.iter().map(|belief| (belief.grant, belief.to, belief.why)).collect();
        assert_eq!(seen, [(ANN, Some(2), "superseded"), (BOB, Some(5), "its work is done")]);
    }
}
