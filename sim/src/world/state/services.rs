//! The code under test that runs on the nodes while they are up: the registry's server, workers and hosts.

use std::collections::BTreeMap;
use std::sync::Arc;

use fencepost::ProcessRegistry;
use fencepost::driver::{ProcessAttach, ProcessWorkDriver};
use fencepost::registry::inline::Inline;
use fencepost::registry::remote::RegistryServer;
use fencepost::store::MemoryStore;
use fencepost::worker::DurableProcessWorker;

use crate::disk;
use crate::plan::step::Span;
use crate::subject::Core;

/// The registry's core, with every decision recorded. How a call passes through is in `recorder/submit.rs`.
pub struct Recorder(pub Core);

#[derive(Default)]
pub struct RegistryService {
    /// Outlives crashes of the node when its rows are beside it; opened again when they are on its disk.
    pub core: Option<Core>,
    pub server: Option<Arc<RegistryServer<Recorder>>>,
    /// Our own store in memory, for a planted bug that changes its rows.
    pub memory: Option<Arc<Inline<MemoryStore>>>,
    /// The waits on the registry's own node.
    pub waits: Option<Arc<dyn ProcessAttach>>,
    /// How long it stays away when it dies.
    pub dies_for: Option<Span>,
    /// The extent of its next crash.
    pub crash: disk::Crash,
    pub was_opened: bool,
}

impl RegistryService {
    /// The waits on the registry's own node, while its server is up.
    pub fn present_waits(&self) -> Option<Arc<dyn ProcessAttach>> {
        self.server.as_ref().and(self.waits.clone())
    }
}

pub struct WorkerService {
    /// The worker itself, if it is ours.
    pub worker: Option<DurableProcessWorker>,
    pub driver: ProcessWorkDriver,
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
    pub workers: BTreeMap<u8, WorkerService>,
    pub hosts: BTreeMap<u8, HostService>,
}
