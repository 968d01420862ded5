//! What is put to the test: the registry, the worker's decisions, the protocol they speak. Ours is the default; a planted
//! bug is ours with one value replaced, and anybody's registry, workers and waits take the place of ours with
//! [`Subject::of`] and what follows it.

use std::sync::Arc;

use fencepost::driver::{ProcessAttach, ProcessRunHandle};
use fencepost::environment::Environment;
use fencepost::registry::calls::Submit;
use fencepost::registry::change_hub::ProcessChangeHub;
use fencepost::registry::watched::{ProcessEventSink, watch_process_registry_with_sink};
use fencepost::rules::Rules;
use fencepost::rules::worker::AttemptRules;
use fencepost::store::Rows;
use fencepost::{ProcessRegistry, RegistryError};

use crate::plan::Store;
use crate::plan::chance::Seed;
use crate::world::{Schedule, Workplace};

/// Whatever decides calls.
pub type Core = Arc<dyn Submit>;

/// Opens a registry on the simulated node whose clock and entropy it is handed.
pub type Opens =
    Arc<dyn Fn(Arc<dyn Environment>) -> Result<Arc<dyn ProcessRegistry>, RegistryError> + Send + Sync>;

/// Puts something between the door and our registry.
pub type Wraps = fn(Core, Arc<dyn Environment>) -> Core;

/// Does something to rows, at a reading of the registry's clock.
pub type Touches = fn(&mut dyn Rows, u64) -> Result<(), RegistryError>;

/// Watches a registry for whoever waits beside it.
pub type Watches = fn(
    Arc<dyn ProcessRegistry>,
    Option<Arc<dyn ProcessEventSink>>,
    Arc<dyn Environment>,
) -> (Arc<dyn ProcessRegistry>, ProcessChangeHub);

/// Makes the waits beside a watched registry.
pub type HomeWaits =
    fn(Arc<dyn ProcessRegistry>, ProcessChangeHub, Arc<dyn Environment>) -> Arc<dyn ProcessAttach>;

/// Makes a node's worker.
pub type Works = Arc<dyn Fn(Workplace) -> Arc<dyn ProcessRunHandle> + Send + Sync>;

/// Makes a host's waits.
pub type Waits =
    Arc<dyn Fn(Arc<dyn ProcessRegistry>, Arc<dyn Environment>) -> Arc<dyn ProcessAttach> + Send + Sync>;

#[derive(Clone)]
pub struct Subject {
    pub name: &'static str,
    pub rules: Rules,
    pub attempt_rules: AttemptRules,
    pub protocol: Protocol,
    pub store: StoreHabits,
    /// Where generated plans put its rows.
    pub store_needed: Store,
    /// Stands between the door and our registry.
    pub wraps: Option<Wraps>,
    /// Who orders ready tasks; by chance, unless it says otherwise.
    pub schedule: Option<fn(Seed) -> Box<dyn Schedule>>,
    /// Another registry in place of ours.
    pub opens: Option<Opens>,
    /// Whether that one keeps its rows on the machine, and is opened again after each crash.
    pub is_reopened: bool,
    /// Other workers in place of ours.
    pub works: Option<Works>,
    /// Other waits in place of ours.
    pub waits: Option<Waits>,
    /// How writes on the registry's own node are heard there, and how they are waited for; our own way, unless it says.
    pub watches: Watches,
    pub home_waits: Option<HomeWaits>,
    /// Laws that it does not claim to keep: they are not judged, and the report says so.
    pub not_claimed: &'static [&'static str],
}

/// How our stores are opened.
#[derive(Clone, Copy)]
pub struct StoreHabits {
    /// Of SQLite: statements after the store's own settings.
    pub tuning: &'static [&'static str],
    /// Of SQLite: whether an opened file is made durable before it answers.
    pub syncs_what_it_recovered: bool,
    /// What is done to the rows whenever the registry starts, at a reading of its clock.
    pub when_opened: Option<Touches>,
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
            store: StoreHabits { tuning: &[], syncs_what_it_recovered: true, when_opened: None },
            store_needed: Store::Memory,
            wraps: None,
            schedule: None,
            opens: None,
            is_reopened: false,
            works: None,
            waits: None,
            watches: watch_process_registry_with_sink,
            home_waits: None,
            not_claimed: &[],
        }
    }

    /// Another registry, worked by our worker. It is opened once a run: what it keeps in memory outlives crashes of its
    /// node, as a database beside it would.
    pub fn of<R: ProcessRegistry + 'static>(
        name: &'static str,
        open: impl Fn(Arc<dyn Environment>) -> R + Send + Sync + 'static,
    ) -> Self {
        let opens: Opens = Arc::new(move |environment| Ok(Arc::new(open(environment))));
        Self { name, opens: Some(opens), ..Self::fencepost() }
    }

    /// Another registry that keeps its rows on its machine: it is opened again whenever its node starts, and what it
    /// acknowledged must be there. Its files belong on the simulated disk: [`crate::disk::VFS`] names it to SQLite, and
    /// [`crate::disk::with`] hands it to anybody else.
    pub fn reopened<R: ProcessRegistry + 'static>(
        name: &'static str,
        open: impl Fn(Arc<dyn Environment>) -> Result<R, RegistryError> + Send + Sync + 'static,
    ) -> Self {
        let opens: Opens = Arc::new(move |environment| Ok(Arc::new(open(environment)?)));
        // In the worlds whose machines lose power and whose disks fail.
        let store_needed = Store::Sqlite;
        Self { name, opens: Some(opens), is_reopened: true, store_needed, ..Self::fencepost() }
    }

    /// Other workers, too.
    pub fn worked_by(
        self,
        works: impl Fn(Workplace) -> Arc<dyn ProcessRunHandle> + Send + Sync + 'static,
    ) -> Self {
        Self { works: Some(Arc::new(works)), ..self }
    }

    /// Other waits, too.
    pub fn waited_for_by(
        self,
        waits: impl Fn(Arc<dyn ProcessRegistry>, Arc<dyn Environment>) -> Arc<dyn ProcessAttach>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self { waits: Some(Arc::new(waits)), ..self }
    }

    /// Laws by the names that `fencepost laws` prints; a name that is none fails every check.
    pub fn without_claiming(self, not_claimed: &'static [&'static str]) -> Self {
        Self { not_claimed, ..self }
    }

    /// Whether it is ours, by another name at most.
    pub fn is_ours(&self) -> bool {
        self.opens.is_none()
    }
}
