//! Waits on the registry's own node. A write there ticks a hub, so a waiter hears of an end in the instant it is decided. The
//! sink that is handed new events fails now and then, and must not keep a waiter from hearing.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use fencepost::ProcessRegistry;
use fencepost::awaiter::ProcessAwaiter;
use fencepost::driver::ProcessAttach;
use fencepost::environment::Environment;
use fencepost::model::error::RegistryError;
use fencepost::model::event::ProcessEvent;
use fencepost::model::process::DurabilityTier;
use fencepost::registry::calls::{Answer, Call, Dispatch, Facade, Reply, Submit};
use fencepost::registry::watched::ProcessEventSink;

use crate::plan::{Node, Process};
use crate::subject::{Core, Subject};
use crate::world::environment::NodeEnvironment;
use crate::world::state::with;
use crate::world::waits::{self, OurWaits};

/// Why `get_process` read nothing. The method can only answer `None`, as it does for an absent row. One place is
/// enough: between the core and the answer of the watch nothing waits.
type ReadError = Arc<Mutex<Option<RegistryError>>>;

/// The registry's core, to be watched as a registry.
struct WatchedCore {
    core: Core,
    read_error: ReadError,
}

#[async_trait]
impl Submit for WatchedCore {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let is_get = matches!(*call, Call::GetProcess { .. });
        let answer = self.core.submit(call).await;
        if is_get {
            *self.read_error.lock().unwrap_or_else(PoisonError::into_inner) = answer.as_ref().err().cloned();
        }
        answer
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.core.durability_tier()
    }
}

/// The watched registry as a core again. A `get_process` that read nothing fails, as it does without the watch.
struct WatchedCalls {
    registry: Dispatch,
    read_error: ReadError,
}

#[async_trait]
impl Submit for WatchedCalls {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let is_get = matches!(*call, Call::GetProcess { .. });
        let answer = self.registry.submit(call).await;
        let read_error =
            if is_get { self.read_error.lock().unwrap_or_else(PoisonError::into_inner).take() } else { None };
        match read_error {
            Some(error) if matches!(answer.as_deref(), Ok(Reply::MaybeRecord(None))) => Err(error),
            _ => answer,
        }
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.registry.durability_tier()
    }
}

/// Fails for every second event.
struct FailingSink;

#[async_trait]
impl ProcessEventSink for FailingSink {
    async fn deliver(&self, event: ProcessEvent) {
        if event.sequence.is_multiple_of(2) {
            std::panic::resume_unwind(Box::new("the sink failed".to_owned()));
        }
    }
}

/// Watches the core. Returns it with the waits beside it.
pub fn watched(core: Core, subject: &Subject) -> (Core, Arc<dyn ProcessAttach>) {
    let environment: Arc<dyn Environment> = Arc::new(NodeEnvironment(Node::Registry));
    let read_error = ReadError::default();
    let watched = WatchedCore { core, read_error: Arc::clone(&read_error) };
    let registry: Arc<dyn ProcessRegistry> = Arc::new(Facade(watched));
    let (registry, hub) =
        (subject.watch_registry)(registry, Some(Arc::new(FailingSink)), Arc::clone(&environment));
    let waits: Arc<dyn ProcessAttach> = match &subject.make_registry_waits {
        Some(make_waits) => make_waits(Arc::clone(&registry), hub, environment),
        None => Arc::new(OurWaits(ProcessAwaiter::new(Arc::clone(&registry), hub, environment))),
    };
    (Arc::new(WatchedCalls { registry: Dispatch(registry), read_error }), waits)
}

/// Waits on the registry's node for the end of the process, if its server is up.
pub fn wait(process: Process) {
    let Some(registry_waits) = with(|world| world.services.registry.present_waits()) else { return };
    let task = async move { waits::wait(Node::Registry, process, registry_waits.as_ref()).await };
    with(|world| world.spawn(Node::Registry, Box::pin(task)));
}
