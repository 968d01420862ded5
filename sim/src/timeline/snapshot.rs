//! The state of a run at one event of its history: the leases in the store, the beliefs of each worker, the readings of each
//! clock. It is the state just before the event, since a decision at the event was made on that.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::history::History;
use crate::history::event::GrantNo;
use crate::plan::{Node, Process};
use crate::timeline::beliefs::{WorkerBelief, beliefs};
use crate::timeline::clocks::{EPOCH_MS, NodeClocks};
use crate::timeline::leases::{leases, lives};

/// How many other processes that a worker holds are named.
const MOST_OTHERS: usize = 6;

pub struct Snapshot {
    pub place: usize,
    pub at_us: u64,
    /// The leases in the store, a line for each process that was registered.
    pub stored: Vec<String>,
    /// The beliefs of each worker.
    pub believed: Vec<(Node, String)>,
    /// The clocks that did not show true time.
    pub clocks: String,
}

impl Snapshot {
    /// Just before the event at this place; none, if there is no such event. With a process, of that one alone.
    pub fn before(history: &History, place: usize, process: Option<u16>) -> Option<Self> {
        let at_us = history.events.get(place)?.at_us;
        let clocks = NodeClocks::of(&History {
            plan: history.plan.clone(),
            grants: history.grants.clone(),
            events: history.events[..place].to_vec(),
            notes: Vec::new(),
        });
        let reader = StateReader { history, clocks: &clocks, place, at_us, process };
        let (stored, believed) = (reader.stored(), reader.believed());
        Some(Self { place, at_us, stored, believed, clocks: reader.shown() })
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ms, us) = (self.at_us / 1_000, self.at_us % 1_000);
        writeln!(f, "just before event {}, at {ms}.{us:03} ms:", self.place)?;
        for line in &self.stored {
            writeln!(f, "  {:<10} {line}", "store")?;
        }
        for (node, line) in &self.believed {
            writeln!(f, "  {:<10} {line}", node.to_string())?;
        }
        writeln!(f, "  {:<10} {}", "clocks", self.clocks)
    }
}

/// Reads the state at a place out of the history.
struct StateReader<'a> {
    history: &'a History,
    clocks: &'a NodeClocks,
    place: usize,
    at_us: u64,
    process: Option<u16>,
}

impl StateReader<'_> {
    fn stood(&self, process: u16, from: usize, to: Option<usize>) -> bool {
        self.process.is_none_or(|wanted| wanted == process)
            && from < self.place
            && to.is_none_or(|to| to >= self.place)
    }

    fn holder(&self, grant: GrantNo) -> String {
        match grant.index().and_then(|index| self.history.grants.get(index)) {
            Some(name) => format!("{} under fence {}", Node::from_code(name.node), name.fence),
            None => "somebody".to_owned(),
        }
    }

    fn stored(&self) -> Vec<String> {
        let leases = leases(self.history, self.clocks);
        let mut lines = Vec::new();
        let mut lives = lives(self.history);
        lives.retain(|life| self.stood(life.process, life.from, life.to));
        lives.sort_by_key(|life| life.process);
        for life in lives {
            let process = Process(life.process);
            if life.ended.is_some_and(|ended| ended < self.place) {
                lines.push(format!("{process}: {}, no lease", life.status.name()));
                continue;
            }
            let held = leases.iter().find(|lease| {
                lease.process == life.process && self.stood(lease.process, lease.from, lease.to)
            });
            let Some(lease) = held else {
                lines.push(format!("{process}: running, no lease"));
                continue;
            };
            let extended = lease.extensions.iter().rfind(|(place, _)| *place < self.place);
            let expires_ms = extended.map_or(0, |(_, expires_ms)| *expires_ms);
            let (wall_us, _) = self.clocks.shown_us(Node::Registry, self.at_us).unwrap_or_default();
            let left_ms = i128::from(expires_ms) - i128::from(wall_us.div_euclid(1_000));
            let until = if left_ms > 0 {
                format!("live, for {left_ms} ms by the registry's clock")
            } else {
                format!("expired {} ms ago by the registry's clock", -left_ms)
            };
            lines.push(format!("{process}: held by {}; {until}", self.holder(lease.grant)));
        }
        if lines.is_empty() {
            lines.push("holds nothing of it".to_owned());
        }
        lines
    }

    fn believed(&self) -> Vec<(Node, String)> {
        let beliefs = beliefs(self.history, self.clocks);
        let workers = self.history.plan.nodes().filter(|node| matches!(node, Node::Worker(_)));
        let mut lines = Vec::new();
        for node in workers {
            let (_, monotonic_us) = self.clocks.shown_us(node, self.at_us).unwrap_or_default();
            // The last belief in each process: those before it are over.
            let mut own = BTreeMap::new();
            for belief in &beliefs {
                if belief.node == node.code() && self.stood(belief.process, belief.from, belief.to) {
                    own.insert(belief.process, belief);
                }
            }
            let mut said = Vec::new();
            for belief in own.into_values() {
                let extended = belief.extensions.iter().rfind(|(place, _)| *place < self.place);
                let until_us = extended.map_or(0, |(_, deadline_us)| *deadline_us);
                let apart_ms = until_us.abs_diff(monotonic_us) / 1_000;
                let fence = belief
                    .grant
                    .index()
                    .and_then(|index| self.history.grants.get(index))
                    .map_or(0, |name| name.fence);
                let process = Process(belief.process);
                // The worker decides the same way: at its deadline it holds nothing any more.
                said.push(if monotonic_us < until_us {
                    format!("holds {process} under fence {fence}, for {apart_ms} ms more by its own clock")
                } else {
                    format!(
                        "its lease on {process}, fence {fence}, lapsed {apart_ms} ms ago by its own clock"
                    )
                });
            }
            let said = if said.is_empty() {
                self.holds_nothing(node, monotonic_us, &beliefs)
            } else {
                said.join("; ")
            };
            lines.push((node, said));
        }
        lines
    }

    /// Names the other processes that the worker holds, since they may be the reason.
    fn holds_nothing(&self, node: Node, monotonic_us: u64, beliefs: &[WorkerBelief]) -> String {
        let Some(process) = self.process.map(Process) else { return "holds nothing".to_owned() };
        let held = beliefs.iter().filter(|belief| {
            let extended = belief.extensions.iter().rfind(|(place, _)| *place < self.place);
            belief.node == node.code()
                && belief.from < self.place
                && belief.to.is_none_or(|to| to >= self.place)
                && extended.is_some_and(|(_, until_us)| monotonic_us < *until_us)
        });
        let others: BTreeSet<u16> = held.map(|belief| belief.process).collect();
        let others: Vec<String> = others.into_iter().map(|process| Process(process).to_string()).collect();
        match others.len() {
            0 => format!("holds nothing of {process}"),
            1..=MOST_OTHERS => format!("holds nothing of {process} (holds {})", others.join(", ")),
            more => format!(
                "holds nothing of {process} (holds {} and {} more)",
                others[..MOST_OTHERS].join(", "),
                more - MOST_OTHERS
            ),
        }
    }

    /// The offsets of the clocks that do not show true time.
    fn shown(&self) -> String {
        let mut wrong = Vec::new();
        for node in self.history.plan.nodes().filter(|node| !matches!(node, Node::Host(_))) {
            let Some((wall_us, monotonic_us)) = self.clocks.shown_us(node, self.at_us) else { continue };
            let true_us = i128::from(EPOCH_MS) * 1_000 + i128::from(self.at_us);
            let (wall_ms, passed_ms) = (
                (i128::from(wall_us) - true_us) / 1_000,
                (i128::from(monotonic_us) - i128::from(self.at_us)) / 1_000,
            );
            match (wall_ms, passed_ms) {
                (0, 0) => {}
                (_, 0) => wrong.push(format!("{node} {wall_ms:+} ms")),
                _ => wrong.push(format!("{node} {wall_ms:+} ms ({passed_ms:+} ms by drift)")),
            }
        }
        if wrong.is_empty() { "all show true time".to_owned() } else { wrong.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fencepost::model::process::RecoveryDisposition;

    use crate::history::event::{CallKind, CallResult, Event, GrantName, Status, What};
    use crate::plan::Plan;
    use crate::timeline::test_events::{NO_GRANT, event};

    /// worker-1's clock is fast by a tenth; the registry's is right. ttl 1100 ms.
    fn history() -> History {
        let mut plan = Plan::quiet(1);
        plan.ttl_ms = 1_100;
        plan.clocks.push("worker-1 +5ms +100000ppm".parse().unwrap());
        let name = |node, fence| GrantName {
            process: 1,
            node,
            fence,
            incarnation: String::new(),
            token: String::new(),
            was_granted: true,
        };
        let at = |at_ms: u64, node: u8, grant, what| {
            let clock = if node == 1 { at_ms * 1_100 } else { at_ms * 1_000 };
            event(at_ms * 1_000, node, 1, grant, what).with_clock(clock)
        };
        let granted =
            |until_ms: u64, fence| What::Granted { expires_ms: EPOCH_MS.unsigned_abs() + until_ms, fence };
        let registered = What::Registered { disposition: RecoveryDisposition::Rerunnable, is_new: true };
        let (call, status) = (CallKind::Claim, Status::Completed);
        let events: Vec<Event> = vec![
            at(10, 101, NO_GRANT, registered),
            at(100, 1, NO_GRANT, What::Sent { call, number: 1 }),
            at(110, 1, GrantNo(0), granted(1_210, 1)),
            at(120, 1, GrantNo(0), What::Heard { call, result: CallResult::Done, number: 1 }),
            at(1_500, 2, GrantNo(1), granted(2_600, 2)),
            at(1_600, 1, GrantNo(0), What::Ended { status, output: 0 }),
            at(1_700, 1, NO_GRANT, What::Showed { status, output: 0 }),
        ];
        History { plan, grants: vec![name(1, 1), name(2, 2)], events, notes: Vec::new() }
    }

    #[test]
    fn what_stood_before_an_event_is_told_by_each_ones_own_clock() {
        let history = history();
        let state = |place| Snapshot::before(&history, place, Some(1)).unwrap();
        assert_eq!(state(0).stored, ["holds nothing of it"]);
        assert_eq!(state(2).stored, ["p1: running, no lease"]);
        let expired = "p1: held by worker-1 under fence 1; expired 290 ms ago by the registry's clock";
        assert_eq!(state(4).stored, [expired]);
        // 110 ms of its clock to the sending, 1100 ms more, and 1760 ms are shown.
        let lapsed = "its lease on p1, fence 1, lapsed 550 ms ago by its own clock";
        let believed = &state(5).believed;
        assert_eq!(believed[0], (Node::Worker(1), lapsed.to_owned()));
        assert_eq!(believed[1], (Node::Worker(2), "holds nothing of p1".to_owned()));
        assert_eq!(
            state(5).stored,
            ["p1: held by worker-2 under fence 2; live, for 1000 ms by the registry's clock"]
        );
        assert_eq!(state(5).clocks, "worker-1 +165 ms (+160 ms by drift)");
        assert_eq!(state(6).stored, ["p1: completed, no lease"]);
        assert!(Snapshot::before(&history, 7, None).is_none());
    }

    #[test]
    fn what_a_worker_holds_of_others_is_told_where_it_holds_nothing_of_the_one_that_is_asked_for() {
        let state = Snapshot::before(&history(), 4, Some(2)).unwrap();
        assert_eq!(state.believed[0].1, "holds nothing of p2");
        let mut history = history();
        history.events.truncate(4);
        let mut heard = history.events[3];
        (heard.at_us, heard.clock) = (900_000, 990_000);
        history.events.push(heard);
        assert_eq!(
            Snapshot::before(&history, 4, Some(2)).unwrap().believed[0].1,
            "holds nothing of p2 (holds p1)"
        );
    }

    #[test]
    fn at_its_deadline_a_lease_has_lapsed() {
        let mut history = history();
        // 110 ms of its clock and 1100 more: 1210 of its own are 1100 of true time.
        for (at_us, said) in [
            (1_099_000, "holds p1 under fence 1, for 1 ms more by its own clock"),
            (1_100_000, "its lease on p1, fence 1, lapsed 0 ms ago by its own clock"),
        ] {
            history.events[4].at_us = at_us;
            assert_eq!(Snapshot::before(&history, 4, Some(1)).unwrap().believed[0].1, said);
        }
    }
}
