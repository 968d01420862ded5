//! The system under test: its registry, the worker's decisions and the protocol between them. Ours is the default. A planted
//! bug is ours with one value replaced. [`Subject::of`], [`Subject::worked_by`] and [`Subject::waited_for_by`] put another
//! registry, other workers and other waits in the place of ours; [`Subject::lease`] puts a lock there.

pub mod claims;
mod client_door;
mod factories;
mod lease_door;
mod request_server;
mod schedule;
mod workplace;

use std::sync::Arc;

use fencepost::driver::{ProcessAttach, ProcessRunHandle};
use fencepost::environment::Environment;
use fencepost::registry::watched::watch_process_registry_with_sink;
use fencepost::rules::Rules;
use fencepost::rules::worker::WorkerRules;
use fencepost::{ProcessRegistry, RegistryError};

use crate::lease::{LeaseClaim, LeaseClient, LeasePlace, LeaseService};
use crate::plan::Store;
use crate::plan::chance::Seed;

pub(crate) use client_door::CandidacyPlace;
pub use client_door::ClientDoor;
pub use factories::{
    ChangeRows, Core, LookAtRows, MakeRegistryWaits, MakeWaits, MakeWorker, OpenRegistry, OpenedRegistry,
    ReachRows, RegistryPlace, WatchRegistry, WrapCore,
};
pub use lease_door::LeaseDoor;
pub use request_server::{MakeServer, RequestServer};
pub use schedule::{FirstReadyFirst, RandomSchedule, Schedule, Wakeup};
pub(crate) use workplace::Bodies;
pub use workplace::{BodyActions, Workplace};

/// A system to test, and the settings its runs need.
///
/// ```
/// use fencepost_sim::{Options, Subject, check};
///
/// // The registry and the worker are ours, and the name in reports is not.
/// let subject = Subject { name: "mine", ..Subject::fencepost() };
/// assert!(subject.claims("stale-writer-refused"));
/// assert!(check(&subject, &Options { seeds: 0..5, ..Options::default() }).is_ok());
/// ```
#[derive(Clone)]
pub struct Subject {
    pub name: &'static str,
    pub rules: Rules,
    pub attempt_rules: WorkerRules,
    pub protocol: Protocol,
    pub store: StoreSettings,
    /// The store that generated plans give it.
    pub store_needed: Store,
    /// Stands between the recorder and our registry.
    pub wrap_core: Option<WrapCore>,
    /// Orders ready tasks; as the plan says, if it is none.
    pub schedule: Option<fn(Seed) -> Box<dyn Schedule>>,
    /// Another registry in place of ours.
    pub open_registry: Option<OpenRegistry>,
    /// Another server in front of the registry in place of ours.
    pub make_server: Option<MakeServer>,
    /// The other registry keeps its rows on its machine, and is opened again after each crash.
    pub is_reopened: bool,
    /// Other workers in place of ours.
    pub make_worker: Option<MakeWorker>,
    /// Other waits in place of ours.
    pub make_waits: Option<MakeWaits>,
    /// Tells waiters on the registry's own node of its writes.
    pub watch_registry: WatchRegistry,
    /// Other waits on the registry's own node in place of ours.
    pub make_registry_waits: Option<MakeRegistryWaits>,
    /// It is a lease service, with what its author promises; else a registry.
    pub lease_door: Option<LeaseDoor>,
    /// Contenders that are somebody else's client, in front of a store that is simulated.
    pub lease_client: Option<ClientDoor>,
    /// Laws, or parts of one, that it does not claim to keep: they are not judged, and the report says so.
    pub not_claimed: &'static [&'static str],
}

/// How our stores are opened.
#[derive(Clone)]
pub struct StoreSettings {
    /// SQLite only: statements that run after the store's own settings.
    pub tuning: &'static [&'static str],
    /// SQLite only: an opened file is made durable before the store answers.
    pub syncs_what_it_recovered: bool,
    /// The clock is read before the store's lock is waited for, and not under it.
    pub reads_clock_before_lock: bool,
    /// Runs on the rows whenever the registry starts, at a reading of its clock.
    pub when_opened: Option<ChangeRows>,
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
            attempt_rules: WorkerRules::LAWFUL,
            protocol: Protocol::Fenced,
            store: StoreSettings {
                tuning: &[],
                syncs_what_it_recovered: true,
                reads_clock_before_lock: false,
                when_opened: None,
            },
            store_needed: Store::Memory,
            wrap_core: None,
            schedule: None,
            open_registry: None,
            make_server: None,
            is_reopened: false,
            make_worker: None,
            make_waits: None,
            watch_registry: Arc::new(watch_process_registry_with_sink),
            make_registry_waits: None,
            lease_door: None,
            lease_client: None,
            not_claimed: &[],
        }
    }

    /// Another registry, worked by our worker. It is opened once a run: what it keeps in memory outlives crashes of its
    /// node, as a database beside it would.
    pub fn of<R: ProcessRegistry + 'static>(
        name: &'static str,
        open: impl Fn(Arc<dyn Environment>) -> R + Send + Sync + 'static,
    ) -> Self {
        let open: OpenRegistry = Arc::new(move |place| {
            Ok(OpenedRegistry { registry: Arc::new(open(place.environment)), beliefs: None })
        });
        Self { name, open_registry: Some(open), ..Self::fencepost() }
    }

    /// Another registry that keeps its rows on its machine: it is opened again whenever its node starts, and what it
    /// acknowledged must be there. Its files belong on the simulated disk: `disk::VFS` names it to SQLite, and
    /// [`crate::disk::with`] hands it to others.
    pub fn reopened<R: ProcessRegistry + 'static>(
        name: &'static str,
        open: impl Fn(Arc<dyn Environment>) -> Result<R, RegistryError> + Send + Sync + 'static,
    ) -> Self {
        let open: OpenRegistry = Arc::new(move |place| {
            Ok(OpenedRegistry { registry: Arc::new(open(place.environment)?), beliefs: None })
        });
        // In the worlds whose machines lose power and whose disks fail.
        let store_needed = Store::Sqlite;
        Self { name, open_registry: Some(open), is_reopened: true, store_needed, ..Self::fencepost() }
    }

    /// A lock, or whatever else decides leases, held by our contenders and judged by what it claims. It is opened once a run:
    /// what it keeps in memory outlives crashes of its node, as a database beside it would.
    pub fn lease<S: LeaseService>(
        name: &'static str,
        open: impl Fn(LeasePlace) -> S + Send + Sync + 'static,
        claims: &[LeaseClaim],
    ) -> Self {
        let door = LeaseDoor { claims: claims.to_vec(), clocks_apart_ms: None };
        let open = door.opened_by(open);
        Self { name, open_registry: Some(open), lease_door: Some(door), ..Self::fencepost() }
    }

    /// Somebody else's client of leases, which runs on tokio with its own loop and timers, in front of a store that is simulated.
    /// It claims that there is one leader at a time. The store is opened once a run.
    pub fn lease_client<C: LeaseClient>(
        name: &'static str,
        open_store: impl Fn(LeasePlace) -> C::Store + Send + Sync + 'static,
        client: C,
    ) -> Self {
        let door = LeaseDoor { claims: LeaseClaim::OF_CLIENTS.to_vec(), clocks_apart_ms: None };
        Self {
            name,
            open_registry: Some(ClientDoor::open_rows()),
            lease_door: Some(door),
            lease_client: Some(ClientDoor::new(open_store, client)),
            ..Self::fencepost()
        }
    }

    /// Limits the claims of a lease service or a client to worlds whose clocks are at most this far apart. No plan of a search has clocks
    /// that are further apart.
    pub fn where_clocks_agree_within(self, ms: u64) -> Self {
        let lease_door = self.lease_door.map(|door| LeaseDoor { clocks_apart_ms: Some(ms), ..door });
        Self { lease_door, ..self }
    }

    /// Other workers, too.
    pub fn worked_by(
        self,
        make_worker: impl Fn(Workplace) -> Arc<dyn ProcessRunHandle> + Send + Sync + 'static,
    ) -> Self {
        Self { make_worker: Some(Arc::new(make_worker)), ..self }
    }

    /// Another server in front of the registry, made anew in each life of its node.
    pub fn served_by(
        self,
        make_server: impl Fn(Core, Arc<dyn Environment>) -> Arc<dyn RequestServer> + Send + Sync + 'static,
    ) -> Self {
        Self { make_server: Some(Arc::new(make_server)), ..self }
    }

    /// Something of yours between the recorder and our registry: it sees each call before our registry does, and may answer in
    /// its place. It is made anew whenever our registry is opened. A wrapper of another registry belongs into its own opener.
    pub fn wrapped_by(self, wrap: impl Fn(Core, RegistryPlace) -> Core + Send + Sync + 'static) -> Self {
        Self { wrap_core: Some(Arc::new(wrap)), ..self }
    }

    /// Other waits, too.
    pub fn waited_for_by(
        self,
        make_waits: impl Fn(Arc<dyn ProcessRegistry>, Arc<dyn Environment>) -> Arc<dyn ProcessAttach>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self { make_waits: Some(Arc::new(make_waits)), ..self }
    }

    /// Laws by the names that `fencepost laws` prints, or a part of one: see [`claims`]. A name that is none fails every check.
    pub fn without_claiming(self, not_claimed: &'static [&'static str]) -> Self {
        Self { not_claimed, ..self }
    }

    /// True, if it claims to keep this law and is therefore judged by it.
    pub fn claims(&self, law: &str) -> bool {
        self.lease_door.as_ref().is_none_or(|door| door.is_judged_by(law)) && !self.not_claimed.contains(&law)
    }

    /// True if a plan may name this store. Our own registry needs the feature `sqlite` for rows on the disk; another registry
    /// decides for itself where it keeps rows.
    pub fn can_keep_rows_in(&self, store: Store) -> bool {
        !self.is_ours() || store == Store::Memory || cfg!(feature = "sqlite")
    }

    /// The registry is ours, perhaps under another name.
    pub fn is_ours(&self) -> bool {
        self.open_registry.is_none()
    }
}
