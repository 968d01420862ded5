//! Wrappers that make the true worker act wrongly: a registry whose answers it does not believe, tasks that take turns, effects
//! under the fence of another grant.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use fencepost::ProcessRegistry;
use fencepost::driver::InlineProcessRunHandle;
use fencepost::environment::{BoxFuture, Environment};
use fencepost::model::lease::LeaseOwnerIdentity;
use fencepost::model::process::{DurabilityTier, FirstStart, ProcessRecord};
use fencepost::registry::calls::{Answer, AnswerRef, Call, Facade, Reply, Submit, dispatch};
use fencepost::work::effect::{Effect, EffectController, EffectError};
use serde_json::Value;

use crate::subject::Subject;

/// The row that a worker believes in instead of the one that a read answered. It knows the row as it was listed.
pub type Belief = fn(read: AnswerRef<'_>, listed: ProcessRecord) -> Option<ProcessRecord>;

/// A worker that acts on what it believes, and asks nothing further.
pub fn believing(subject: Subject, belief: Belief) -> Subject {
    subject.worked_by(move |mut workplace| {
        let (inner, rows) = (workplace.registry, Mutex::default());
        workplace.registry = Arc::new(Facade(Believes { inner, belief, rows }));
        Arc::new(InlineProcessRunHandle::new(workplace.worker()))
    })
}

struct Believes {
    inner: Arc<dyn ProcessRegistry>,
    belief: Belief,
    rows: Mutex<Believed>,
}

#[derive(Default)]
struct Believed {
    listed: BTreeMap<String, ProcessRecord>,
    /// Believed to be there, and not started.
    unstarted: BTreeSet<String>,
}

#[async_trait]
impl Submit for Believes {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let process_id = call.process_id().unwrap_or_default().to_owned();
        let (reads, starts) = (
            matches!(*call, Call::ReadProcess { .. }),
            matches!(*call, Call::RecordFirstStartedWithLease { .. }),
        );
        let answer = dispatch(self.inner.as_ref(), &call).await;
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(Reply::Records(listed)) = answer.as_deref() {
            rows.listed = listed.iter().map(|record| (record.id().to_owned(), record.clone())).collect();
        }
        if reads {
            rows.unstarted.remove(&process_id);
            let listed = rows.listed.get(&process_id).cloned();
            if let Some(record) = listed.and_then(|listed| (self.belief)(answer.as_deref(), listed)) {
                if record.first_started.is_none() {
                    rows.unstarted.insert(process_id);
                }
                return Ok(Box::new(Reply::MaybeRecord(Some(record))));
            }
        }
        if !starts || !rows.unstarted.contains(&process_id) {
            return answer;
        }
        answer.map(|reply| match *reply {
            Reply::FirstStart(start) => Box::new(Reply::FirstStart(FirstStart::Started(start.into_record()))),
            other => Box::new(other),
        })
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.inner.durability_tier()
    }
}

/// Its effects carry a fence that nobody was granted.
pub struct StampsAhead(pub Arc<dyn EffectController>);

#[async_trait]
impl EffectController for StampsAhead {
    async fn perform(&self, effect: Effect) -> Result<Value, EffectError> {
        self.0.perform(Effect { fence: effect.fence.saturating_add(2), ..effect }).await
    }
}

/// Each task to its end before the next: a worker's tasks are its attempts.
pub struct OneByOne {
    inner: Arc<dyn Environment>,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    tasks: VecDeque<BoxFuture<'static, ()>>,
    is_at_work: bool,
}

impl Waiting {
    fn next(&mut self) -> Option<BoxFuture<'static, ()>> {
        let task = self.tasks.pop_front();
        self.is_at_work = task.is_some();
        task
    }
}

impl OneByOne {
    pub fn new(inner: Arc<dyn Environment>) -> Self {
        Self { inner, waiting: Arc::default() }
    }
}

impl Environment for OneByOne {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.tasks.push_back(task);
        if std::mem::replace(&mut waiting.is_at_work, true) {
            return;
        }
        let waiting = Arc::clone(&self.waiting);
        let next = move || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
        self.inner.spawn(Box::pin(async move {
            while let Some(task) = next() {
                task.await;
            }
        }));
    }

    fn now_epoch_ms(&self) -> u64 {
        self.inner.now_epoch_ms()
    }

    fn monotonic(&self) -> Duration {
        self.inner.monotonic()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.inner.sleep(duration)
    }

    fn fill_entropy(&self, bytes: &mut [u8]) {
        self.inner.fill_entropy(bytes);
    }

    fn is_definitely_dead(&self, owner: &LeaseOwnerIdentity) -> bool {
        self.inner.is_definitely_dead(owner)
    }
}
