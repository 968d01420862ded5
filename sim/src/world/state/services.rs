//! The code under test that runs on the nodes while they are up: the registry's server, workers and hosts.

use std::collections::BTreeMap;
use std::sync::Arc;

use fencepost::ProcessRegistry;
use fencepost::driver::{ProcessAttach, ProcessWorkDriver};
use fencepost::registry::remote::{RegistryServer, Request, Response};
use tokio::sync::Mutex;

use crate::disk;
use crate::lease::{AnyStore, Beliefs};
use crate::plan::step::Span;
use crate::subject::{Core, ReachRows, RequestServer};
use crate::world::state::store_faults::StoreWaits;

/// The registry's core, with every decision recorded. How a call passes through is in `recorder/submit.rs`.
pub struct Recorder(pub Core);

/// The server of the registry's present life.
#[derive(Clone)]
pub enum Server {
    Ours(Arc<RegistryServer<Recorder>>),
    Another(Arc<dyn RequestServer>),
}

impl Server {
    pub async fn handle(&self, request: Request) -> Option<Response> {
        match self {
            Self::Ours(server) => server.handle(request).await,
            Self::Another(server) => server.handle(request).await,
        }
    }

    pub fn life(&self) -> &str {
        match self {
            Self::Ours(server) => server.life(),
            Self::Another(server) => server.life(),
        }
    }
}

#[derive(Default)]
pub struct RegistryService {
    /// Outlives crashes of the node when its rows are beside it; opened again when they are on its disk.
    pub core: Option<Core>,
    pub server: Option<Server>,
    /// Reaches the rows of our own store in memory, which outlive its node.
    pub memory: Option<ReachRows>,
    /// Held by a call that waits under the store's lock. None until the store first makes one wait there.
    pub lock: Option<Arc<Mutex<()>>>,
    /// The lease service behind it, which can be asked who holds a key.
    pub beliefs: Option<Arc<dyn Beliefs>>,
    /// The store behind somebody's client of leases. It outlives crashes of the node.
    pub lease_store: Option<Arc<dyn AnyStore>>,
    /// The waits on the registry's own node.
    pub waits: Option<Arc<dyn ProcessAttach>>,
    /// How long it stays away when it dies.
    pub dies_for: Option<Span>,
    /// The extent of its next crash.
    pub crash: disk::Crash,
    pub was_opened: bool,
}

impl RegistryService {
    /// True while a call waits under the store's lock.
    pub fn is_locked(&self) -> bool {
        self.lock.as_ref().is_some_and(|lock| lock.try_lock().is_err())
    }

    /// The store's lock, once any call has waited under it.
    pub fn lock_if_needed(&mut self, waits: StoreWaits) -> Option<Arc<Mutex<()>>> {
        if waits.before_reading_us + waits.before_write_us > 0 {
            self.lock.get_or_insert_default();
        }
        self.lock.clone()
    }

    /// The waits on the registry's own node, while its server is up.
    pub fn present_waits(&self) -> Option<Arc<dyn ProcessAttach>> {
        self.server.as_ref().and(self.waits.clone())
    }
}

#[derive(Clone)]
pub struct HostService {
    pub registry: Arc<dyn ProcessRegistry>,
    pub waits: Arc<dyn ProcessAttach>,
}

/// By node; a worker or host that is down has none.
#[derive(Default)]
pub struct Services {
    pub registry: RegistryService,
    pub workers: BTreeMap<u8, ProcessWorkDriver>,
    pub hosts: BTreeMap<u8, HostService>,
}
