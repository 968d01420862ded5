//! The machines: each node is started, crashes, restarts as a new life, and resumes from pauses.

use std::sync::Arc;

use crate::disk;
use crate::history::event::{CrashDamage, NO_PROCESS, What};
use crate::plan::{Node, Plan};
use crate::world::calls::CallInfo;
use crate::world::poll_task::drop_quietly;
use crate::world::state::due::Due;
use crate::world::state::records::OpenSpan;
use crate::world::state::{World, with};
use crate::world::{hosts, registry_node, worker_node};

/// Starts the nodes and puts the plan on the agenda.
pub fn begin() {
    let plan = with(|world| Arc::clone(&world.plan));
    for node in plan.nodes() {
        start(node, false);
    }
    with(|world| world.schedule(&plan));
}

/// Starts a node in its present life; renamed, a worker is another owner than before.
fn start(node: Node, is_renamed: bool) {
    with(|world| world.node(node).start());
    match node {
        Node::Registry => registry_node::start(),
        Node::Worker(_) => worker_node::start(node, is_renamed),
        Node::Host(_) => hosts::start(node),
        Node::Ledger => {}
    }
}

/// Restarts a node that is down in this life.
pub fn restart(node: Node, life: u64, is_renamed: bool) {
    let is_due = with(|world| {
        let state = world.node(node);
        !state.is_up && state.life == life
    });
    if is_due {
        with(|world| world.note_at(node, What::Restarted { life }));
        start(node, is_renamed);
    }
}

/// Ends the pause with this number. Everything that arrived meanwhile is handed to `dispatch`, in order.
pub fn resume(node: Node, pause: u64, dispatch: impl Fn(Due)) {
    let inbox = with(|world| {
        let inbox = world.node(node).resume(pause)?;
        world.note_at(node, What::Resumed);
        Some(inbox)
    });
    inbox.into_iter().flatten().for_each(dispatch);
}

/// Kills a node. Its memory is gone; its messages may yet arrive.
pub fn crash(node: Node) {
    let damage = if node == Node::Registry { with(World::crash_disk) } else { CrashDamage::default() };
    let remains = with(|world| {
        let tasks = world.kernel.take_tasks_of(node.code());
        let worker = world.services.workers.remove(&node.code());
        let host = world.services.hosts.remove(&node.code());
        let mut registry = (None, None, None);
        if node == Node::Registry {
            registry.0 = world.services.registry.server.take();
            if world.is_on_disk() {
                registry.1 = world.services.registry.core.take();
                registry.2 = world.services.registry.waits.take();
            }
        }
        let seed = world.seed;
        let (life, inbox) = world.node(node).die(seed);
        world.note_at(node, What::Crashed { life, damage });
        (tasks, worker, host, registry, inbox)
    });
    drop_quietly(remains);
    if node == Node::Registry {
        with(World::decisions_died);
        // Only now: the destructors of the dead must not tidy up their files.
        let dies = with(|world| std::mem::replace(&mut world.services.registry.crash, disk::Crash::Process));
        disk::with(|disk| disk.crash(dies));
    }
}

impl World {
    /// A decision that was under way when the registry crashed was either applied or not.
    fn decisions_died(&mut self) {
        let (now_ms, now_us) = (self.wall_ms(Node::Registry), self.kernel.now_us);
        let open = std::mem::take(&mut self.records.open_spans).into_values();
        let died = open.filter(|open| open.info.changes_a_process());
        self.records.cut_off.extend(died.map(|open| OpenSpan { died_ms: now_ms, ..open }));
        let wrong = self.records.answers.registry_crashed(now_ms, now_us);
        self.differs(&CallInfo::of_the_world(NO_PROCESS), wrong);
    }

    fn schedule(&mut self, plan: &Plan) {
        for (number, step) in plan.steps.iter().enumerate() {
            self.kernel.at(step.at_ms * 1_000, Due::Step(number));
        }
        self.kernel.at(plan.horizon_ms * 1_000, Due::LivenessCheck);
    }
}
