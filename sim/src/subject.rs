//! What is put to the test: the registry, the worker's decisions, the protocol they speak. Ours is the default; a planted
//! bug is ours with one value replaced, and anybody's registry takes ours's place with [`Subject::of`].

use std::sync::Arc;

use fencepost::ProcessRegistry;
use fencepost::environment::Environment;
use fencepost::rules::Rules;
use fencepost::rules::attempt::AttemptRules;

use crate::seed::Seed;
use crate::world::Schedule;

/// Opens a registry on the simulated node whose clock and entropy it is handed. Called once a run: what it keeps in memory
/// outlives crashes of the node, as a database beside it would.
pub type Opens = Arc<dyn Fn(Arc<dyn Environment>) -> Arc<dyn ProcessRegistry> + Send + Sync>;

#[derive(Clone)]
pub struct Subject {
    pub name: &'static str,
    pub rules: Rules,
    pub attempt_rules: AttemptRules,
    pub protocol: Protocol,
    /// Who orders ready tasks; by chance, unless it says otherwise.
    pub schedule: Option<fn(Seed) -> Box<dyn Schedule>>,
    /// Another registry in place of ours.
    pub opens: Option<Opens>,
    /// Laws that it does not claim to keep: they are not judged, and the report says so.
    pub not_claimed: &'static [&'static str],
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
            opens: None,
            not_claimed: &[],
        }
    }

    /// Another registry, worked by our worker. A call should be decided in one poll, on one reading of the clock it was
    /// handed: laws judge it by the reading at its answer.
    pub fn of<R: ProcessRegistry + 'static>(
        name: &'static str,
        open: impl Fn(Arc<dyn Environment>) -> R + Send + Sync + 'static,
    ) -> Self {
        let opens: Opens = Arc::new(move |environment| Arc::new(open(environment)));
        Self { name, opens: Some(opens), ..Self::fencepost() }
    }

    pub fn without_claiming(self, not_claimed: &'static [&'static str]) -> Self {
        Self { not_claimed, ..self }
    }
}
