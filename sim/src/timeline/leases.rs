//! What the store held: each lease from the grant that made it to whatever ended it, by what the registry itself answered,
//! and each life of a process. A stored lease is live while the registry's wall clock stands before its expiry.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::history::History;
use crate::history::event::{Event, GrantNo, Kind};
use crate::plan::Node;
use crate::timeline::clocks::Clocks;

/// Places are places in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lease {
    pub process: u16,
    pub grant: GrantNo,
    pub from: usize,
    pub to: Option<usize>,
    pub why: &'static str,
    /// Where its expiry was set, and to what reading of the registry's clock.
    pub extensions: Vec<(usize, u64)>,
    /// The parts of true time in which it was live.
    pub live_us: Vec<(u64, u64)>,
}

/// A process from its registration to its prune.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Life {
    pub process: u16,
    pub from: usize,
    pub ended: Option<usize>,
    pub status: u64,
    pub to: Option<usize>,
}

pub fn leases(history: &History, clocks: &Clocks) -> Vec<Lease> {
    let mut leases: Vec<Lease> = Vec::new();
    let mut stored: BTreeMap<u16, usize> = BTreeMap::new();
    for (place, event) in history.events.iter().enumerate() {
        let held = stored.get(&event.process).copied();
        let is_holders = held.is_some_and(|number| leases[number].grant == event.grant);
        let mut ends = |leases: &mut Vec<Lease>, why| {
            if let Some(number) = stored.remove(&event.process) {
                leases[number].to = Some(place);
                leases[number].why = why;
            }
        };
        match event.kind {
            Kind::Granted | Kind::Reclaimed => {
                ends(&mut leases, "another grant took its place");
                stored.insert(event.process, leases.len());
                leases.push(begun(place, event));
            }
            Kind::Reentered | Kind::Renewed if is_holders => {
                if let Some(number) = held {
                    leases[number].extensions.push((place, event.a));
                }
            }
            Kind::Released if is_holders => ends(&mut leases, "released"),
            Kind::LeaseAfter if held.is_some() && !is_holders => ends(&mut leases, "gone after a release"),
            Kind::Ended => ends(&mut leases, "the process ended"),
            Kind::Pruned => ends(&mut leases, "pruned"),
            _ => {}
        }
    }
    for lease in &mut leases {
        lease.live_us = live(lease, history, clocks);
    }
    leases
}

pub fn lives(history: &History) -> Vec<Life> {
    let mut lives: Vec<Life> = Vec::new();
    let mut present: BTreeMap<u16, usize> = BTreeMap::new();
    for (place, event) in history.events.iter().enumerate() {
        let life = present.get(&event.process).copied();
        match (event.kind, life) {
            (Kind::Registered, None) => {
                present.insert(event.process, lives.len());
                let process = event.process;
                lives.push(Life { process, from: place, ended: None, status: 0, to: None });
            }
            (Kind::Ended, Some(number)) if lives[number].ended.is_none() => {
                lives[number].ended = Some(place);
                lives[number].status = event.a;
            }
            (Kind::Pruned, Some(number)) => {
                lives[number].to = Some(place);
                present.remove(&event.process);
            }
            _ => {}
        }
    }
    lives
}

fn begun(place: usize, event: &Event) -> Lease {
    Lease {
        process: event.process,
        grant: event.grant,
        from: place,
        to: None,
        why: "",
        extensions: vec![(place, event.a)],
        live_us: Vec::new(),
    }
}

fn live(lease: &Lease, history: &History, clocks: &Clocks) -> Vec<(u64, u64)> {
    let at_us = |place: usize| history.events[place].at_us;
    let end_us = lease.to.map_or_else(|| history.events.last().map_or(0, |last| last.at_us), at_us);
    let mut parts: Vec<(u64, u64)> = Vec::new();
    for (number, (place, expires_ms)) in lease.extensions.iter().enumerate() {
        let next_us = lease.extensions.get(number + 1).map_or(end_us, |(next, _)| at_us(*next));
        for part in clocks.before_wall(Node::Registry, at_us(*place), next_us, *expires_ms) {
            match parts.last_mut() {
                Some(last) if last.1 == part.0 => last.1 = part.1,
                _ => parts.push(part),
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::timeline::clocks::EPOCH_MS;

    fn at(at_ms: u64, kind: Kind, grant: u32, a: u64) -> Event {
        let clock = EPOCH_MS as u64 + at_ms;
        let grant = if grant == 0 { GrantNo::NONE } else { GrantNo(grant) };
        Event { at_us: at_ms * 1_000, clock, a, b: 0, grant, process: 1, node: 1, kind }
    }

    fn told(events: Vec<Event>) -> Vec<Lease> {
        let history = History { plan: Plan::quiet(1), grants: Vec::new(), events };
        leases(&history, &Clocks::of(&history))
    }

    #[test]
    fn a_lease_is_live_to_its_last_expiry_and_stored_until_another_takes_its_place() {
        let until = |ms: u64| EPOCH_MS as u64 + ms;
        let leases = told(vec![
            at(100, Kind::Granted, 1, until(1_100)),
            at(400, Kind::Renewed, 1, until(1_400)),
            // Not the holder's: nothing it says is stored.
            at(500, Kind::Renewed, 7, until(9_000)),
            at(2_000, Kind::Granted, 2, until(3_000)),
            at(2_100, Kind::Released, 2, 0),
            at(9_000, Kind::Finished, 0, 0),
        ]);
        let seen: Vec<_> =
            leases.iter().map(|lease| (lease.from, lease.to, lease.live_us.as_slice())).collect();
        assert_eq!(
            seen,
            [
                (0, Some(3), [(100_000, 1_400_000)].as_slice()),
                (3, Some(4), [(2_000_000, 2_100_000)].as_slice())
            ]
        );
    }

    #[test]
    fn a_life_goes_from_registration_to_prune() {
        let events = vec![
            at(1, Kind::Registered, 0, 0),
            at(2, Kind::Registered, 0, 0),
            at(3, Kind::Ended, 1, 2),
            at(4, Kind::Ended, 1, 1),
            at(5, Kind::Pruned, 0, 0),
            at(6, Kind::Registered, 0, 0),
        ];
        let lives = lives(&History { plan: Plan::quiet(1), grants: Vec::new(), events });
        let seen: Vec<_> = lives.iter().map(|life| (life.from, life.ended, life.status, life.to)).collect();
        assert_eq!(seen, [(0, Some(2), 2, Some(4)), (5, None, 0, None)]);
    }
}
