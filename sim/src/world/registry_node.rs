//! The registry's node: it opens the registry, starts the server, answers requests, and loses what its disk does not keep.

use std::sync::Arc;

use fencepost::environment::Environment;
use fencepost::model::error::RegistryError;
use fencepost::registry::calls::Dispatch;
use fencepost::registry::remote::{RegistryServer, Request};

use crate::disk;
use crate::history::event::{CrashDamage, GrantNo, What};
use crate::plan::Node;
use crate::subject::{Core, OpenedRegistry, RegistryPlace};
use crate::world::calls::process_in;
use crate::world::environment::NodeEnvironment;
use crate::world::fingerprint::hash_text;
use crate::world::own_store;
use crate::world::poll_task::run_at_registry;
use crate::world::recorder::resolve_unknown;
use crate::world::state::due::{Due, Message};
use crate::world::state::nodes::Caller;
use crate::world::state::records::RequestName;
use crate::world::state::services::{Recorder, Server};
use crate::world::state::traffic::ArrivedRequest;
use crate::world::state::{World, with};
use crate::world::{cut_off, registry_waits, store_node};

/// Between attempts to open a store that cannot be opened.
const REOPEN_AFTER_US: u64 = 50_000;

/// Starts the registry in its node's present life.
pub fn start() {
    store_node::start();
    let kept = with(|world| world.services.registry.core.clone());
    let opened = match kept {
        Some(core) => touch_memory().map(|()| core),
        None => open().map(watch),
    };
    let core = match opened {
        Ok(core) => core,
        // It died again on the way, or the disk fails: it is tried until it succeeds.
        Err(_) => return with(World::open_later),
    };
    let is_looked_at = with(|world| {
        world.services.registry.core = Some(Arc::clone(&core));
        let was_opened = std::mem::replace(&mut world.services.registry.was_opened, true);
        was_opened && world.is_on_disk()
    });
    run_at_registry(Box::pin(async move {
        if is_looked_at {
            resolve_unknown::look_back(core.as_ref()).await;
        }
        cut_off::look(Arc::clone(&core)).await;
        let environment = NodeEnvironment(Node::Registry);
        let server = match with(|world| world.subject.make_server.clone()) {
            Some(make) => Server::Another(make(Arc::new(Recorder(core)), Arc::new(environment))),
            None => Server::Ours(Arc::new(RegistryServer::new(Recorder(core), &environment))),
        };
        with(|world| world.services.registry.server = Some(server));
    }));
}

/// Puts waits beside the opened registry, if the plan has any.
fn watch(core: Core) -> Core {
    let (plan, subject) = with(|world| (Arc::clone(&world.plan), world.subject.clone()));
    // Beside another's registry an end can be seen before it is recorded.
    if !plan.has_waits_at_registry() || !subject.is_ours() {
        return core;
    }
    let (core, waits) = registry_waits::watched(core, &subject);
    with(|world| world.services.registry.waits = Some(waits));
    core
}

/// Lets a planted bug change the rows in memory that outlived the registry's node.
fn touch_memory() -> Result<(), RegistryError> {
    let (memory, touch) =
        with(|world| (world.services.registry.memory.clone(), world.subject.store.when_opened.clone()));
    let (Some(memory), Some(touch)) = (memory, touch) else { return Ok(()) };
    let now_ms = NodeEnvironment(Node::Registry).now_epoch_ms();
    memory(&mut |rows| touch(rows, now_ms))
}

fn open() -> Result<Core, RegistryError> {
    let environment: Arc<dyn Environment> = Arc::new(NodeEnvironment(Node::Registry));
    let (plan, subject) = with(|world| (Arc::clone(&world.plan), world.subject.clone()));
    if let Some(open_registry) = &subject.open_registry {
        let OpenedRegistry { registry, beliefs } =
            open_registry(RegistryPlace { environment, callers_clock_ms, reach_rows: None })?;
        with(|world| world.services.registry.beliefs = beliefs);
        return Ok(Arc::new(Dispatch(registry)));
    }
    let (core, reach_rows) = own_store::open(&plan, &subject, &environment)?;
    Ok(match &subject.wrap_core {
        Some(wrap) => {
            wrap(core, RegistryPlace { environment, callers_clock_ms, reach_rows: Some(reach_rows) })
        }
        None => core,
    })
}

/// The wall clock of the node whose call is being decided.
fn callers_clock_ms() -> u64 {
    with(|world| {
        let caller_ms = world.wall_ms(world.records.caller.node);
        // A decision that waited for its store sees the time before that wait on every clock.
        let waited_ms = match world.records.decision_clock {
            Some(clock) => world.wall_ms(Node::Registry).saturating_sub(clock.now_ms()),
            None => 0,
        };
        caller_ms.saturating_sub(waited_ms)
    })
}

/// A request reaches the node: the server answers it on the spot, unless the store takes its time.
pub fn serve(message: Message<Request>) {
    let Some((server, message)) = with(|world| world.accept(message)) else { return };
    let Message { from, life, exchange, content, .. } = message;
    run_at_registry(Box::pin(async move {
        if let Some(answer) = server.handle(content).await {
            with(|world| world.send_answer(from, life, exchange, answer));
        }
    }));
}

impl World {
    /// The server that takes the request now; none if it is lost, or waits for the end of a pause.
    fn accept(&mut self, message: Message<Request>) -> Option<(Server, Message<Request>)> {
        assert!(message.sent_us <= self.kernel.now_us, "a request arrived before it was sent");
        let registry = self.node(Node::Registry);
        if registry.is_paused {
            registry.inbox.push(Due::RequestArrives(message));
            return None;
        }
        let now_us = self.kernel.now_us;
        if let Some(log) = &mut self.traffic.log {
            let disk_calls = disk::with(|disk| disk.operations()).unwrap_or_default();
            log.arrived.push(ArrivedRequest { at_us: now_us, disk_calls });
        }
        let registry = self.node(Node::Registry);
        let is_lost = !registry.is_up || !self.survives(&message);
        if is_lost {
            self.note_lost(message.from, &message.content);
            return None;
        }
        // Only the server's life is of interest, and only while the message is looked at.
        let server = self.services.registry.server.clone();
        self.note_copies(&message, server.as_ref().map(Server::life));
        self.records.caller = Caller { node: message.from, life: message.life };
        self.records.request = match &message.content {
            Request::Submit { client_life, number, .. } => {
                Some(RequestName { client: hash_text(client_life), number: *number })
            }
            Request::Hello { .. } => None,
        };
        Some((server?, message))
    }

    /// Records what coverage must know of a request, beside what is decided on it.
    fn note_copies(&mut self, message: &Message<Request>, server_life: Option<&str>) {
        let Request::Submit { seat, call, client_life, number, .. } = &message.content else { return };
        let process = process_in(call);
        if message.is_copy {
            let age_us = self.kernel.now_us - message.sent_us;
            self.note(message.from, process, GrantNo::NONE, What::Repeated { age_us });
        }
        if server_life != Some(seat.server_life.as_ref()) {
            let name = RequestName { client: hash_text(client_life), number: *number };
            let was_applied = self.records.applied.contains(&name);
            self.note(message.from, process, GrantNo::NONE, What::FromEarlierLife { was_applied });
        }
    }

    /// The store cannot be opened now; it is tried again soon.
    fn open_later(&mut self) {
        let is_sound = disk::with(|disk| {
            let died_of = disk.died();
            let is_sound = died_of.is_none() && !disk.is_in_trouble();
            disk.crash(died_of.unwrap_or_default());
            is_sound
        });
        if is_sound == Some(true) {
            self.cannot_be_read();
        }
        self.node(Node::Registry).is_up = false;
        let (life, at_us) = (self.node(Node::Registry).life, self.kernel.now_us + REOPEN_AFTER_US);
        self.kernel.at(at_us, Due::Restarts(Node::Registry, life, false));
    }

    /// Kills whatever uses the registry's disk. Returns what the crash damages.
    pub fn crash_disk(&mut self) -> CrashDamage {
        if !self.is_on_disk() {
            return CrashDamage::default();
        }
        let dies = self.services.registry.crash;
        let unsynced = disk::with(|disk| {
            disk.kill(dies);
            disk.has_unsynced()
        });
        CrashDamage {
            is_of_machine: dies == disk::Crash::Machine,
            had_unsynced_pages: unsynced == Some(true),
        }
    }
}
