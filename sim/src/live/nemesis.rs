//! The faults of a live run, drawn from its seed: what happens next, to whom, and for how long.

use crate::live::settings::LiveStore;
use crate::plan::chance::{Dice, Purpose, Seed};
use crate::plan::{Node, Plan};

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveFault {
    /// SIGKILL, and the next life after a while.
    Kill { node: Node, down_ms: u64 },
    /// SIGSTOP, and SIGCONT after a while.
    Stop { node: Node, for_ms: u64 },
    /// Another process holds the write lock of the SQLite file.
    HoldLock { for_ms: u64 },
    /// Every connection of the process to the server is cut.
    Cut { node: Node },
    /// Messages between the process and the server take longer.
    Delay { node: Node, by_ms: u64, for_ms: u64 },
    /// The server ends every session of the process.
    EndSessions { node: Node },
    /// The server is shut down at once, as a crash would, and started again.
    CrashServer { down_ms: u64 },
}

pub struct Nemesis {
    dice: Dice,
    nodes: Vec<Node>,
    store: LiveStore,
    ttl_ms: u64,
}

impl Nemesis {
    pub fn new(seed: u64, plan: &Plan, store: &LiveStore) -> Self {
        let dice = Dice::new(Seed(seed).stream(Purpose::Fate, [0x11fe, 0]));
        let nodes = plan.nodes().filter(|node| *node != Node::Registry).collect();
        Self { dice, nodes, store: store.clone(), ttl_ms: plan.ttl_ms }
    }

    /// The time until the next fault, and the fault.
    pub fn next(&mut self) -> (u64, LiveFault) {
        let pause_ms = self.dice.between(150, 1_300);
        (pause_ms, self.draw())
    }

    fn draw(&mut self) -> LiveFault {
        let node = *self.dice.one_of(&self.nodes);
        // Well over a lease.
        let long_ms = self.ttl_ms * 2;
        match self.dice.below(100) {
            0..33 => LiveFault::Kill { node, down_ms: self.dice.between(50, self.ttl_ms) },
            33..66 => LiveFault::Stop { node, for_ms: self.dice.between(50, long_ms) },
            rest => match self.store {
                // The lock is everybody's: held for long all the time, it would keep everybody from working.
                LiveStore::Sqlite if rest < 86 => LiveFault::HoldLock { for_ms: self.dice.between(5, 300) },
                LiveStore::Sqlite => LiveFault::HoldLock { for_ms: self.dice.between(300, long_ms) },
                LiveStore::OwnPostgres if rest >= 96 => {
                    LiveFault::CrashServer { down_ms: self.dice.between(100, self.ttl_ms) }
                }
                LiveStore::OwnPostgres | LiveStore::Postgres(_) => self.draw_of_network(rest, node),
            },
        }
    }

    fn draw_of_network(&mut self, rest: u64, node: Node) -> LiveFault {
        match rest {
            66..73 => LiveFault::Cut { node },
            73..78 => LiveFault::EndSessions { node },
            _ => {
                let by_ms = self.dice.between(20, self.ttl_ms * 3 / 2);
                LiveFault::Delay { node, by_ms, for_ms: self.dice.between(300, self.ttl_ms * 2) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(seed: u64, store: &LiveStore) -> Vec<(u64, LiveFault)> {
        let mut nemesis = Nemesis::new(seed, &Plan::quiet(seed), store);
        (0..400).map(|_| nemesis.next()).collect()
    }

    #[test]
    fn faults_are_a_function_of_the_seed() {
        assert_eq!(drawn(7, &LiveStore::Sqlite), drawn(7, &LiveStore::Sqlite));
        assert_ne!(drawn(7, &LiveStore::Sqlite), drawn(8, &LiveStore::Sqlite));
    }

    #[test]
    fn a_server_that_is_not_the_runs_own_is_never_crashed() {
        let is_crash = |(_, fault): &(u64, LiveFault)| matches!(fault, LiveFault::CrashServer { .. });
        assert!(drawn(1, &LiveStore::OwnPostgres).iter().any(is_crash));
        assert!(!drawn(1, &LiveStore::Postgres("postgres://localhost".to_owned())).iter().any(is_crash));
        assert!(!drawn(1, &LiveStore::Sqlite).iter().any(is_crash));
    }
}
