//! Bugs of waits: how an end is heard of, and how it is missed.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use fencepost::driver::ProcessAttach;
use fencepost::environment::Environment;
use fencepost::model::process::{DurabilityTier, ProcessAwaitOutput};
use fencepost::registry::calls::{Answer, Call, Facade, Submit, dispatch};
use fencepost::registry::change_hub::ProcessChangeHub;
use fencepost::registry::watched::ProcessEventSink;
use fencepost::{ProcessRegistry, RegistryError};

use crate::laws;
use crate::planted::planted_bug::PlantedBug;
use crate::subject::Subject;

pub const ALL: &[PlantedBug] = &[
    PlantedBug {
        name: "a-failed-read-ends-a-wait",
        stands_for: "a waiter takes a read that failed for the answer",
        law: laws::that_catches("a-failed-read-ends-a-wait"),
        subject: |subject| {
            subject.waited_for_by(|registry, environment| Arc::new(Impatient { registry, environment }))
        },
    },
    PlantedBug {
        name: "ends-remembered-by-id",
        stands_for: "a waiter keeps ends by their ids, and answers with one of a life that was pruned long ago",
        law: laws::that_catches("ends-remembered-by-id"),
        subject: |subject| {
            subject.waited_for_by(|registry, environment| {
                Arc::new(Remembering { registry, environment, ends: Mutex::default() })
            })
        },
    },
    PlantedBug {
        name: "subscribes-after-the-first-read",
        stands_for: "a waiter reads, and subscribes a moment later: an end in between is missed until something else happens",
        law: laws::that_catches("subscribes-after-the-first-read"),
        subject: |subject| Subject {
            make_registry_waits: Some(Arc::new(|registry, hub, environment| {
                Arc::new(SubscribesLate { registry, hub, environment })
            })),
            ..subject
        },
    },
    PlantedBug {
        name: "a-failed-sink-wakes-nobody",
        stands_for: "a driver that wakes its waiters only after the sink took the event: when the sink fails they sleep on",
        law: laws::that_catches("a-failed-sink-wakes-nobody"),
        subject: |subject| Subject {
            watch_registry: Arc::new(|registry, sink, _| {
                let hub = ProcessChangeHub::new();
                (Arc::new(Facade(TicksLast { registry, sink, hub: hub.clone() })), hub)
            }),
            ..subject
        },
    },
];

/// Asks until somebody answers anything.
struct Impatient {
    registry: Arc<dyn ProcessRegistry>,
    environment: Arc<dyn Environment>,
}

#[async_trait]
impl ProcessAttach for Impatient {
    async fn await_terminal(&self, process_id: &str) -> Result<ProcessAwaitOutput, RegistryError> {
        loop {
            let record = self.registry.read_process(process_id).await?;
            match record.as_ref().and_then(|record| record.status.output()) {
                Some(output) => return Ok(output.clone()),
                None if record.is_none() => return Err(RegistryError::unknown(process_id)),
                None => self.environment.sleep(Duration::from_millis(100)).await,
            }
        }
    }
}

/// Asks until there is an end, and never again.
struct Remembering {
    registry: Arc<dyn ProcessRegistry>,
    environment: Arc<dyn Environment>,
    ends: Mutex<BTreeMap<String, ProcessAwaitOutput>>,
}

impl Remembering {
    fn ends(&self) -> MutexGuard<'_, BTreeMap<String, ProcessAwaitOutput>> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ProcessAttach for Remembering {
    async fn await_terminal(&self, process_id: &str) -> Result<ProcessAwaitOutput, RegistryError> {
        let remembered = self.ends().get(process_id).cloned();
        if let Some(output) = remembered {
            return Ok(output);
        }
        loop {
            if let Ok(record) = self.registry.read_process(process_id).await {
                let record = record.ok_or_else(|| RegistryError::unknown(process_id))?;
                if let Some(output) = record.status.output() {
                    self.ends().insert(process_id.to_owned(), output.clone());
                    return Ok(output.clone());
                }
            }
            self.environment.sleep(Duration::from_millis(100)).await;
        }
    }
}

/// The time between the first read and the subscription.
const MOMENT: Duration = Duration::from_millis(100);

struct SubscribesLate {
    registry: Arc<dyn ProcessRegistry>,
    hub: ProcessChangeHub,
    environment: Arc<dyn Environment>,
}

#[async_trait]
impl ProcessAttach for SubscribesLate {
    async fn await_terminal(&self, process_id: &str) -> Result<ProcessAwaitOutput, RegistryError> {
        let mut ticks = None;
        loop {
            match self.registry.read_process(process_id).await {
                Ok(None) => return Err(RegistryError::unknown(process_id)),
                Ok(Some(record)) => {
                    if let Some(output) = record.status.output() {
                        return Ok(output.clone());
                    }
                }
                Err(_) => {}
            }
            match &mut ticks {
                None => {
                    self.environment.sleep(MOMENT).await;
                    ticks = Some(self.hub.subscribe(process_id));
                }
                Some(ticks) => {
                    let mut ticked = std::pin::pin!(ticks.ticked());
                    let mut tired = self.environment.sleep(Duration::from_secs(1));
                    std::future::poll_fn(|task| {
                        if ticked.as_mut().poll(task).is_ready() {
                            return Poll::Ready(());
                        }
                        tired.as_mut().poll(task)
                    })
                    .await;
                }
            }
        }
    }
}

/// Hands the last event to the sink, and only then ticks.
struct TicksLast {
    registry: Arc<dyn ProcessRegistry>,
    sink: Option<Arc<dyn ProcessEventSink>>,
    hub: ProcessChangeHub,
}

#[async_trait]
impl Submit for TicksLast {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let written = (!call.is_read()).then(|| call.process_id().map(str::to_owned)).flatten();
        let answer = dispatch(self.registry.as_ref(), &call).await;
        let Some(process_id) = written else { return answer };
        let last = self.registry.recent_events(&process_id, 1).await.unwrap_or_default().pop();
        if let (Some(sink), Some(event)) = (&self.sink, last) {
            let mut delivered = sink.deliver(event);
            let was_taken = std::future::poll_fn(|task| {
                match catch_unwind(AssertUnwindSafe(|| delivered.as_mut().poll(task))) {
                    Ok(Poll::Pending) => Poll::Pending,
                    Ok(Poll::Ready(())) => Poll::Ready(true),
                    Err(_) => Poll::Ready(false),
                }
            });
            if !was_taken.await {
                return answer;
            }
        }
        self.hub.tick(&process_id);
        answer
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.registry.durability_tier()
    }
}
