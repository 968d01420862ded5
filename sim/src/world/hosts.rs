//! Hosts carry out the plan's requests, and repeat each until they know its outcome, as any careful caller does.

use std::sync::Arc;
use std::time::Duration;

use fencepost::ProcessRegistry;
use fencepost::awaiter::ProcessAwaiter;
use fencepost::driver::ProcessAttach;
use fencepost::environment::Environment;
use fencepost::model::error::RegistryError;
use fencepost::model::event::{
    CANCEL_REQUESTED, ProcessEventAppendRequest, ProcessEventType, ProcessWakeInput, ProcessWakeSpec,
};
use fencepost::model::handle::ProcessHandleDescriptor;
use fencepost::model::process::{
    AbandonRequest, ProcessIdentity, ProcessInput, ProcessOriginator, ProcessProvenance, ProcessRegistration,
    RecoveryDisposition,
};
use fencepost::registry::calls::dispatch;
use fencepost::registry::change_hub::ProcessChangeHub;
use serde_json::json;

use crate::plan::host_call::HostCall;
use crate::plan::step::Scope;
use crate::plan::{Node, Process};
use crate::world::environment::NodeEnvironment;
use crate::world::host_calls::{call_with, scope};
use crate::world::messages::remote_client;
use crate::world::state::services::HostService;
use crate::world::state::with;
use crate::world::waits::{OurWaits, wait};

/// Starts a host in its node's present life.
pub fn start(node: Node) {
    let registry: Arc<dyn ProcessRegistry> = Arc::new(remote_client(node).registry());
    let environment: Arc<dyn Environment> = Arc::new(NodeEnvironment(node));
    let waits: Arc<dyn ProcessAttach> = match with(|world| world.subject.make_waits.clone()) {
        Some(make_waits) => make_waits(Arc::clone(&registry), environment),
        None => {
            let awaiter = ProcessAwaiter::new(Arc::clone(&registry), ProcessChangeHub::new(), environment);
            Arc::new(OurWaits(awaiter))
        }
    };
    with(|world| world.services.hosts.insert(node.code(), HostService { registry, waits }));
}

/// A request that a host carries out.
pub enum Job {
    Register { step: usize, process: Process, disposition: RecoveryDisposition },
    Cancel(Process),
    Signal(Process),
    Abandon(Process),
    Await(Process),
    Prune,
    GrantHandle(Process, Scope),
    TransferHandles { processes: Vec<Process>, from: Scope, to: Scope },
    Wakes(Process),
    Ask { call: HostCall, process: Process, number: u64 },
}

/// Asks the process's host. While that host is down, nobody carries the job out.
pub fn ask(job: Job) {
    let process = match &job {
        Job::Register { process, .. }
        | Job::Cancel(process)
        | Job::Signal(process)
        | Job::Abandon(process)
        | Job::Await(process)
        | Job::GrantHandle(process, _)
        | Job::Wakes(process)
        | Job::Ask { process, .. } => process.0,
        Job::TransferHandles { processes, .. } => processes.first().map_or(0, |process| process.0),
        Job::Prune => 0,
    };
    let (node, host) = with(|world| {
        let node = world.host_for(process);
        (node, world.services.hosts.get(&node.code()).cloned())
    });
    let Some(HostService { registry, waits }) = host else { return };
    let environment = NodeEnvironment(node);
    let task = async move {
        if let Job::Await(process) = job {
            return wait(node, process, waits.as_ref()).await;
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
                event_types: vec![ProcessEventType { name: "progress".into(), wake: wake_of(*process) }],
                provenance: ProcessProvenance { originator: ProcessOriginator::Host, caused_by: None },
                wake_target: wakes(*process).then(|| scope(Scope(1))),
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
        Job::GrantHandle(process, to) => {
            let descriptor = ProcessHandleDescriptor { kind: "watch".into(), label: None };
            registry.grant_handle(&scope(*to), &process.to_string(), descriptor).await.map(drop)
        }
        Job::TransferHandles { processes, from, to } => {
            let ids: Vec<String> = processes.iter().map(Process::to_string).collect();
            registry.transfer_handle_grants(&scope(*from), &scope(*to), &ids).await
        }
        Job::Wakes(process) => {
            let id = process.to_string();
            for event in registry.wake_events_after(&id, 0).await? {
                registry.ack_wake(&id, event.sequence).await?;
                // A caller that was told twice acks twice.
                registry.ack_wake(&id, event.sequence).await?;
            }
            Ok(())
        }
        Job::Ask { call, process, number } => {
            let call = call_with(*call, *process, *number, environment.now_epoch_ms());
            dispatch(registry, &call).await.map(drop)
        }
        Job::Await(_) => Ok(()),
    }
}

/// True if the progress of the process wakes a target: of every second process.
fn wakes(process: Process) -> bool {
    process.0.is_multiple_of(2)
}

fn wake_of(process: Process) -> Option<ProcessWakeSpec> {
    wakes(process).then_some(ProcessWakeSpec { when: None, input: ProcessWakeInput::Payload })
}
