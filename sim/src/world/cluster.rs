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
use fencepost::call::{Call, Dispatch, Facade, Reply, Submit};
use fencepost::driver::ProcessWorkDriver;
use fencepost::engine::{Engines, InputKind};
use fencepost::environment::{BoxFuture, Environment};
use fencepost::error::RegistryError;
use fencepost::hub::ProcessChangeHub;
use fencepost::lease::{LeaseTimings, ProcessLeaseClaimOutcome};
use fencepost::process::DurabilityTier;
use fencepost::remote::{RegistryServer, RemoteClient, RemoteOptions};
use fencepost::store::MemoryStore;
use fencepost::worker::{DurableProcessWorker, DurableProcessWorkerConfig};

use super::door::{Core, Door, kind_of, presented_by, process_in, refusal_of};
use super::environment::{NodeEnvironment, liveness};
use super::wire::{LedgerWire, Message, Wire};
use super::workload::Scripted;
use super::{Due, World, calm, nemesis, with};
use crate::event::{GrantNo, Kind, NO_PROCESS, refusal};
use crate::plan::{Node, Plan};
use crate::seed::{Purpose, below};
use crate::subject::Protocol;

/// How long a trait call of a worker or host waits for its answer.
pub const CALL_DEADLINE_MS: u64 = 2_000;
const RESEND_AFTER_MS: u64 = 250;

#[derive(Default)]
pub struct Registry {
    core: Option<Core>,
    server: Option<Arc<RegistryServer<Door>>>,
}

/// What stands on workers and hosts while they are up, by node.
#[derive(Default)]
pub struct Workers {
    pub workers: BTreeMap<u8, (DurableProcessWorker, ProcessWorkDriver)>,
    pub hosts: BTreeMap<u8, (Arc<dyn ProcessRegistry>, ProcessAwaiter)>,
}

/// Brings the machines up and puts the plan on the agenda.
pub fn begin(plan: &Plan) {
    let environment: Arc<dyn Environment> = Arc::new(NodeEnvironment(Node::Registry));
    let rules = with(|world| world.subject.rules);
    let core: Core = match with(|world| world.subject.opens.clone()) {
        None => {
            Arc::new(fencepost::Registry::new(MemoryStore::new(), environment).with_rules(rules).inline().0)
        }
        Some(opens) => Arc::new(Dispatch(opens(environment))),
    };
    with(|world| world.registry.core = Some(core));
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
        Node::Registry => {
            let core =
                with(|world| world.registry.core.clone()).expect("the rows are there from the beginning");
            let server = RegistryServer::new(Door(core), &NodeEnvironment(Node::Registry));
            with(|world| world.registry.server = Some(Arc::new(server)));
        }
        Node::Worker(_) => start_worker(node, renamed),
        Node::Host(_) => start_host(node),
        Node::Ledger => {}
    }
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
    let mut engines = Engines::new();
    engines.insert(InputKind::Engine("script".into()), Arc::new(Scripted { node }));
    let owner_id = if renamed { format!("{node}.{life}") } else { node.to_string() };
    let mut config =
        DurableProcessWorkerConfig::new(Arc::clone(&registry), engines, Arc::clone(&environment), owner_id);
    config.timings =
        LeaseTimings::new(plan.ttl_ms, plan.renew_ms).expect("plans are checked before they run");
    config.liveness = liveness(node, life);
    config.max_concurrent_runs = usize::from(plan.bound);
    config.effects = Arc::new(LedgerWire(node));
    config.rules = subject.attempt_rules;
    let worker = DurableProcessWorker::new(config);
    let driver = ProcessWorkDriver::inline(registry, worker.clone());
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

fn start_host(node: Node) {
    let registry: Arc<dyn ProcessRegistry> = Arc::new(client(node).registry());
    let environment = Arc::new(NodeEnvironment(node));
    let awaiter = ProcessAwaiter::new(Arc::clone(&registry), ProcessChangeHub::new(), environment);
    with(|world| world.workers.hosts.insert(node.code(), (registry, awaiter)));
}

/// The node dies where it stands. What it had in memory is gone; what it had sent may yet arrive.
pub fn crash(node: Node) {
    let remains = with(|world| {
        let tasks = world.kernel.take_tasks_of(node.code());
        let worker = world.workers.workers.remove(&node.code());
        let host = world.workers.hosts.remove(&node.code());
        let server = if node == Node::Registry { world.registry.server.take() } else { None };
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
        world.note(node, Kind::Crashed, NO_PROCESS, GrantNo::NONE, life, 0);
        (tasks, worker, host, server, inbox)
    });
    drop(catch_unwind(AssertUnwindSafe(|| drop(remains))));
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
        Due::Step(number) => nemesis::take(number),
        Due::Resumes(node, pause) => resume(node, pause),
        Due::Restarts(node, life, renamed) => restart(node, life, renamed),
        Due::Calm => calm::look(),
        Due::CalmEnds => calm::end(),
    }
}

/// A request reaches the registry's node: the server answers it on the spot, unless the store takes its time.
fn arrives(message: Message<fencepost::remote::Request>) {
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
        world.asking = super::Asks { node: message.from, life: message.life };
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
    let mut handling: BoxFuture<'static, ()> = Box::pin(async move {
        if let Some(answer) = server.handle(content).await {
            with(|world| world.send_answer(from, life, exchange, answer));
        }
    });
    let first =
        catch_unwind(AssertUnwindSafe(|| handling.as_mut().poll(&mut Context::from_waker(Waker::noop()))));
    match first {
        Ok(Poll::Ready(())) => {}
        Ok(Poll::Pending) => with(|world| world.spawn(Node::Registry, handling)),
        Err(_) => with(|world| world.note(Node::Registry, Kind::Panicked, NO_PROCESS, GrantNo::NONE, 0, 0)),
    }
}

impl World {
    /// What marks must know of a request that arrives, beside what is decided on it.
    fn note_copies(&mut self, message: &Message<fencepost::remote::Request>, server_life: Option<&str>) {
        let fencepost::remote::Request::Submit { seat, call, .. } = &message.content else { return };
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
