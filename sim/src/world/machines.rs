//! The machines: the registry's server, workers and hosts, each in one life after another. They run the production worker,
//! driver, awaiter and remote registry, unchanged. What falls due happens to them here.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use fencepost::ProcessRegistry;
use fencepost::awaiter::ProcessAwaiter;
use fencepost::driver::{ProcessAttach, ProcessWorkDriver};
use fencepost::environment::{BoxFuture, Environment};
use fencepost::model::error::RegistryError;
use fencepost::model::lease::{LeaseTimings, ProcessLeaseClaimOutcome};
use fencepost::model::process::{DurabilityTier, ProcessAwaitOutput};
use fencepost::model::row::Tenure;
use fencepost::registry::calls::{Call, Dispatch, Facade, Reply, Submit};
use fencepost::registry::change_hub::ProcessChangeHub;
use fencepost::registry::inline::Inline;
use fencepost::registry::remote::{RegistryServer, RemoteClient, RemoteOptions};
use fencepost::store::{Access, MemoryStore, Rows, SqliteOptions, SqliteStore, Store as _};
use fencepost::worker::DurableProcessWorker;

use crate::disk;
use crate::history::event::{GrantNo, Kind, NO_PROCESS, crash, refusal};
use crate::plan::chance::{Purpose, below};
use crate::plan::step::Span;
use crate::plan::{Node, Plan, Store};
use crate::subject::{Core, Protocol};
use crate::support::panics;
use crate::world::bodies::Workplace;
use crate::world::environment::{NodeEnvironment, liveness};
use crate::world::messages::{LedgerWire, Message, Wire};
use crate::world::recorder::{Door, kind_of, presented_by, process_in, refusal_of};
use crate::world::{Due, World, liveness, recovery, registry_waits, stale_calls, steps, with};

/// How long a trait call of a worker or host waits for its answer.
pub const CALL_DEADLINE_MS: u64 = 2_000;
const RESEND_AFTER_MS: u64 = 250;

#[derive(Default)]
pub struct Registry {
    /// Kept through crashes of the node, when its rows are beside it; opened again, when they are on its disk.
    core: Option<Core>,
    server: Option<Arc<RegistryServer<Door>>>,
    /// Ours in memory, for whoever must touch its rows.
    memory: Option<Arc<Inline<MemoryStore>>>,
    /// Whoever waits beside it.
    home_waits: Option<Arc<dyn ProcessAttach>>,
    /// How long it stays away when it dies.
    pub dies_for: Option<Span>,
    pub crash: disk::Crash,
    was_opened: bool,
}

impl Registry {
    pub fn core(&self) -> Option<Core> {
        self.core.clone()
    }

    pub fn home_waits(&self) -> Option<Arc<dyn ProcessAttach>> {
        self.server.as_ref().and(self.home_waits.clone())
    }
}

/// What stands on workers and hosts while they are up, by node.
#[derive(Default)]
pub struct Workers {
    /// The driver, and the worker itself if it is ours.
    pub workers: BTreeMap<u8, (Option<DurableProcessWorker>, ProcessWorkDriver)>,
    pub hosts: BTreeMap<u8, Host>,
}

/// A host's registry, and its waits.
type Host = (Arc<dyn ProcessRegistry>, Arc<dyn ProcessAttach>);

/// Brings the machines up and puts the plan on the agenda.
pub fn begin(plan: &Plan) {
    for node in plan.nodes() {
        start(node, false);
    }
    with(|world| {
        for (number, step) in plan.steps.iter().enumerate() {
            world.kernel.at(step.at_ms * 1_000, Due::Step(number));
        }
        world.kernel.at(plan.horizon_ms * 1_000, Due::Calm);
    });
}

/// Brings a node up, in its present life.
pub fn start(node: Node, renamed: bool) {
    with(|world| world.node(node).is_up = true);
    match node {
        Node::Registry => start_registry(),
        Node::Worker(_) => start_worker(node, renamed),
        Node::Host(_) => start_host(node),
        Node::Ledger => {}
    }
}

/// Between attempts to open a store that cannot be opened.
const REOPEN_AFTER_US: u64 = 50_000;

fn start_registry() {
    let kept = with(|world| world.registry.core.clone());
    let opened = match kept {
        Some(core) => touch_memory().map(|()| core),
        None => open().map(|core| {
            let (plan, subject) = with(|world| (Arc::clone(&world.plan), world.subject.clone()));
            // Beside another's registry an end can be seen before it is written down.
            if !plan.has_waits_at_registry() || !subject.is_ours() {
                return core;
            }
            let (core, waits) = registry_waits::watched(core, &subject);
            with(|world| world.registry.home_waits = Some(waits));
            core
        }),
    };
    let core = match opened {
        Ok(core) => core,
        // Died again on the way, or the disk fails: it is tried until it succeeds.
        Err(_) => {
            return with(|world| {
                let is_sound = disk::with(|disk| {
                    let of = disk.died();
                    let is_sound = of.is_none() && !disk.is_in_trouble();
                    disk.crash(of.unwrap_or_default());
                    is_sound
                });
                if is_sound == Some(true) {
                    world.cannot_be_read();
                }
                world.node(Node::Registry).is_up = false;
                let (life, at_us) = (world.node(Node::Registry).life, world.kernel.now_us + REOPEN_AFTER_US);
                world.kernel.at(at_us, Due::Restarts(Node::Registry, life, false));
            });
        }
    };
    let is_looked_at = with(|world| {
        world.registry.core = Some(Arc::clone(&core));
        let was_opened = std::mem::replace(&mut world.registry.was_opened, true);
        was_opened && world.is_on_disk()
    });
    handle(Box::pin(async move {
        if is_looked_at {
            recovery::look_back(core.as_ref()).await;
        }
        let server = RegistryServer::new(Door(core), &NodeEnvironment(Node::Registry));
        with(|world| world.registry.server = Some(Arc::new(server)));
    }));
}

/// What a planted bug does to rows that outlived the registry's node.
fn touch_memory() -> Result<(), RegistryError> {
    let (memory, touch) = with(|world| (world.registry.memory.clone(), world.subject.store.when_opened));
    let (Some(memory), Some(touch)) = (memory, touch) else { return Ok(()) };
    let now_ms = NodeEnvironment(Node::Registry).now_epoch_ms();
    memory.with(|registry| registry.store().atomically(Access::Write, |rows| touch(rows, now_ms)))
}

/// The file of our own store on the simulated disk.
const FILE: &str = "/registry.db";

fn open() -> Result<Core, RegistryError> {
    let environment: Arc<dyn Environment> = Arc::new(NodeEnvironment(Node::Registry));
    let (plan, subject) = with(|world| (Arc::clone(&world.plan), world.subject.clone()));
    if let Some(opens) = &subject.opens {
        return Ok(Arc::new(Dispatch(opens(environment)?)));
    }
    let habits = subject.store;
    let is_first = !with(|world| world.registry.was_opened);
    let now_ms = environment.now_epoch_ms();
    let preset = |rows: &mut dyn Rows| {
        if let (true, Some(left)) = (is_first, plan.fences_left) {
            let tenure = Tenure { lease: None, highest_fence: u64::MAX - left };
            for (process, _) in plan.bodies() {
                rows.put_tenure(&process.to_string(), &tenure)?;
            }
        }
        habits.when_opened.map_or(Ok(()), |touch| touch(rows, now_ms))
    };
    let registry = |environment| (subject.rules, environment);
    let core: Core = match plan.store {
        Store::Memory => {
            let mut store = MemoryStore::new();
            store.atomically(Access::Write, preset)?;
            let (rules, environment) = registry(Arc::clone(&environment));
            let inline = fencepost::Registry::new(store, environment).with_rules(rules).inline().0;
            let inline = Arc::new(inline);
            with(|world| world.registry.memory = Some(Arc::clone(&inline)));
            inline
        }
        Store::Sqlite => {
            let tuning = habits.tuning.iter().map(|statement| (*statement).to_owned()).collect();
            let options =
                SqliteOptions { vfs: Some(disk::VFS.to_owned()), tuning, ..SqliteOptions::default() };
            disk::with(|disk| disk.opens_without_sync = !habits.syncs_what_it_recovered);
            let store = SqliteStore::open(FILE, options);
            disk::with(|disk| disk.opens_without_sync = false);
            let mut store = store?;
            if is_first || habits.when_opened.is_some() {
                store.atomically(Access::Write, preset)?;
            }
            let (rules, environment) = registry(Arc::clone(&environment));
            Arc::new(fencepost::Registry::new(store, environment).with_rules(rules).inline().0)
        }
    };
    Ok(match subject.wraps {
        Some(wraps) => wraps(core, environment),
        None => core,
    })
}

fn client(node: Node) -> RemoteClient<Wire> {
    let options = RemoteOptions {
        resend_after: Duration::from_millis(RESEND_AFTER_MS),
        call_deadline: Duration::from_millis(CALL_DEADLINE_MS),
        ..RemoteOptions::default()
    };
    RemoteClient::new(Wire(node), Arc::new(NodeEnvironment(node)), options)
}

fn start_worker(node: Node, renamed: bool) {
    let environment: Arc<dyn Environment> = Arc::new(NodeEnvironment(node));
    let seen = Seen { node, client: client(node) };
    let (plan, subject, life) =
        with(|world| (Arc::clone(&world.plan), world.subject.clone(), world.node(node).life));
    let registry: Arc<dyn ProcessRegistry> = match subject.protocol {
        Protocol::Fenced => Arc::new(Facade(seen)),
        Protocol::RenewThenWrite => Arc::new(Facade(RenewThenWrite(seen))),
    };
    let timings = LeaseTimings::new(plan.ttl_ms, plan.renew_ms).expect("plans are checked before they run");
    let owner_id = if renamed { format!("{node}.{life}") } else { node.to_string() };
    let workplace = Workplace {
        registry: Arc::clone(&registry),
        environment: Arc::clone(&environment),
        timings,
        owner_id,
        liveness: liveness(node, life),
        bound: usize::from(plan.bound),
        effects: Arc::new(LedgerWire(node)),
        subject: subject.clone(),
        node,
    };
    let (worker, driver) = match &subject.works {
        Some(works) => (None, ProcessWorkDriver::new(registry, works(workplace))),
        None => {
            let worker = workplace.worker();
            (Some(worker.clone()), ProcessWorkDriver::inline(registry, worker))
        }
    };
    let every_us = plan.sweep_ms * 1_000;
    let first_us = with(|world| {
        world.workers.workers.insert(node.code(), (worker, driver.clone()));
        below(world.seed.draw(Purpose::Sweep, [u64::from(node.code()), life]), every_us)
    });
    let sweeping = async move {
        environment.sleep(Duration::from_micros(first_us)).await;
        loop {
            // A list that failed is tried again next time.
            drop(driver.claim_and_run_pending("the period is over").await);
            environment.sleep(Duration::from_micros(every_us)).await;
        }
    };
    with(|world| world.spawn(node, Box::pin(sweeping)));
}

/// Our own waits.
pub struct Awaits(pub ProcessAwaiter);

#[async_trait]
impl ProcessAttach for Awaits {
    async fn await_terminal(&self, process_id: &str) -> Result<ProcessAwaitOutput, RegistryError> {
        self.0.await_terminal(process_id).await
    }
}

fn start_host(node: Node) {
    let registry: Arc<dyn ProcessRegistry> = Arc::new(client(node).registry());
    let environment: Arc<dyn Environment> = Arc::new(NodeEnvironment(node));
    let waits: Arc<dyn ProcessAttach> = match with(|world| world.subject.waits.clone()) {
        Some(waits) => waits(Arc::clone(&registry), environment),
        None => {
            Arc::new(Awaits(ProcessAwaiter::new(Arc::clone(&registry), ProcessChangeHub::new(), environment)))
        }
    };
    with(|world| world.workers.hosts.insert(node.code(), (registry, waits)));
}

/// The node dies where it stands. What it had in memory is gone; what it had sent may yet arrive.
pub fn crash(node: Node) {
    let bits = if node == Node::Registry { with(World::crash_disk) } else { 0 };
    let remains = with(|world| {
        let tasks = world.kernel.take_tasks_of(node.code());
        let worker = world.workers.workers.remove(&node.code());
        let host = world.workers.hosts.remove(&node.code());
        let mut registry = (None, None, None);
        if node == Node::Registry {
            registry.0 = world.registry.server.take();
            if world.is_on_disk() {
                registry.1 = world.registry.core.take();
                registry.2 = world.registry.home_waits.take();
            }
        }
        let seed = world.seed;
        let state = world.node(node);
        state.is_up = false;
        state.is_paused = false;
        state.life += 1;
        state.spawned = 0;
        state.calls = 0;
        state.entropy = seed.stream(Purpose::Entropy, [u64::from(node.code()), state.life]);
        let inbox = std::mem::take(&mut state.inbox);
        let life = state.life;
        world.note(node, Kind::Crashed, NO_PROCESS, GrantNo::NONE, life, bits);
        (tasks, worker, host, registry, inbox)
    });
    drop(catch_unwind(AssertUnwindSafe(|| drop(remains))));
    if node == Node::Registry {
        // Only now: what the dead leave behind is no longer theirs to tidy up.
        let of = with(|world| std::mem::replace(&mut world.registry.crash, disk::Crash::Process));
        disk::with(|disk| disk.crash(of));
    }
}

pub fn restart(node: Node, life: u64, renamed: bool) {
    let is_due = with(|world| {
        let state = world.node(node);
        !state.is_up && state.life == life
    });
    if is_due {
        with(|world| world.note(node, Kind::Restarted, NO_PROCESS, GrantNo::NONE, life, 0));
        start(node, renamed);
    }
}

pub fn resume(node: Node, pause: u64) {
    let inbox = with(|world| {
        let state = world.node(node);
        if !state.is_paused || state.pauses != pause {
            return Vec::new();
        }
        state.is_paused = false;
        let inbox = std::mem::take(&mut state.inbox);
        world.note(node, Kind::Resumed, NO_PROCESS, GrantNo::NONE, 0, 0);
        inbox
    });
    inbox.into_iter().for_each(happens);
}

/// What fell due happens.
pub fn happens(due: Due) {
    match due {
        Due::Wake(waker) => waker.wake(),
        Due::Starts(task) => with(|world| world.kernel.wake(task)),
        Due::Arrives(message) => arrives(message),
        Due::Answers(message) => {
            let waker = with(|world| {
                let state = world.node(message.from);
                if state.is_paused {
                    state.inbox.push(Due::Answers(message));
                    return None;
                }
                world.exchanges.answer(message.exchange, message.content)
            });
            waker.into_iter().for_each(Waker::wake);
        }
        Due::Effect(offered) => with(|world| world.take_effect(offered)),
        Due::EffectAnswers(offered, answer) => {
            let waker = with(|world| {
                let state = world.node(offered.node);
                if state.is_paused {
                    state.inbox.push(Due::EffectAnswers(offered, answer));
                    return None;
                }
                world.effects.answer(offered.exchange, answer)
            });
            waker.into_iter().for_each(Waker::wake);
        }
        Due::Step(number) => steps::take(number),
        Due::Resumes(node, pause) => resume(node, pause),
        Due::Restarts(node, life, renamed) => restart(node, life, renamed),
        Due::Ghost(..) if with(|world| world.calm.has_begun()) => {}
        Due::Ghost(process, method) => stale_calls::appears(process, method),
        Due::DiskHeals => with(World::trouble_disk),
        Due::RegistryDies => {
            if let Some(of) = disk::with(|disk| disk.died()).flatten() {
                steps::registry_dies(of);
            }
        }
        Due::Calm => liveness::look(),
        Due::CalmEnds => liveness::end(),
    }
}

/// A request reaches the registry's node: the server answers it on the spot, unless the store takes its time.
fn arrives(message: Message<fencepost::registry::remote::Request>) {
    let server = with(|world| {
        let registry = world.node(Node::Registry);
        if registry.is_paused {
            return Err(Some(message));
        }
        let is_lost = !registry.is_up || !world.survives(&message);
        if is_lost {
            world.note_lost(message.from, &message.content, 0);
            return Err(None);
        }
        let server_life = world.registry.server.as_ref().map(|server| server.life().to_owned());
        world.note_copies(&message, server_life.as_deref());
        world.asking = crate::world::Asks { node: message.from, life: message.life };
        match &world.registry.server {
            Some(server) => Ok((Arc::clone(server), message)),
            None => Err(None),
        }
    });
    let (server, message) = match server {
        Ok(found) => found,
        Err(Some(message)) => {
            return with(|world| world.node(Node::Registry).inbox.push(Due::Arrives(message)));
        }
        Err(None) => return,
    };
    let Message { from, life, exchange, content, .. } = message;
    handle(Box::pin(async move {
        if let Some(answer) = server.handle(content).await {
            with(|world| world.send_answer(from, life, exchange, answer));
        }
    }));
}

/// Work of the registry's node begins at once, without a task of its own; what must wait becomes one.
pub fn handle(mut handling: BoxFuture<'static, ()>) {
    let first =
        catch_unwind(AssertUnwindSafe(|| handling.as_mut().poll(&mut Context::from_waker(Waker::noop()))));
    match first {
        Ok(Poll::Ready(())) => {}
        Ok(Poll::Pending) => with(|world| world.spawn(Node::Registry, handling)),
        Err(payload) => {
            panics::remember(payload.as_ref());
            with(|world| world.note(Node::Registry, Kind::Panicked, NO_PROCESS, GrantNo::NONE, 0, 0));
        }
    }
}

impl World {
    /// What the registry's disk loses, as bits of [`crate::history::event::crash`].
    fn crash_disk(&mut self) -> u64 {
        if !self.is_on_disk() {
            return 0;
        }
        let of = self.registry.crash;
        let unsynced = disk::with(|disk| {
            disk.kill(of);
            disk.has_unsynced()
        });
        let of_machine = if of == disk::Crash::Machine { crash::OF_THE_MACHINE } else { 0 };
        of_machine | if unsynced == Some(true) { crash::WITH_UNSYNCED_PAGES } else { 0 }
    }

    /// What marks must know of a request that arrives, beside what is decided on it.
    fn note_copies(
        &mut self,
        message: &Message<fencepost::registry::remote::Request>,
        server_life: Option<&str>,
    ) {
        let fencepost::registry::remote::Request::Submit { seat, call, .. } = &message.content else {
            return;
        };
        let process = process_in(call);
        if message.is_copy {
            let age_us = self.kernel.now_us - message.sent_us;
            self.note(message.from, Kind::Repeated, process, GrantNo::NONE, 0, age_us);
        }
        if server_life != Some(seat.server_life.as_str()) {
            self.note(message.from, Kind::FromEarlierLife, process, GrantNo::NONE, 0, 0);
        }
    }
}

/// A worker's calls, as its node sees them: begun, and answered.
struct Seen {
    node: Node,
    client: RemoteClient<Wire>,
}

#[async_trait]
impl Submit for Seen {
    async fn submit(&self, call: Call) -> Result<Reply, RegistryError> {
        let kind = kind_of(&call);
        let process = process_in(&call);
        let (number, grant) = with(|world| world.call_begins(self.node, process, &call));
        let answer = self.client.submit(call).await;
        with(|world| {
            let code = match &answer {
                Ok(Reply::Claim(ProcessLeaseClaimOutcome::Busy { .. })) => refusal::BUSY,
                Ok(_) => refusal::NONE,
                Err(error) => refusal_of(error),
            };
            let grant = match &answer {
                Ok(Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease))) => {
                    world.grants.of_lease(process, lease)
                }
                _ => grant,
            };
            world.note(self.node, Kind::Heard, process, grant, code | (kind as u64) << 8, number);
        });
        answer
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.client.durability_tier()
    }
}

impl World {
    fn call_begins(&mut self, node: Node, process: u16, call: &Call) -> (u64, GrantNo) {
        let grant = match (presented_by(call), call) {
            (Some(lease), _) => self.grants.of_lease(process, lease),
            (None, Call::CompleteProcessLease { completion }) => {
                self.grants.of_token(process, &completion.lease_token)
            }
            _ => GrantNo::NONE,
        };
        let state = self.node(node);
        state.calls += 1;
        let number = state.calls;
        self.note(node, Kind::Sent, process, grant, kind_of(call) as u64, number);
        (number, grant)
    }
}

/// The protocol of 31 methods: each fenced write is a renewal, believed, and then an unfenced write.
struct RenewThenWrite(Seen);

#[async_trait]
impl Submit for RenewThenWrite {
    async fn submit(&self, call: Call) -> Result<Reply, RegistryError> {
        let Some(lease) = presented_by(&call).cloned() else {
            return self.0.submit(call).await;
        };
        let process_id = lease.process_id.clone();
        let unfenced = match call {
            Call::CompleteProcessWithLease { await_output, .. } => {
                Call::CompleteProcess { process_id, await_output }
            }
            Call::AppendEventWithLease { request, .. } => Call::AppendEvent { process_id, request },
            Call::SetProcessWaitWithLease { wait, .. } => Call::SetProcessWait { process_id, wait },
            Call::ClearProcessWaitWithLease { .. } => Call::ClearProcessWait { process_id },
            // The registry itself looks at the lease of a first start.
            other => return self.0.submit(other).await,
        };
        self.0.submit(Call::RenewProcessLease { lease, lease_ttl_ms: 1 }).await?;
        self.0.submit(unfenced).await
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.0.durability_tier()
    }
}
