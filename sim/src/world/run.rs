//! Runs one plan to its end inside one madsim runtime, on one thread, in virtual time.

use std::sync::Arc;
use std::time::Duration;

use crate::disk::{self, Disk};
use crate::history::EventNote;
use crate::history::event::{GrantName, What, Witness};
use crate::plan::{Node, Plan};
use crate::subject::Subject;
use crate::support::panics;
use crate::world::dispatch::dispatch;
use crate::world::scheduler::Turn;
use crate::world::state::due::Due;
use crate::world::state::records::DecidedCall;
use crate::world::state::traffic::MessageLog;
use crate::world::state::{self, World, with};
use crate::world::{machines, poll_task};

/// The result of a run, apart from its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// True time that passed.
    pub simulated_us: u64,
    /// Calls the registry decided.
    pub calls: u64,
    pub faults: u64,
    /// Names of the grants that events carry.
    pub grants: Vec<GrantName>,
    /// More about some events, in words.
    pub notes: Vec<EventNote>,
}

/// Runs a plan to its end. The same plan gives the same events, always.
pub fn run(plan: &Arc<Plan>, subject: &Subject, witness: &mut (impl Witness + Send)) -> Outcome {
    on_its_thread(subject, || {
        let world = World::new(Arc::clone(plan), subject.clone());
        outcome_of(run_world(world, witness))
    })
}

/// Other people's clients keep generators of random numbers and hashers in their thread: there each run has a thread of its
/// own, so that none begins with what an earlier one left.
fn on_its_thread<T: Send>(subject: &Subject, run: impl FnOnce() -> T + Send) -> T {
    if subject.lease_client.is_none() {
        return run();
    }
    let ran = std::thread::scope(|scope| {
        let running = scope.spawn(|| (run(), panics::take_last()));
        running.join()
    });
    match ran {
        Ok((ran, panicked)) => {
            panics::put_last(panicked);
            ran
        }
        Err(payload) => std::panic::resume_unwind(payload),
    }
}

/// As [`run`], and returns every call in the order of decisions.
pub fn run_with_calls(plan: &Arc<Plan>, subject: &Subject) -> (Outcome, Vec<DecidedCall>) {
    let mut world = World::new(Arc::clone(plan), subject.clone());
    world.records.decided_calls = Some(Vec::new());
    let mut world = run_world(world, &mut ());
    let calls = world.records.decided_calls.take().unwrap_or_default();
    (outcome_of(world), calls)
}

/// As [`run`], and returns every message.
pub fn run_with_messages(
    plan: &Arc<Plan>,
    subject: &Subject,
    witness: &mut impl Witness,
) -> (Outcome, MessageLog) {
    let mut world = World::new(Arc::clone(plan), subject.clone());
    world.traffic.log = Some(MessageLog::default());
    let mut world = run_world(world, witness);
    let log = world.traffic.log.take().unwrap_or_default();
    (outcome_of(world), log)
}

fn run_world(world: World, witness: &mut impl Witness) -> Box<World> {
    let runtime = madsim::runtime::Runtime::with_seed_and_config(world.plan.seed, madsim::Config::default());
    runtime.block_on(async { run_inside(world, witness) })
}

fn run_inside(world: World, witness: &mut impl Witness) -> Box<World> {
    disk::insert(Disk::new(world.seed));
    state::enter(world);
    machines::begin();
    let mut virtual_us = 0;
    loop {
        match with(|world| next_turn(world, witness)) {
            Turn::Poll(id, task, waker) => poll_task::poll(id, task, &waker),
            Turn::Due(due) => {
                let now_us = with(|world| world.kernel.now_us);
                if now_us > virtual_us {
                    // For code that asks the machine itself: std's clocks show the same passage of time.
                    madsim::time::advance(Duration::from_micros(now_us - virtual_us));
                    virtual_us = now_us;
                }
                dispatch(due);
            }
            Turn::Over => break,
        }
    }
    let mut world = state::leave();
    world.note_answers_judged();
    world.note_at(Node::Registry, What::Finished);
    world.events.drain(..).for_each(|event| witness.see(&event));
    // After the world is out of its place: the destructors of tasks look for it there.
    drop(world.kernel.take_all());
    world
}

/// Shows the witness the events of the last turn, and picks the next one.
fn next_turn(world: &mut World, witness: &mut impl Witness) -> Turn<Due> {
    world.events.drain(..).for_each(|event| witness.see(&event));
    if world.is_over {
        return Turn::Over;
    }
    // The registry dies in whichever call reaches its disk: one that is recorded, or one of a wait beside the registry.
    let is_dead = world.is_on_disk() && disk::with(|disk| disk.died()).flatten().is_some();
    if is_dead && world.node(Node::Registry).is_up {
        return Turn::Due(Due::RegistryDies);
    }
    let World { kernel, nodes, .. } = world;
    let turn = kernel.next(|machine| nodes.is_paused(machine));
    if world.kernel.has_run_away() {
        world.note_at(Node::Registry, What::Exhausted);
        world.is_over = true;
        return Turn::Over;
    }
    turn
}

fn outcome_of(mut world: Box<World>) -> Outcome {
    Outcome {
        simulated_us: world.kernel.now_us,
        calls: world.records.calls,
        faults: world.workload.faults,
        grants: std::mem::take(&mut world.records.grants.names),
        notes: std::mem::take(&mut world.notes),
    }
}
