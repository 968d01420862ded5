//! Waits on the registry's own node. A write there ticks a hub, so a waiter hears of an end in the instant it is decided. The
//! sink that is handed new events fails now and then, and must not keep a waiter from hearing.

use std::sync::Arc;

use async_trait::async_trait;
use fencepost::ProcessRegistry;
use fencepost::awaiter::ProcessAwaiter;
use fencepost::driver::ProcessAttach;
use fencepost::environment::Environment;
use fencepost::model::event::ProcessEvent;
use fencepost::model::process::DurabilityTier;
use fencepost::registry::calls::{Answer, Call, Dispatch, Facade, Submit};
use fencepost::registry::watched::ProcessEventSink;

use crate::plan::{Node, Process};
use crate::subject::{Core, Subject};
use crate::world::environment::NodeEnvironment;
use crate::world::state::with;
use crate::world::waits::{self, OurWaits};

/// The watched registry as a core again. `get_process` goes past the watch, which adds nothing to a read: through the trait a
/// failed read would look like an absent row.
struct WatchedCalls {
    core: Core,
    watched: Dispatch,
}

#[async_trait]
impl Submit for WatchedCalls {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        match *call {
            Call::GetProcess { .. } => self.core.submit(call).await,
            _ => self.watched.submit(call).await,
        }
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.watched.durability_tier()
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
    let registry: Arc<dyn ProcessRegistry> = Arc::new(Facade(Arc::clone(&core)));
    let (registry, hub) =
        (subject.watch_registry)(registry, Some(Arc::new(FailingSink)), Arc::clone(&environment));
    let waits: Arc<dyn ProcessAttach> = match &subject.make_registry_waits {
        Some(make_waits) => make_waits(Arc::clone(&registry), hub, environment),
        None => Arc::new(OurWaits(ProcessAwaiter::new(Arc::clone(&registry), hub, environment))),
    };
    (Arc::new(WatchedCalls { core, watched: Dispatch(registry) }), waits)
}

/// Waits on the registry's node for the end of the process, if its server is up.
pub fn wait(process: Process) {
    let Some(registry_waits) = with(|world| world.services.registry.present_waits()) else { return };
    let task = async move { waits::wait(Node::Registry, process, registry_waits.as_ref()).await };
    with(|world| world.spawn(Node::Registry, Box::pin(task)));
}
