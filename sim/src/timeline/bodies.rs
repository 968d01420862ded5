//! What ran: bodies from their beginning to their end, the times in which two of one process ran at once, and the times in
//! which a node stood still or was down.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::history::History;
use crate::history::event::{GrantNo, Kind};

/// Places are places in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Body {
    pub node: u8,
    pub process: u16,
    pub grant: GrantNo,
    pub from: usize,
    pub to: Option<usize>,
}

/// Two bodies of one process, by their numbers, for some time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overlap {
    pub process: u16,
    pub bodies: (usize, usize),
    pub from_us: u64,
    pub to_us: u64,
}

/// A node that does nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standstill {
    pub node: u8,
    pub from: usize,
    pub to: Option<usize>,
    pub is_down: bool,
}

pub fn bodies(history: &History) -> Vec<Body> {
    let mut bodies: Vec<Body> = Vec::new();
    let mut running: BTreeMap<(u8, GrantNo), Vec<usize>> = BTreeMap::new();
    for (place, event) in history.events.iter().enumerate() {
        let key = (event.node, event.grant);
        match event.kind {
            Kind::BodyBegan => {
                running.entry(key).or_default().push(bodies.len());
                let (node, process, grant) = (event.node, event.process, event.grant);
                bodies.push(Body { node, process, grant, from: place, to: None });
            }
            Kind::BodyEnded => {
                if let Some(number) = running.get_mut(&key).and_then(Vec::pop) {
                    bodies[number].to = Some(place);
                }
            }
            _ => {}
        }
    }
    bodies
}

pub fn overlaps(history: &History, bodies: &[Body]) -> Vec<Overlap> {
    let end_us = history.events.last().map_or(0, |last| last.at_us);
    let span_us = |body: &Body| {
        let to_us = body.to.map_or(end_us, |place| history.events[place].at_us);
        (history.events[body.from].at_us, to_us)
    };
    let mut overlaps = Vec::new();
    let mut running: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
    for (later, body) in bodies.iter().enumerate() {
        let (from_us, to_us) = span_us(body);
        let others = running.entry(body.process).or_default();
        others.retain(|other| span_us(&bodies[*other]).1 > from_us);
        for earlier in others.iter().copied() {
            let until_us = span_us(&bodies[earlier]).1.min(to_us);
            if until_us > from_us {
                let process = body.process;
                overlaps.push(Overlap { process, bodies: (earlier, later), from_us, to_us: until_us });
            }
        }
        others.push(later);
    }
    overlaps
}

pub fn standstills(history: &History) -> Vec<Standstill> {
    let mut found: Vec<Standstill> = Vec::new();
    let mut present: BTreeMap<u8, usize> = BTreeMap::new();
    for (place, event) in history.events.iter().enumerate() {
        let is_still = present.contains_key(&event.node);
        let ends = matches!(event.kind, Kind::Resumed | Kind::Crashed | Kind::Restarted);
        if ends && let Some(number) = present.remove(&event.node) {
            found[number].to = Some(place);
        }
        // Of pauses within a pause the first one begins it.
        if event.kind == Kind::Crashed || event.kind == Kind::Paused && !is_still {
            present.insert(event.node, found.len());
            let is_down = event.kind == Kind::Crashed;
            found.push(Standstill { node: event.node, from: place, to: None, is_down });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::event::Event;
    use crate::plan::Plan;

    fn history(told: &[(u64, u8, Kind, u32)]) -> History {
        let event = |(at_us, node, kind, grant): &(u64, u8, Kind, u32)| Event {
            at_us: *at_us,
            clock: *at_us,
            a: 0,
            b: 0,
            grant: GrantNo(*grant),
            process: 1,
            node: *node,
            kind: *kind,
        };
        History { plan: Plan::quiet(1), grants: Vec::new(), events: told.iter().map(event).collect() }
    }

    #[test]
    fn bodies_of_one_process_that_run_at_once_overlap_and_those_that_meet_do_not() {
        let history = history(&[
            (10, 1, Kind::BodyBegan, 0),
            (20, 2, Kind::BodyBegan, 1),
            (30, 1, Kind::BodyEnded, 0),
            (30, 3, Kind::BodyBegan, 2),
            (40, 2, Kind::BodyEnded, 1),
            (90, 0, Kind::Finished, 9),
        ]);
        let bodies = bodies(&history);
        assert_eq!(
            bodies.iter().map(|body| (body.from, body.to)).collect::<Vec<_>>(),
            [(0, Some(2)), (1, Some(4)), (3, None)]
        );
        let overlaps = overlaps(&history, &bodies);
        let seen: Vec<_> =
            overlaps.iter().map(|overlap| (overlap.bodies, overlap.from_us, overlap.to_us)).collect();
        assert_eq!(seen, [((0, 1), 20, 30), ((1, 2), 30, 40)]);
    }

    #[test]
    fn a_node_stands_still_from_its_first_pause_and_is_down_from_its_crash() {
        let history = history(&[
            (10, 1, Kind::Paused, 0),
            (20, 1, Kind::Paused, 0),
            (30, 1, Kind::Crashed, 0),
            (40, 1, Kind::Restarted, 0),
            (50, 2, Kind::Paused, 0),
        ]);
        let seen: Vec<_> =
            standstills(&history).iter().map(|still| (still.from, still.to, still.is_down)).collect();
        assert_eq!(seen, [(0, Some(2), false), (2, Some(3), true), (4, None, false)]);
    }
}
