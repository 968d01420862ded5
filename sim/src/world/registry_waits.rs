//! Waits on the registry's own node, beside its writes. Whoever writes there ticks a hub, so a waiter hears of an end in the
//! very instant it is decided; and the sink that is handed the log's gains fails now and then, which must hold up nobody.

use std::sync::Arc;

use async_trait::async_trait;
use fencepost::ProcessRegistry;
use fencepost::awaiter::ProcessAwaiter;
use fencepost::driver::ProcessAttach;
use fencepost::environment::Environment;
use fencepost::model::error::RegistryError;
use fencepost::model::event::ProcessEvent;
use fencepost::model::process::DurabilityTier;
use fencepost::registry::calls::{Call, Dispatch, Facade, Reply, Submit};
use fencepost::registry::watched::ProcessEventSink;

use crate::plan::{Node, Process};
use crate::subject::{Core, Subject};
use crate::world::environment::NodeEnvironment;
use crate::world::hosts::Wait;
use crate::world::machines::Awaits;
use crate::world::with;

/// The registry's core as a registry, for whoever watches it.
struct Through(Core);

#[async_trait]
impl Submit for Through {
    async fn submit(&self, call: Call) -> Result<Reply, RegistryError> {
        self.0.submit(call).await
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.0.durability_tier()
    }
}

/// Fails for every second event.
struct Fails;

#[async_trait]
impl ProcessEventSink for Fails {
    async fn deliver(&self, event: ProcessEvent) {
        if event.sequence.is_multiple_of(2) {
            std::panic::resume_unwind(Box::new("the sink failed".to_owned()));
        }
    }
}

/// The core, watched; and the waits beside it.
pub fn watched(core: Core, subject: &Subject) -> (Core, Arc<dyn ProcessAttach>) {
    let environment: Arc<dyn Environment> = Arc::new(NodeEnvironment(Node::Registry));
    let registry: Arc<dyn ProcessRegistry> = Arc::new(Facade(Through(core)));
    let (registry, hub) = (subject.watch_registry)(registry, Some(Arc::new(Fails)), Arc::clone(&environment));
    let waits: Arc<dyn ProcessAttach> = match subject.make_registry_waits {
        Some(waits) => waits(Arc::clone(&registry), hub, environment),
        None => Arc::new(Awaits(ProcessAwaiter::new(Arc::clone(&registry), hub, environment))),
    };
    (Arc::new(Dispatch(registry)), waits)
}

/// Somebody waits there; nobody does while it is down.
pub fn wait(process: Process) {
    let Some(waits) = with(|world| world.registry.home_waits()) else { return };
    let task = async move {
        let wait = Wait::begin(Node::Registry, process);
        let answer = waits.await_terminal(&process.to_string()).await;
        wait.end(answer.as_ref().map_or(0, crate::world::recorder::hash_of));
    };
    with(|world| world.spawn(Node::Registry, Box::pin(task)));
}
