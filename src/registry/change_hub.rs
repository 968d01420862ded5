//! Where writers on this node tell waiters on this node that a process changed. A tick carries nothing: whoever hears
//! it reads the registry. Writers elsewhere are not heard, so nobody relies on ticks alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::model::process::ProcessId;

/// Clones are the same hub.
#[derive(Clone, Default)]
pub struct ProcessChangeHub(Arc<Mutex<BTreeMap<ProcessId, Waiters>>>);

/// Those who wait for one process. Counted here and not by the channel, whose receivers go after the lock does.
#[derive(Default)]
struct Waiters {
    count: usize,
    ticks: watch::Sender<()>,
}

/// Hears every tick since it was made.
pub struct Subscription {
    hub: ProcessChangeHub,
    process_id: ProcessId,
    ticks: watch::Receiver<()>,
}

impl ProcessChangeHub {
    pub fn new() -> Self {
        Self::default()
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<ProcessId, Waiters>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn tick(&self, process_id: &str) {
        if let Some(waiters) = self.waiting().get(process_id) {
            waiters.ticks.send_replace(());
        }
    }

    pub fn subscribe(&self, process_id: &str) -> Subscription {
        let mut waiting = self.waiting();
        let waiters = waiting.entry(process_id.to_owned()).or_default();
        waiters.count += 1;
        let ticks = waiters.ticks.subscribe();
        Subscription { hub: self.clone(), process_id: process_id.to_owned(), ticks }
    }

    /// How many processes somebody waits for.
    pub fn watched_processes(&self) -> usize {
        self.waiting().len()
    }
}

impl Subscription {
    /// Waits for a tick; at once, if there was one since the last.
    pub async fn ticked(&mut self) {
        // The hub keeps the sender while this subscription lives.
        drop(self.ticks.changed().await);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut waiting = self.hub.waiting();
        let is_last = waiting.get_mut(&self.process_id).is_some_and(|waiters| {
            assert!(waiters.count > 0, "a subscription ends that was never counted");
            waiters.count -= 1;
            waiters.count == 0
        });
        if is_last {
            waiting.remove(&self.process_id);
        }
    }
}
