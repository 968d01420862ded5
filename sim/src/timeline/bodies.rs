//! Bodies from their beginning to their end, the times in which two bodies of one process ran at once, and the times in which
//! a node was paused or down.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::history::History;
use crate::history::event::{EventKind, GrantNo};

/// One body. `from` and `to` are places in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BodyRun {
    pub node: u8,
    pub process: u16,
    pub grant: GrantNo,
    pub from: usize,
    pub to: Option<usize>,
}

/// The time in which two bodies of one process, given by their numbers, ran at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OverlapBar {
    pub process: u16,
    pub bodies: (usize, usize),
    pub from_us: u64,
    pub to_us: u64,
}

/// The time in which a node was paused or down. `from` and `to` are places in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standstill {
    pub node: u8,
    pub from: usize,
    pub to: Option<usize>,
    pub is_down: bool,
}

pub fn bodies(history: &History) -> Vec<BodyRun> {
    let mut bodies: Vec<BodyRun> = Vec::new();
    let mut running: BTreeMap<(u8, GrantNo), Vec<usize>> = BTreeMap::new();
    for (place, event) in history.events.iter().enumerate() {
        let (node, process, grant) = (event.node, event.process, event.grant);
        if event.kind() == EventKind::BodyBegan {
            running.entry((node, grant)).or_default().push(bodies.len());
            bodies.push(BodyRun { node, process, grant, from: place, to: None });
        }
        if event.kind() == EventKind::BodyEnded
            && let Some(number) = running.get_mut(&(node, grant)).and_then(Vec::pop)
        {
            bodies[number].to = Some(place);
        }
    }
    bodies
}

pub fn overlaps(history: &History, bodies: &[BodyRun]) -> Vec<OverlapBar> {
    let end_us = history.events.last().map_or(0, |last| last.at_us);
    let span_us = |body: &BodyRun| {
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
                overlaps.push(OverlapBar { process, bodies: (earlier, later), from_us, to_us: until_us });
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
        let ends = matches!(event.kind(), EventKind::Resumed | EventKind::Crashed | EventKind::Restarted);
        if ends && let Some(number) = present.remove(&event.node) {
            found[number].to = Some(place);
        }
        // A pause within a pause begins nothing new.
        let is_down = event.kind() == EventKind::Crashed;
        if is_down || event.kind() == EventKind::Paused && !is_still {
            present.insert(event.node, found.len());
            found.push(Standstill { node: event.node, from: place, to: None, is_down });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::event::{BodyOutcome, CrashDamage, What};
    use crate::timeline::test_events;

    const BEGAN: What = What::BodyBegan { fence: 0 };
    const ENDED: What = What::BodyEnded { outcome: BodyOutcome::Output, output: 0 };

    fn history(events: &[(u64, u8, What, u32)]) -> History {
        let event = |(at_us, node, what, grant): &(u64, u8, What, u32)| {
            test_events::event(*at_us, *node, 1, GrantNo(*grant), *what)
        };
        test_events::history(events.iter().map(event).collect())
    }

    #[test]
    fn bodies_of_one_process_that_run_at_once_overlap_and_those_that_meet_do_not() {
        let history = history(&[
            (10, 1, BEGAN, 0),
            (20, 2, BEGAN, 1),
            (30, 1, ENDED, 0),
            (30, 3, BEGAN, 2),
            (40, 2, ENDED, 1),
            (90, 0, What::Finished, 9),
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
            (10, 1, What::Paused, 0),
            (20, 1, What::Paused, 0),
            (30, 1, What::Crashed { life: 1, damage: CrashDamage::default() }, 0),
            (40, 1, What::Restarted { life: 1 }, 0),
            (50, 2, What::Paused, 0),
        ]);
        let seen: Vec<_> =
            standstills(&history).iter().map(|still| (still.from, still.to, still.is_down)).collect();
        assert_eq!(seen, [(0, Some(2), false), (2, Some(3), true), (4, None, false)]);
    }
}
