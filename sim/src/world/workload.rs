//! The work: bodies that do what the plan says of their process, and hosts that carry out the plan's requests. A host
//! repeats a request until it knows its outcome, as any careful caller does.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fencepost::ProcessRegistry;
use fencepost::engine::{InfrastructureFailure, ProcessContext, ProcessEngine};
use fencepost::environment::Environment;
use fencepost::error::RegistryError;
use fencepost::event::{CANCEL_REQUESTED, ProcessEventAppendRequest, ProcessEventType};
use fencepost::process::{
    AbandonRequest, ProcessAwaitOutput, ProcessIdentity, ProcessInput, ProcessOriginator, ProcessProvenance,
    ProcessRecord, ProcessRegistration, RecoveryDisposition,
};
use serde_json::json;

use super::door::hash_of;
use super::environment::NodeEnvironment;
use super::{World, process_of, try_with, with};
use crate::event::{BodyEnded, GrantNo, Kind, NO_PROCESS};
use crate::plan::{Node, Process};
use crate::step::{Action, Body};

/// Runs bodies by the step of the plan that registered them.
pub struct Scripted {
    pub node: Node,
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

#[async_trait]
impl ProcessEngine for Scripted {
    async fn run(&self, context: ProcessContext<'_>) -> Result<ProcessAwaitOutput, InfrastructureFailure> {
        let process = process_of(context.process_id()).unwrap_or(NO_PROCESS);
        let node = self.node;
        let fence = context.fence();
        let body = with(|world| world.body_of(context.record()));
        let body = body.ok_or_else(|| InfrastructureFailure("the plan knows no such body".to_owned()))?;
        let grant = with(|world| {
            let grant = world.grant_by_fence(process, fence, node);
            world.note(node, Kind::BodyBegan, process, grant, fence, 0);
            grant
        });
        let mut running = Running { node, process, grant, ended: BodyEnded::Dropped, output: 0 };
        let output = act(body, &context, node).await;
        running.ended = if output.is_ok() { BodyEnded::Output } else { BodyEnded::Broke };
        running.output = output.as_ref().map_or(0, hash_of);
        output
    }
}

async fn act(
    body: Body,
    context: &ProcessContext<'_>,
    node: Node,
) -> Result<ProcessAwaitOutput, InfrastructureFailure> {
    let environment = NodeEnvironment(node);
    let fence = context.fence();
    let done = || Ok(ProcessAwaitOutput::Success { value: json!(fence) });
    match body {
        Body::Steps { count, rest_ms } => steps(count, rest_ms, context, environment).await,
        Body::Emits { count, rest_ms } => {
            for number in 0..count {
                let request = ProcessEventAppendRequest::new("progress", json!(number));
                if let Err(error) = context.emit(request).await {
                    return refused(&error);
                }
                environment.sleep(Duration::from_millis(rest_ms)).await;
            }
            done()
        }
        Body::Waits => match context.wait_for_signal("go").await {
            Ok(_) => match context.effects().perform("after", json!(null)).await {
                Ok(_) => done(),
                Err(error) => refused(&error),
            },
            Err(error) => refused(&error),
        },
        Body::Awaits { child } => match context.await_process(&child.to_string()).await {
            Ok(_) => done(),
            Err(error) => refused(&error),
        },
        Body::UntilCancelled => {
            context.cancellation().cancelled().await;
            Ok(ProcessAwaitOutput::Cancelled { message: "as requested".into(), raw: None })
        }
        // Not `panic!`: nobody needs to read of it on the terminal.
        Body::Panics => std::panic::resume_unwind(Box::new("the body gave up".to_owned())),
        Body::Breaks => {
            let process = process_of(context.process_id()).unwrap_or(NO_PROCESS);
            if with(|world| world.breaks(process)) {
                return Err(InfrastructureFailure("the network is down".to_owned()));
            }
            steps(4, 300, context, environment).await
        }
    }
}

fn refused(error: &dyn std::fmt::Display) -> Result<ProcessAwaitOutput, InfrastructureFailure> {
    let message = error.to_string();
    Ok(ProcessAwaitOutput::Failure { class: "refused".into(), code: None, message, raw: None })
}

async fn steps(
    count: u16,
    rest_ms: u64,
    context: &ProcessContext<'_>,
    environment: NodeEnvironment,
) -> Result<ProcessAwaitOutput, InfrastructureFailure> {
    for number in 0..count {
        if let Err(error) = context.effects().perform(&number.to_string(), json!(null)).await {
            return refused(&error);
        }
        environment.sleep(Duration::from_millis(rest_ms)).await;
    }
    Ok(ProcessAwaitOutput::Success { value: json!(context.fence()) })
}

impl World {
    /// The body of the step that registered this life.
    pub fn body_of(&self, record: &ProcessRecord) -> Option<Body> {
        let ProcessInput::Engine { payload, .. } = &record.registration.input else { return None };
        match &self.plan.steps.get(usize::try_from(payload.as_u64()?).ok()?)?.action {
            Action::Register { body, .. } => Some(*body),
            _ => None,
        }
    }

    /// True the first time.
    fn breaks(&mut self, process: u16) -> bool {
        let is_first = !self.calm.broken.contains(&process);
        if is_first {
            self.calm.broken.push(process);
        }
        is_first
    }

    /// The host that speaks for a process.
    fn host_for(&self, process: u16) -> Node {
        let hosts = &self.plan.hosts.0;
        Node::Host(hosts[usize::from(process) % hosts.len()])
    }
}

/// What a host is asked to do.
pub enum Job {
    Register { step: usize, process: Process, disposition: RecoveryDisposition },
    Cancel(Process),
    Signal(Process),
    Abandon(Process),
    Await(Process),
    Prune,
}

/// Has the host of the process do it; nobody does, while that host is down.
pub fn ask(job: Job) {
    let process = match &job {
        Job::Register { process, .. }
        | Job::Cancel(process)
        | Job::Signal(process)
        | Job::Abandon(process)
        | Job::Await(process) => process.0,
        Job::Prune => 0,
    };
    let Some((node, registry, awaiter)) = with(|world| {
        let node = world.host_for(process);
        let (registry, awaiter) = world.workers.hosts.get(&node.code())?;
        Some((node, Arc::clone(registry), awaiter.clone()))
    }) else {
        return;
    };
    let environment = NodeEnvironment(node);
    let task = async move {
        if let Job::Await(process) = job {
            let wait = Wait::begin(node, process);
            let answer = awaiter.await_terminal(&process.to_string()).await;
            return wait.end(answer.as_ref().map_or(0, hash_of));
        }
        while let Err(error) = carry_out(registry.as_ref(), environment, &job).await {
            if error.is_refusal() {
                return;
            }
            environment.sleep(Duration::from_millis(100)).await;
        }
    };
    with(|world| world.spawn(node, Box::pin(task)));
}

async fn carry_out(
    registry: &dyn ProcessRegistry,
    environment: NodeEnvironment,
    job: &Job,
) -> Result<(), RegistryError> {
    match job {
        Job::Register { step, process, disposition } => {
            let registration = ProcessRegistration {
                id: process.to_string(),
                input: ProcessInput::Engine { kind: "script".into(), payload: json!(step) },
                disposition: *disposition,
                identity: ProcessIdentity { kind: "job".into(), label: None, definition: None },
                event_types: vec![ProcessEventType { name: "progress".into(), wake: None }],
                provenance: ProcessProvenance { originator: ProcessOriginator::Host, caused_by: None },
                wake_target: None,
            };
            registry.register_process(registration).await.map(drop)
        }
        Job::Cancel(process) => {
            let request = ProcessEventAppendRequest::new(CANCEL_REQUESTED, json!(null)).with_replay("cancel");
            registry.append_event(&process.to_string(), request).await.map(drop)
        }
        Job::Signal(process) => {
            let request = ProcessEventAppendRequest::new("signal.go", json!(null));
            registry.append_event(&process.to_string(), request).await.map(drop)
        }
        Job::Abandon(process) => {
            let requested_at_ms = environment.now_epoch_ms();
            let request = AbandonRequest { requested_by: "host".into(), requested_at_ms, reason: None };
            registry.request_process_abandon(&process.to_string(), request).await.map(drop)
        }
        Job::Prune => registry.prune_terminal_processes(u64::MAX).await.map(drop),
        Job::Await(_) => Ok(()),
    }
}

/// One wait of a host, however it ends.
struct Wait {
    node: Node,
    process: Process,
    number: u64,
}

impl Wait {
    fn begin(node: Node, process: Process) -> Self {
        with(|world| {
            world.waits += 1;
            world.waiting += 1;
            let number = world.waits;
            world.note(node, Kind::WaitBegan, process.0, GrantNo::NONE, 0, number);
            Self { node, process, number }
        })
    }

    fn end(self, outcome: u64) {
        with(|world| {
            world.note(self.node, Kind::WaitEnded, self.process.0, GrantNo::NONE, outcome, self.number);
        });
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        try_with(|world| world.waiting -= 1);
    }
}
