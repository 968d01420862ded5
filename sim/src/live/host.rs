//! A host of a live run: it registers processes, waits for them, and signals, cancels and abandons, as the workload says. A
//! request is repeated until its outcome is known; a host that was restarted carries its requests out again.

use std::sync::Arc;
use std::time::Duration;

use fencepost::awaiter::ProcessAwaiter;
use fencepost::environment::Environment;
use fencepost::model::event::{CANCEL_REQUESTED, ProcessEventAppendRequest, ProcessEventType};
use fencepost::model::process::{
    AbandonRequest, ProcessIdentity, ProcessInput, ProcessOriginator, ProcessProvenance, ProcessRegistration,
};
use fencepost::registry::calls::Facade;
use fencepost::registry::change_hub::ProcessChangeHub;
use fencepost::{ProcessRegistry, RegistryError};
use serde_json::json;

use crate::live::fleet;
use crate::live::host_request::{HostAsking, HostRequest};
use crate::live::journal::{Journal, JournalEntry};
use crate::live::live_error::LiveError;
use crate::live::machine::WatchedMachine;
use crate::live::machine_clock::now_ns;
use crate::live::settings::ChildSeat;
use crate::live::store_door;
use crate::plan::Node;
use crate::planted;
use crate::world::hash_of;

pub fn run(seat: &ChildSeat) -> Result<(), LiveError> {
    fleet::end_with_parent().map_err(LiveError::Machine)?;
    let journal = Arc::new(Journal::open(&seat.journal())?);
    journal.note(JournalEntry::Began { pid: std::process::id() });
    fleet::note_panics(&journal);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(LiveError::Machine)?.block_on(ask_everything(seat, journal))
}

#[derive(Clone)]
struct LiveHost {
    registry: Arc<dyn ProcessRegistry>,
    environment: Arc<dyn Environment>,
    journal: Arc<Journal>,
    node: Node,
    life: u64,
}

async fn ask_everything(seat: &ChildSeat, journal: Arc<Journal>) -> Result<(), LiveError> {
    let ChildSeat { node, life, settings } = seat;
    let (subject, defect) = planted::live::plant(settings.planted.as_deref(), settings.wall_skew_ms);
    let machine = WatchedMachine::new(settings.machine_skew_ms(defect)).map_err(LiveError::Machine)?;
    let environment: Arc<dyn Environment> = Arc::new(machine);
    let registry = fleet::patiently(&environment, || {
        store_door::open(&settings.place, &journal, Arc::clone(&environment), &subject, defect)
    })
    .await;
    let registry: Arc<dyn ProcessRegistry> = Arc::new(Facade(registry));
    let host =
        LiveHost { registry, environment: Arc::clone(&environment), journal, node: *node, life: *life };
    for request in &settings.requests {
        if Node::Host(request.host) != *node {
            continue;
        }
        let now_ms = now_ns().saturating_sub(settings.base_ns) / 1_000_000;
        environment.sleep(Duration::from_millis(request.at_ms.saturating_sub(now_ms))).await;
        let (host, request) = (host.clone(), request.clone());
        environment.spawn(Box::pin(async move { host.carry_out(&request).await }));
    }
    std::future::pending().await
}

impl LiveHost {
    async fn carry_out(&self, request: &HostRequest) {
        while let Err(error) = self.ask(request).await {
            if error.is_refusal() && !matches!(error, RegistryError::UnknownProcess { .. }) {
                return;
            }
            self.environment.sleep(Duration::from_millis(150)).await;
        }
    }

    async fn ask(&self, request: &HostRequest) -> Result<(), RegistryError> {
        let id = format!("p{}", request.process);
        match request.what {
            HostAsking::Register { step, disposition } => {
                let registration = ProcessRegistration {
                    id,
                    input: ProcessInput::Engine { kind: "script".into(), payload: json!(step) },
                    disposition,
                    identity: ProcessIdentity { kind: "job".into(), label: None, definition: None },
                    event_types: vec![ProcessEventType { name: "progress".into(), wake: None }],
                    provenance: ProcessProvenance { originator: ProcessOriginator::Host, caused_by: None },
                    wake_target: None,
                };
                self.registry.register_process(registration).await.map(drop)
            }
            HostAsking::Await => {
                // Not before it is known: a wait for an unknown process is answered at once.
                if self.registry.read_process(&id).await?.is_none() {
                    return Err(RegistryError::UnknownProcess { process_id: id });
                }
                self.wait_for(request.process, &id).await;
                Ok(())
            }
            HostAsking::Signal => {
                let request = ProcessEventAppendRequest::new("signal.go", json!(null)).with_replay("go");
                self.registry.append_event(&id, request).await.map(drop)
            }
            HostAsking::Cancel => {
                let request =
                    ProcessEventAppendRequest::new(CANCEL_REQUESTED, json!(null)).with_replay("cancel");
                self.registry.append_event(&id, request).await.map(drop)
            }
            HostAsking::Abandon => {
                let requested_at_ms = self.environment.now_epoch_ms();
                let requested_by = self.node.to_string();
                let request = AbandonRequest { requested_by, requested_at_ms, reason: None };
                self.registry.request_process_abandon(&id, request).await.map(drop)
            }
        }
    }

    async fn wait_for(&self, process: u16, id: &str) {
        let awaiter = ProcessAwaiter::new(
            Arc::clone(&self.registry),
            ProcessChangeHub::new(),
            Arc::clone(&self.environment),
        );
        // Every wait of a run has a number of its own.
        let wait = u64::from(self.node.code()) << 48 | self.life << 24 | u64::from(process);
        self.journal.note(JournalEntry::WaitBegan { process, wait });
        let outcome = awaiter.await_terminal(id).await.as_ref().map_or(0, hash_of);
        self.journal.note(JournalEntry::WaitEnded { process, wait, outcome });
    }
}
