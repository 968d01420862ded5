//! The lives of workers that were granted one process. A worker that crashed and came back is another owner: where two of its
//! lives are involved, a report must tell them apart.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::History;
use crate::history::event::{Event, EventKind, GrantNo};
use crate::plan::Node;

/// The lives of workers that were granted one process, where a worker was granted it in more than one.
pub(super) struct GrantedLives {
    /// By the place of the event that gave the grant: the life of its worker, counted from 1.
    by_place: BTreeMap<usize, u64>,
    /// A line for each life.
    lines: Vec<String>,
}

impl GrantedLives {
    /// By the event at `end`.
    pub fn of(history: &History, process: u16, end: usize) -> Self {
        let mut lives: BTreeMap<u8, u64> = BTreeMap::new();
        let mut given: BTreeMap<(u8, u64), Vec<(usize, GrantNo)>> = BTreeMap::new();
        for (place, event) in history.events.iter().enumerate().take(end.saturating_add(1)) {
            let life = lives.entry(event.node).or_insert(1);
            if event.kind() == EventKind::Crashed {
                *life += 1;
            } else if event.process == process && is_given(event) {
                given.entry((event.node, *life)).or_default().push((place, event.grant));
            }
        }
        let lives_of = |node: u8| given.keys().filter(|(of, _)| *of == node).count();
        let nodes: BTreeSet<u8> =
            given.keys().map(|(node, _)| *node).filter(|node| lives_of(*node) > 1).collect();
        given.retain(|(node, _), _| nodes.contains(node));
        let places =
            given.iter().flat_map(|((_, life), grants)| grants.iter().map(|(place, _)| (*place, *life)));
        let lines = given.iter().map(|((node, life), grants)| line(history, *node, *life, grants));
        Self { by_place: places.collect(), lines: lines.collect() }
    }

    /// The life of the worker that is given a grant by the event at this place.
    pub fn at(&self, place: usize) -> Option<u64> {
        self.by_place.get(&place).copied()
    }
}

fn line(history: &History, node: u8, life: u64, given: &[(usize, GrantNo)]) -> String {
    let names = || given.iter().filter_map(|(_, grant)| history.grants.get(grant.index()?));
    let fences: BTreeSet<u64> = names().map(|name| name.fence).collect();
    let incarnations: BTreeSet<&str> = names().map(|name| name.incarnation.as_str()).collect();
    let fences: Vec<String> = fences.iter().map(u64::to_string).collect();
    let incarnations: Vec<&str> = incarnations.into_iter().collect();
    format!(
        "{} in its life {life}: fence {} (incarnation {})",
        Node::from_code(node),
        fences.join(", "),
        incarnations.join(", ")
    )
}

/// The lives of workers that were granted this process in more than one by the event at `end`, a line each.
pub fn lives_involved(history: &History, process: u16, end: usize) -> Vec<String> {
    GrantedLives::of(history, process, end).lines
}

fn is_given(event: &Event) -> bool {
    event.grant.is_some()
        && matches!(event.kind(), EventKind::Granted | EventKind::Reclaimed | EventKind::Reentered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::event::{CrashDamage, GrantName, NO_PROCESS, What};
    use crate::plan::Plan;
    use crate::timeline::test_events::{NO_GRANT, event};

    const GRANTED: What = What::Granted { expires_ms: 0, fence: 0 };

    fn history(crashes: bool) -> History {
        let name = |node, fence, incarnation: &str| GrantName {
            process: 3,
            node,
            fence,
            incarnation: incarnation.to_owned(),
            token: String::new(),
            was_granted: true,
        };
        let damage = CrashDamage { is_of_machine: false, had_unsynced_pages: false };
        let mut events = vec![event(1, 1, 3, GrantNo(0), GRANTED)];
        if crashes {
            events.push(event(2, 1, NO_PROCESS, NO_GRANT, What::Crashed { life: 2, damage }));
        }
        events.push(event(3, 1, 3, GrantNo(1), GRANTED));
        events.push(event(4, 2, 3, GrantNo(2), GRANTED));
        let grants = vec![name(1, 1, "a"), name(1, 2, "b"), name(2, 3, "c")];
        History { plan: Plan::quiet(1), grants, events, notes: Vec::new() }
    }

    #[test]
    fn two_lives_of_one_worker_are_told_apart() {
        let mut history = history(true);
        let wanted = [
            "worker-1 in its life 1: fence 1 (incarnation a)",
            "worker-1 in its life 2: fence 2 (incarnation b)",
        ];
        assert_eq!(lives_involved(&history, 3, 9), wanted);
        let lives = GrantedLives::of(&history, 3, 9);
        assert_eq!([0, 1, 2, 3].map(|place| lives.at(place)), [Some(1), None, Some(2), None]);
        // One incarnation for all: the second life is given the first one's grant again.
        history.events[2].grant = GrantNo(0);
        assert_eq!(lives_involved(&history, 3, 9)[1], "worker-1 in its life 2: fence 1 (incarnation a)");
    }

    #[test]
    fn where_each_worker_has_one_life_nothing_is_said() {
        assert!(lives_involved(&history(false), 3, 9).is_empty());
        assert!(lives_involved(&history(true), 3, 1).is_empty());
        assert!(lives_involved(&history(true), 4, 9).is_empty());
    }
}
