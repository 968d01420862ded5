//! What is put to the test: the registry's rules, the worker's, and the protocol they speak. Ours is the default; a planted
//! bug is ours with one value replaced.

use fencepost::rules::Rules;
use fencepost::rules::attempt::AttemptRules;

use crate::seed::Seed;
use crate::world::Schedule;

#[derive(Clone)]
pub struct Subject {
    pub name: &'static str,
    pub rules: Rules,
    pub attempt_rules: AttemptRules,
    pub protocol: Protocol,
    /// Who orders ready tasks; by chance, unless it says otherwise.
    pub schedule: Option<fn(Seed) -> Box<dyn Schedule>>,
}

/// How a worker's writes are guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Grant and write in one step.
    Fenced,
    /// Renew as a check, then write unfenced: the only protocol that 31 methods allow.
    RenewThenWrite,
}

impl Subject {
    /// The true system.
    pub fn fencepost() -> Self {
        Self {
            name: "fencepost",
            rules: Rules::LAWFUL,
            attempt_rules: AttemptRules::LAWFUL,
            protocol: Protocol::Fenced,
            schedule: None,
        }
    }
}
