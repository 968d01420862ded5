//! The functions a subject is made of: they open registries, wrap them, and make workers and waits on a simulated node.

use std::sync::Arc;

use fencepost::driver::{ProcessAttach, ProcessRunHandle};
use fencepost::environment::Environment;
use fencepost::registry::calls::Submit;
use fencepost::registry::change_hub::ProcessChangeHub;
use fencepost::registry::watched::ProcessEventSink;
use fencepost::store::Rows;
use fencepost::{ProcessRegistry, RegistryError};

use crate::lease::Beliefs;
use crate::subject::workplace::Workplace;

/// Decides calls, behind the recorder.
pub type Core = Arc<dyn Submit>;

/// Opens a registry on the simulated node that it is handed.
pub type OpenRegistry = Arc<dyn Fn(RegistryPlace) -> Result<OpenedRegistry, RegistryError> + Send + Sync>;

/// A registry that is not ours.
pub struct OpenedRegistry {
    pub registry: Arc<dyn ProcessRegistry>,
    /// A lease service behind it, which can be asked who holds a key.
    pub beliefs: Option<Arc<dyn Beliefs>>,
}

/// The registry's node, as a wrapper around the core sees it.
pub struct RegistryPlace {
    pub environment: Arc<dyn Environment>,
    /// Reads the wall clock of the node whose call is being decided: a registry must never go by it.
    pub callers_clock_ms: fn() -> u64,
    /// The way to the rows of our own store; there is none to another's registry.
    pub reach_rows: Option<ReachRows>,
}

/// Looks at rows, or changes them.
pub type LookAtRows<'a> = &'a mut dyn FnMut(&mut dyn Rows) -> Result<(), RegistryError>;

/// Reaches the rows of a store in one atomic step, beside its registry. Never call it while the registry decides a call.
pub type ReachRows = Arc<dyn Fn(LookAtRows<'_>) -> Result<(), RegistryError> + Send + Sync>;

/// Puts something between the recorder and our registry.
pub type WrapCore = Arc<dyn Fn(Core, RegistryPlace) -> Core + Send + Sync>;

/// Changes rows of an opened store, at a reading of the registry's clock.
pub type ChangeRows = Arc<dyn Fn(&mut dyn Rows, u64) -> Result<(), RegistryError> + Send + Sync>;

/// Watches a registry for those who wait on its own node.
pub type WatchRegistry = Arc<
    dyn Fn(
            Arc<dyn ProcessRegistry>,
            Option<Arc<dyn ProcessEventSink>>,
            Arc<dyn Environment>,
        ) -> (Arc<dyn ProcessRegistry>, ProcessChangeHub)
        + Send
        + Sync,
>;

/// Makes the waits beside a watched registry.
pub type MakeRegistryWaits = Arc<
    dyn Fn(Arc<dyn ProcessRegistry>, ProcessChangeHub, Arc<dyn Environment>) -> Arc<dyn ProcessAttach>
        + Send
        + Sync,
>;

/// Makes a node's worker.
pub type MakeWorker = Arc<dyn Fn(Workplace) -> Arc<dyn ProcessRunHandle> + Send + Sync>;

/// Makes a host's waits.
pub type MakeWaits =
    Arc<dyn Fn(Arc<dyn ProcessRegistry>, Arc<dyn Environment>) -> Arc<dyn ProcessAttach> + Send + Sync>;
