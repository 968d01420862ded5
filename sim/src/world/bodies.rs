//! What processes do when they run: bodies that follow the plan's words for their process, whoever works them. Every
//! body that begins, ends or has an effect is an event. Our own worker runs them through its engine; another's gets a
//! [`Workplace`] and runs them by [`Workplace::run`].

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fencepost::ProcessRegistry;
use fencepost::environment::Environment;
use fencepost::model::event::ProcessEventAppendRequest;
use fencepost::model::lease::{LeaseOwnerLiveness, LeaseTimings, ProcessLease};
use fencepost::model::process::{ProcessAwaitOutput, ProcessInput, ProcessRecord};
use fencepost::work::cancellation::CancellationToken;
use fencepost::work::effect::{Effect, EffectController};
use fencepost::work::engine::{Engines, InfrastructureFailure, InputKind, ProcessContext, ProcessEngine};
use fencepost::worker::{DurableProcessWorker, DurableProcessWorkerConfig};
use serde_json::json;

use crate::history::event::{BodyEnded, GrantNo, Kind, NO_PROCESS};
use crate::plan::Node;
use crate::plan::step::Body;
use crate::subject::Subject;
use crate::world::environment::NodeEnvironment;
use crate::world::messages::LedgerWire;
use crate::world::recorder::hash_of;
use crate::world::{World, process_of, try_with, with};

/// What a foreign worker is made from: the registry to call, the time and machine it lives on, and the bodies to run.
pub struct Workplace {
    pub registry: Arc<dyn ProcessRegistry>,
    pub environment: Arc<dyn Environment>,
    pub timings: LeaseTimings,
    /// Names the worker over its restarts; each attempt should be an incarnation of its own.
    pub owner_id: String,
    pub liveness: LeaseOwnerLiveness,
    /// How many bodies may run at once.
    pub bound: usize,
    /// What stands outside, and takes the effects of our own worker's bodies.
    pub effects: Arc<dyn EffectController>,
    pub(super) subject: Subject,
    pub(super) node: Node,
}

/// What a body may do. Whatever it does under a lease that is lost is seen, and held against its worker.
#[async_trait]
pub trait Means: Send + Sync {
    async fn emit(&self, request: ProcessEventAppendRequest) -> Result<(), String>;
    async fn wait_for_signal(&self, name: &str) -> Result<(), String>;
    async fn await_process(&self, process_id: &str) -> Result<(), String>;
    fn cancellation(&self) -> &CancellationToken;
}

impl Workplace {
    /// Our own worker, at this place.
    pub fn worker(self) -> DurableProcessWorker {
        let node = self.node;
        let mut engines = Engines::new();
        engines.insert(InputKind::Engine("script".into()), Arc::new(Scripted { node }));
        let mut config =
            DurableProcessWorkerConfig::new(self.registry, engines, self.environment, self.owner_id);
        config.timings = self.timings;
        config.liveness = self.liveness;
        config.max_concurrent_runs = self.bound;
        config.effects = self.effects;
        config.rules = self.subject.attempt_rules;
        DurableProcessWorker::new(config)
    }

    /// Runs the body of the process under the lease, as the plan has it. `None` when the infrastructure failed, and the
    /// process should stay claimable. Dropped, it stops where it stands.
    pub async fn run(
        &self,
        record: &ProcessRecord,
        lease: &ProcessLease,
        means: &dyn Means,
    ) -> Option<ProcessAwaitOutput> {
        let ledger = LedgerWire(self.node);
        let perform = |key: String| {
            let effect = Effect {
                process_id: lease.process_id.clone(),
                key,
                fence: lease.fencing_token,
                payload: json!(null),
            };
            let ledger = &ledger;
            async move { ledger.perform(effect).await.map(drop).map_err(|error| error.to_string()) }
        };
        run(self.node, record, lease.fencing_token, means, perform).await.ok()
    }
}

/// Runs bodies for our own worker.
pub struct Scripted {
    pub node: Node,
}

#[async_trait]
impl ProcessEngine for Scripted {
    async fn run(&self, context: ProcessContext<'_>) -> Result<ProcessAwaitOutput, InfrastructureFailure> {
        let perform = |key: String| {
            let effects = context.effects();
            async move { effects.perform(&key, json!(null)).await.map(drop).map_err(|error| error.to_string()) }
        };
        run(self.node, context.record(), context.fence(), &context, perform).await
    }
}

#[async_trait]
impl Means for ProcessContext<'_> {
    async fn emit(&self, request: ProcessEventAppendRequest) -> Result<(), String> {
        ProcessContext::emit(self, request).await.map(drop).map_err(|error| error.to_string())
    }

    async fn wait_for_signal(&self, name: &str) -> Result<(), String> {
        ProcessContext::wait_for_signal(self, name).await.map(drop).map_err(|error| error.to_string())
    }

    async fn await_process(&self, process_id: &str) -> Result<(), String> {
        ProcessContext::await_process(self, process_id).await.map(drop).map_err(|error| error.to_string())
    }

    fn cancellation(&self) -> &CancellationToken {
        ProcessContext::cancellation(self)
    }
}

/// One run of a body, however it ends.
struct Running {
    node: Node,
    process: u16,
    grant: GrantNo,
    ended: BodyEnded,
    output: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        try_with(|world| {
            let (process, grant) = (self.process, self.grant);
            world.note(self.node, Kind::BodyEnded, process, grant, self.ended as u64, self.output);
        });
    }
}

type Ended = Result<ProcessAwaitOutput, InfrastructureFailure>;

async fn run<P: Future<Output = Result<(), String>>>(
    node: Node,
    record: &ProcessRecord,
    fence: u64,
    means: &dyn Means,
    perform: impl Fn(String) -> P,
) -> Ended {
    let process = process_of(record.id()).unwrap_or(NO_PROCESS);
    let body = with(|world| world.body_of(record));
    let body = body.ok_or_else(|| InfrastructureFailure("the plan knows no such body".to_owned()))?;
    let grant = with(|world| {
        let grant = world.grant_by_fence(process, fence, node);
        world.note(node, Kind::BodyBegan, process, grant, fence, 0);
        grant
    });
    let mut running = Running { node, process, grant, ended: BodyEnded::Dropped, output: 0 };
    let output = act(body, node, process, fence, means, perform).await;
    running.ended = if output.is_ok() { BodyEnded::Output } else { BodyEnded::Broke };
    running.output = output.as_ref().map_or(0, hash_of);
    output
}

async fn act<P: Future<Output = Result<(), String>>>(
    body: Body,
    node: Node,
    process: u16,
    fence: u64,
    means: &dyn Means,
    perform: impl Fn(String) -> P,
) -> Ended {
    let environment = NodeEnvironment(node);
    let steps = async |count: u16, rest_ms: u64| {
        for number in 0..count {
            if let Err(why) = perform(number.to_string()).await {
                return refused(why);
            }
            environment.sleep(Duration::from_millis(rest_ms)).await;
        }
        Ok(ProcessAwaitOutput::Success { value: json!(fence) })
    };
    let answered = match body {
        Body::Steps { count, rest_ms } => return steps(count, rest_ms).await,
        Body::Emits { count, rest_ms } => {
            for number in 0..count {
                let request = ProcessEventAppendRequest::new("progress", json!(number));
                if let Err(why) = means.emit(request).await {
                    return refused(why);
                }
                environment.sleep(Duration::from_millis(rest_ms)).await;
            }
            Ok(())
        }
        Body::Waits => match means.wait_for_signal("go").await {
            Ok(()) => perform("after".to_owned()).await,
            Err(why) => Err(why),
        },
        Body::Awaits { child } => means.await_process(&child.to_string()).await,
        Body::UntilCancelled => {
            means.cancellation().cancelled().await;
            return Ok(ProcessAwaitOutput::Cancelled { message: "as requested".into(), raw: None });
        }
        // Not `panic!`: nobody needs to read of it on the terminal.
        Body::Panics => std::panic::resume_unwind(Box::new("the body gave up".to_owned())),
        Body::Breaks => {
            if with(|world| world.breaks(process)) {
                return Err(InfrastructureFailure("the network is down".to_owned()));
            }
            return steps(4, 300).await;
        }
    };
    match answered {
        Ok(()) => Ok(ProcessAwaitOutput::Success { value: json!(fence) }),
        Err(why) => refused(why),
    }
}

fn refused(message: String) -> Ended {
    Ok(ProcessAwaitOutput::Failure { class: "refused".into(), code: None, message, raw: None })
}

impl World {
    /// The body of the step that registered this life.
    pub fn body_of(&self, record: &ProcessRecord) -> Option<Body> {
        let ProcessInput::Engine { payload, .. } = &record.registration.input else { return None };
        let step = self.plan.steps.get(usize::try_from(payload.as_u64()?).ok()?)?;
        step.action.registers().map(|(_, body)| *body)
    }

    /// True the first time.
    fn breaks(&mut self, process: u16) -> bool {
        let is_first = !self.calm.broken.contains(&process);
        if is_first {
            self.calm.broken.push(process);
        }
        is_first
    }
}
