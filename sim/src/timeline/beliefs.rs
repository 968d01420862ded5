//! What workers believed: a worker that was answered holds the lease until a ttl after the call that last extended it was
//! first sent, on its own monotonic clock, or until it is told otherwise. This is evidence of calls and answers alone: it
//! is what the worker may believe, whatever its code does.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::history::History;
use crate::history::event::{CallKind, Event, GrantNo, Kind, refusal};
use crate::plan::Node;
use crate::timeline::clocks::Clocks;

/// Places are places in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Belief {
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

pub fn beliefs(history: &History, clocks: &Clocks) -> Vec<Belief> {
    let ttl_us = history.plan.ttl_ms.saturating_mul(1_000);
    let mut told = Told { ttl_us, ..Told::default() };
    for (place, event) in history.events.iter().enumerate() {
        match event.kind {
            Kind::Sent => told.sent(place, event),
            Kind::Heard => told.heard(place, event),
            Kind::Crashed => told.crashed(place, event.node),
            _ => {}
        }
    }
    for belief in &mut told.beliefs {
        belief.lasted_us = lasted(belief, history, clocks);
    }
    told.beliefs
}

fn lasted(belief: &Belief, history: &History, clocks: &Clocks) -> Vec<(u64, u64)> {
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
struct Told {
    ttl_us: u64,
    beliefs: Vec<Belief>,
    /// Those that have not ended, by node and grant.
    held: BTreeMap<(u8, GrantNo), usize>,
    /// Of calls that are under way, when each was first sent, by node and the call's number.
    begun_us: BTreeMap<(u8, u64), u64>,
}

impl Told {
    fn sent(&mut self, place: usize, event: &Event) {
        self.begun_us.insert((event.node, event.b), event.clock);
        if event.a == CallKind::Release as u64 {
            self.end((event.node, event.grant), place, "it gave the lease back");
        }
    }

    fn heard(&mut self, place: usize, event: &Event) {
        let begun_us = self.begun_us.remove(&(event.node, event.b));
        let (call, code) = (CallKind::from_code(event.a >> 8), event.a & 0xff);
        let is_end = matches!(call, CallKind::Complete | CallKind::UnfencedComplete);
        if is_end && code == refusal::NONE || refusal::is_loss(code) {
            let why = if code == refusal::NONE { "its work is done" } else { refusal::name(code) };
            for held in self.about(event) {
                self.end(held, place, why);
            }
            return;
        }
        let extends = matches!(call, CallKind::Claim | CallKind::Reclaim | CallKind::Renew);
        let (true, refusal::NONE, true, Some(begun_us)) = (extends, code, event.grant.is_some(), begun_us)
        else {
            return;
        };
        let deadline_us = begun_us.saturating_add(self.ttl_us);
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
                self.beliefs.push(Belief {
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

    /// What an answer is about: the grant it was asked under, or all the node holds of the process.
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
    use crate::plan::Plan;

    /// On a clock that is fast by a tenth.
    fn at(at_ms: u64, node: u8, kind: Kind, grant: GrantNo, a: u64, b: u64) -> Event {
        Event { at_us: at_ms * 1_000, clock: at_ms * 1_100, a, b, grant, process: 1, node, kind }
    }

    fn answered(call: CallKind, code: u64) -> u64 {
        (call as u64) << 8 | code
    }

    fn told(events: Vec<Event>) -> Vec<Belief> {
        let mut plan = Plan::quiet(1);
        plan.ttl_ms = 1_100;
        plan.clocks.push("worker-1 +0ms +100000ppm".parse().unwrap());
        let history = History { plan, grants: Vec::new(), events };
        beliefs(&history, &Clocks::of(&history))
    }

    #[test]
    fn a_belief_counts_from_when_the_call_was_sent_on_the_workers_own_clock() {
        let (ann, none) = (GrantNo(0), GrantNo::NONE);
        let told = told(vec![
            at(100, 1, Kind::Sent, none, CallKind::Claim as u64, 1),
            at(400, 1, Kind::Heard, ann, answered(CallKind::Claim, refusal::NONE), 1),
            at(500, 1, Kind::Sent, ann, CallKind::Renew as u64, 2),
            at(900, 1, Kind::Heard, ann, answered(CallKind::Renew, refusal::NONE), 2),
            at(950, 1, Kind::Sent, ann, CallKind::Renew as u64, 3),
            at(990, 1, Kind::Heard, ann, answered(CallKind::Renew, refusal::FAILED), 3),
            at(1_400, 1, Kind::Sent, ann, CallKind::Renew as u64, 4),
            at(1_700, 1, Kind::Heard, ann, answered(CallKind::Renew, refusal::NONE), 4),
            at(9_000, 1, Kind::Paused, none, 0, 0),
        ]);
        assert_eq!((told.len(), told[0].from, told[0].to), (1, 1, None));
        assert_eq!(told[0].extensions, [(1, 1_210_000), (3, 1_650_000), (7, 2_640_000)]);
        // 1.1 s of a clock that is fast by a tenth is one true second; the last answer came after the deadline.
        assert_eq!(told[0].lasted_us, [(400_000, 1_500_000), (1_700_000, 2_400_000)]);
    }

    #[test]
    fn a_belief_ends_when_the_worker_is_told_gives_it_back_or_dies() {
        let (ann, bob, none) = (GrantNo(0), GrantNo(1), GrantNo::NONE);
        let told = told(vec![
            at(100, 1, Kind::Sent, none, CallKind::Claim as u64, 1),
            at(110, 1, Kind::Heard, ann, answered(CallKind::Claim, refusal::NONE), 1),
            at(120, 1, Kind::Heard, ann, answered(CallKind::Start, refusal::SUPERSEDED), 2),
            at(130, 1, Kind::Sent, none, CallKind::Claim as u64, 3),
            at(140, 1, Kind::Heard, bob, answered(CallKind::Claim, refusal::NONE), 3),
            // Unfenced: it names no grant.
            at(150, 1, Kind::Heard, none, answered(CallKind::UnfencedComplete, refusal::NONE), 4),
        ]);
        let seen: Vec<_> = told.iter().map(|belief| (belief.grant, belief.to, belief.why)).collect();
        assert_eq!(seen, [(ann, Some(2), "superseded"), (bob, Some(5), "its work is done")]);
    }
}
