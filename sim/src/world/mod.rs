//! The world: one plan, run to its end inside one madsim runtime, on one thread, in virtual time. Nothing outside this
//! folder knows how. The world stands in a thread-local, so that what the code under test holds of it (environment,
//! transport) is a node's name and no lock. Read next: `kernel.rs`, then `cluster.rs`, `door.rs` and `calm.rs`.

mod bodies;
mod environment;
mod evidence;
mod hosts;
mod kernel;
mod liveness;
mod machines;
mod messages;
mod network;
mod recorder;
mod recovery;
mod registry_waits;
mod rows;
mod stale_calls;
mod steps;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use fencepost::environment::BoxFuture;
use fencepost::registry::calls::Call;
use fencepost::registry::remote::{Request, Response};
use rand_chacha::ChaCha8Rng;

use crate::disk;
use crate::disk::Disk;
use crate::history::event::{Event, GrantName, GrantNo, Kind, NO_PROCESS, Witness};
use crate::plan::chance::{Purpose, Seed};
use crate::plan::clock::Clock;
use crate::plan::step::{DiskFault, Method, StoreFailure};
use crate::plan::{Node, Plan, Process, Store};
use crate::subject::{RandomSchedule, Subject};
use crate::support::panics;

use kernel::{Kernel, TaskId, Turn};
use machines::Registry;
use messages::{Exchanges, Message, Offered};
use network::Network;
use rows::Grants;

/// What a run was, apart from its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Of true time.
    pub simulated_us: u64,
    /// Calls the registry decided.
    pub calls: u64,
    pub faults: u64,
    /// Names of the grants that events carry.
    pub grants: Vec<GrantName>,
}

/// Polls, entries and readings of clocks in one simulated second, beyond which something runs in circles: a hundred times
/// what the busiest generated world takes.
const TURNS_PER_SECOND: u64 = 1_000_000;

/// Of a whole run: a plan that takes more is too large to be one.
const TURNS: u64 = 30_000_000;

/// Everything that falls due.
pub(crate) enum Due {
    Wake(Waker),
    /// A task that was spawned late may now run.
    Starts(TaskId),
    Arrives(Message<Request>),
    Answers(Message<Response>),
    Effect(Offered),
    EffectAnswers(Offered, Result<(), u64>),
    Step(usize),
    Resumes(Node, u64),
    Restarts(Node, u64, bool),
    Ghost(Process, Method),
    DiskHeals,
    /// It died in the middle of a call.
    RegistryDies,
    Calm,
    CalmEnds,
}

/// Who makes a call: a node, in one of its lives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asks {
    pub node: Node,
    pub life: u64,
}

/// Probes that call a living node dead.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Lies {
    pub until_us: u64,
    /// What was once believed may be acted on later.
    pub were_told: bool,
}

impl Lies {
    pub fn tell(&mut self, until_us: u64) {
        self.until_us = self.until_us.max(until_us);
        self.were_told = true;
    }
}

pub(crate) struct NodeState {
    pub node: Node,
    /// Moves at every crash.
    pub life: u64,
    pub is_up: bool,
    /// How often it was paused; the last pause's end is the one that counts.
    pub pauses: u64,
    pub is_paused: bool,
    pub clock: Clock,
    pub entropy: ChaCha8Rng,
    /// Bytes, over all its lives.
    pub entropy_drawn: u64,
    pub spawned: u64,
    pub calls: u64,
    /// Lies that workers believe, and that the registry does.
    pub lied_about: Lies,
    pub lied_to_registry: Lies,
    pub late_start: (u64, u64),
    /// What arrived while it was paused, in order.
    pub inbox: Vec<Due>,
}

pub(crate) struct World {
    pub seed: Seed,
    pub plan: Arc<Plan>,
    pub subject: Subject,
    pub kernel: Kernel<Due>,
    pub events: Vec<Event>,
    pub nodes: Vec<NodeState>,
    places: [u8; 256],
    pub network: Network,
    pub exchanges: Exchanges<Response>,
    pub effects: Exchanges<Result<(), u64>>,
    pub effects_sent: u64,
    effects_of: Vec<u64>,
    pub holds: Vec<messages::Held>,
    pub ledger: Vec<u64>,
    pub grants: Grants,
    pub rows: Vec<rows::RowView>,
    pub registry: Registry,
    pub workers: machines::Workers,
    pub slow_store: (u64, u64),
    pub failing_store: Option<(StoreFailure, u64)>,
    pub disk_faults: Vec<(DiskFault, u64)>,
    /// The call of which nobody knows whether it was applied; the next look at the store tells.
    pub unknown: Option<recovery::Unknown>,
    /// The reading that such a call was decided on, while it is written down.
    pub unknown_reading_ms: Option<u64>,
    /// Whose request is being decided: node and life of the client.
    pub asking: Asks,
    pub calls: u64,
    pub faults: u64,
    pub waits: u64,
    pub waiting: u64,
    pub calm: liveness::Calm,
    pub is_over: bool,
    /// Every call as it was decided, for whoever asked for it.
    pub tape: Option<Vec<Taped>>,
}

/// A call as it was decided.
#[derive(Debug, Clone)]
pub struct Taped {
    pub at_us: u64,
    /// The registry's reading.
    pub clock_ms: u64,
    /// The registry's life: it keys the entropy of its tokens.
    pub life: u64,
    pub call: Call,
    pub was_ok: bool,
}

thread_local! {
    static WORLD: RefCell<Option<Box<World>>> = const { RefCell::new(None) };
}

/// The world, for as long as `look` takes. Nothing is polled, woken or dropped in there.
pub(crate) fn with<T>(look: impl FnOnce(&mut World) -> T) -> T {
    try_with(look).expect("the world outlives what is in it")
}

/// As [`with`], for what may be dropped after the world.
pub(crate) fn try_with<T>(look: impl FnOnce(&mut World) -> T) -> Option<T> {
    // While a thread ends, its world may be gone before what is in it.
    WORLD.try_with(|world| world.try_borrow_mut().ok()?.as_deref_mut().map(look)).ok()?
}

/// The wall clock of whoever's call is being decided: what a registry must never go by.
pub fn clock_of_the_caller_ms() -> u64 {
    with(|world| {
        let node = world.asking.node;
        world.wall_ms(node)
    })
}

/// The number in a process's id.
pub(crate) fn process_of(id: &str) -> Option<u16> {
    id.strip_prefix('p')?.parse().ok()
}

/// Runs a plan to its end. The same plan gives the same events, always.
pub fn run(plan: &Arc<Plan>, subject: &Subject, witness: &mut impl Witness) -> Outcome {
    let world = World::new(Arc::clone(plan), subject.clone());
    finish(run_world(world, witness))
}

/// As [`run`], with every call in the order of decisions and the instant it was decided at.
pub fn run_taped(plan: &Arc<Plan>, subject: &Subject) -> (Outcome, Vec<Taped>) {
    let world = World { tape: Some(Vec::new()), ..World::new(Arc::clone(plan), subject.clone()) };
    let mut world = run_world(world, &mut ());
    let tape = world.tape.take().unwrap_or_default();
    (finish(world), tape)
}

fn run_world(world: World, witness: &mut impl Witness) -> Box<World> {
    let runtime = madsim::runtime::Runtime::with_seed_and_config(world.plan.seed, madsim::Config::default());
    runtime.block_on(async { run_inside(world, witness) })
}

fn run_inside(world: World, witness: &mut impl Witness) -> Box<World> {
    let plan = Arc::clone(&world.plan);
    disk::insert(Disk::new(world.seed));
    WORLD.with(|place| *place.borrow_mut() = Some(Box::new(world)));
    machines::begin(&plan);
    let mut second = 0;
    let mut virtual_us = 0;
    loop {
        let turn = with(|world| {
            world.events.drain(..).for_each(|event| witness.see(&event));
            if world.is_over {
                return Turn::Over;
            }
            let World { kernel, nodes, places, .. } = world;
            let turn = kernel.next(|machine| {
                nodes.get(usize::from(places[usize::from(machine)])).is_some_and(|node| node.is_paused)
            });
            if kernel.now_us / 1_000_000 != second {
                second = kernel.now_us / 1_000_000;
                kernel.turns = 0;
            }
            if kernel.turns > TURNS_PER_SECOND || kernel.all_turns > TURNS {
                world.note(Node::Registry, Kind::Exhausted, NO_PROCESS, GrantNo::NONE, 0, 0);
                world.is_over = true;
                return Turn::Over;
            }
            turn
        });
        match turn {
            Turn::Poll(id, task, waker) => poll(id, task, &waker),
            Turn::Due(due) => {
                let now_us = with(|world| world.kernel.now_us);
                if now_us > virtual_us {
                    // For whatever asks the machine itself: std's clocks show the same passage of time.
                    madsim::time::advance(std::time::Duration::from_micros(now_us - virtual_us));
                    virtual_us = now_us;
                }
                machines::happens(due);
            }
            Turn::Over => break,
        }
    }
    let mut world = WORLD.with(|place| place.borrow_mut().take()).expect("it was put there above");
    world.note(Node::Registry, Kind::Finished, NO_PROCESS, GrantNo::NONE, 0, 0);
    world.events.drain(..).for_each(|event| witness.see(&event));
    // After the world is out of its place: what these own looks for it when it is dropped.
    drop(world.kernel.take_all());
    world
}

fn finish(mut world: Box<World>) -> Outcome {
    Outcome {
        simulated_us: world.kernel.now_us,
        calls: world.calls,
        faults: world.faults,
        grants: std::mem::take(&mut world.grants.names),
    }
}

/// A panic of code under test ends its task, and is an event.
fn poll(id: TaskId, mut task: BoxFuture<'static, ()>, waker: &Waker) {
    let polled = catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(&mut Context::from_waker(waker))));
    match polled {
        Ok(Poll::Pending) => with(|world| world.kernel.keep(id, task)),
        ended => {
            drop(catch_unwind(AssertUnwindSafe(|| drop(task))));
            with(|world| {
                world.kernel.finish(id);
                // One that was stopped for asking the time without end is no panic of its own.
                if let Err(payload) = &ended
                    && world.kernel.turns <= TURNS_PER_SECOND
                {
                    panics::remember(payload.as_ref());
                    world.note(Node::Registry, Kind::Panicked, NO_PROCESS, GrantNo::NONE, 0, 0);
                }
            });
        }
    }
}

impl World {
    fn new(plan: Arc<Plan>, subject: Subject) -> Self {
        let seed = Seed(plan.seed);
        let mut places = [u8::MAX; 256];
        let mut nodes = Vec::new();
        for node in plan.nodes() {
            places[usize::from(node.code())] = nodes.len() as u8;
            let setting = plan.clocks.iter().find(|clock| clock.node == node);
            let (offset_ms, drift_ppm) = setting.map_or((0, 0), |clock| (clock.offset_ms, clock.drift_ppm));
            nodes.push(NodeState {
                node,
                life: 1,
                is_up: false,
                pauses: 0,
                is_paused: false,
                clock: Clock::new(offset_ms, drift_ppm),
                entropy: seed.stream(Purpose::Entropy, [u64::from(node.code()), 1]),
                entropy_drawn: 0,
                spawned: 0,
                calls: 0,
                lied_about: Lies::default(),
                lied_to_registry: Lies::default(),
                late_start: (0, 0),
                inbox: Vec::new(),
            });
        }
        let schedule = match subject.schedule {
            Some(schedule) => schedule(seed),
            None => Box::new(RandomSchedule(seed)),
        };
        Self {
            seed,
            kernel: Kernel::new(schedule),
            events: Vec::with_capacity(64),
            nodes,
            places,
            network: Network::default(),
            exchanges: Exchanges::default(),
            effects: Exchanges::default(),
            effects_sent: 0,
            effects_of: Vec::new(),
            holds: Vec::new(),
            ledger: Vec::new(),
            grants: Grants::default(),
            rows: Vec::new(),
            registry: Registry::default(),
            workers: machines::Workers::default(),
            slow_store: (0, 0),
            failing_store: None,
            disk_faults: Vec::new(),
            unknown: None,
            unknown_reading_ms: None,
            asking: Asks { node: Node::Registry, life: 0 },
            calls: 0,
            faults: 0,
            waits: 0,
            waiting: 0,
            calm: liveness::Calm::default(),
            is_over: false,
            tape: None,
            plan,
            subject,
        }
    }

    /// Whether the registry keeps its rows on its machine's disk.
    pub fn is_on_disk(&self) -> bool {
        if self.subject.is_ours() { self.plan.store == Store::Sqlite } else { self.subject.is_reopened }
    }

    pub fn node(&mut self, node: Node) -> &mut NodeState {
        &mut self.nodes[usize::from(self.places[usize::from(node.code())])]
    }

    /// A task reads a clock. One that does so without end, in a poll of its own, is stopped here: nothing else can.
    pub fn reads_clock(&mut self) -> bool {
        self.kernel.turns += 1;
        self.kernel.turns <= TURNS_PER_SECOND + 1
    }

    pub fn monotonic_us(&mut self, node: Node) -> u64 {
        let now_us = self.kernel.now_us;
        self.node(node).clock.monotonic_us(now_us)
    }

    pub fn wall_ms(&mut self, node: Node) -> u64 {
        let now_us = self.kernel.now_us;
        self.node(node).clock.wall_ms(now_us)
    }

    /// A task of the node's present life.
    pub fn spawn(&mut self, node: Node, task: BoxFuture<'static, ()>) {
        let now_us = self.kernel.now_us;
        let state = self.node(node);
        state.spawned += 1;
        let number = state.spawned;
        let (by_us, until_us) = state.late_start;
        let id = self.kernel.spawn(node.code(), number, task);
        if now_us < until_us {
            self.kernel.at(now_us + by_us, Due::Starts(id));
        } else {
            self.kernel.wake(id);
        }
    }

    /// Something was seen at a node.
    pub fn note(&mut self, node: Node, kind: Kind, process: u16, grant: GrantNo, a: u64, b: u64) {
        let clock = self.monotonic_us(node);
        let at_us = self.kernel.now_us;
        self.events.push(Event { at_us, clock, a, b, grant, process, node: node.code(), kind });
    }

    /// How many effects of the process came before.
    fn effects_sent_of(&mut self, process: u16) -> u64 {
        let place = usize::from(process);
        if self.effects_of.len() <= place {
            self.effects_of.resize(place + 1, 0);
        }
        self.effects_of[place] += 1;
        self.effects_of[place]
    }
}
