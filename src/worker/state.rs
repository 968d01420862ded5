//! A worker's knowledge of its own work, from its making to its drain: which attempts run here, which owner-bound
//! processes it may have started, and whether it still takes work.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

use crate::model::lease::LeaseOwnerIdentity;
use crate::model::process::{ProcessId, ProcessRecord, RecoveryDisposition};
use crate::work::cancellation::CancellationToken;
use crate::work::latch::Latch;

/// The state of one worker. All its registries share it.
pub(super) struct WorkerState {
    owner_id: String,
    pub(super) permits: Arc<Semaphore>,
    running: Mutex<BTreeMap<ProcessId, RunningAttempt>>,
    /// The incarnations of this worker that may have started an owner-bound process.
    starters: Mutex<BTreeMap<ProcessId, BTreeSet<String>>>,
    is_draining: AtomicBool,
}

/// How to stop an attempt, and how to hear what its own write ended.
#[derive(Clone)]
pub(super) struct RunningAttempt {
    pub(super) drain: CancellationToken,
    /// Set when the attempt ends: true if its own write ended the process as a drain.
    pub(super) ended_as_drain: Latch<bool>,
}

/// A place in the table of what runs here, given up however the attempt ends: by being dropped unpolled, too.
pub(super) struct AttemptSlot {
    state: Arc<WorkerState>,
    process_id: ProcessId,
    pub(super) drain: CancellationToken,
    pub(super) ended_as_drain: Latch<bool>,
}

impl Drop for AttemptSlot {
    fn drop(&mut self) {
        let was_running = self.state.running().remove(&self.process_id).is_some();
        assert!(was_running, "an attempt on `{}` gives up a slot that it did not have", self.process_id);
        // An attempt that was dropped may or may not have ended its process: a drain then reads the row.
        self.ended_as_drain.set(false);
    }
}

impl WorkerState {
    pub(super) fn new(owner_id: String, max_concurrent_runs: usize) -> Self {
        // Tokio's semaphore has an upper bound of its own.
        let permits = max_concurrent_runs.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            owner_id,
            permits: Arc::new(Semaphore::new(permits)),
            running: Mutex::default(),
            starters: Mutex::default(),
            is_draining: AtomicBool::new(false),
        }
    }

    /// Begins the drain: from now on the worker takes and starts nothing new.
    pub(super) fn begin_drain(&self) {
        self.is_draining.store(true, Ordering::SeqCst);
        self.permits.close();
    }

    /// The processes that this worker may have started and that are not known to have ended.
    pub(super) fn started(&self) -> Vec<ProcessId> {
        self.starters().keys().cloned().collect()
    }

    /// The attempt that runs here on the process, if any.
    pub(super) fn running_attempt(&self, process_id: &str) -> Option<RunningAttempt> {
        self.running().get(process_id).cloned()
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<ProcessId, RunningAttempt>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn starters(&self) -> MutexGuard<'_, BTreeMap<ProcessId, BTreeSet<String>>> {
        self.starters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None` when the process runs here already, or nothing is taken any more.
    pub(super) fn enter(self: &Arc<Self>, process_id: &str) -> Option<AttemptSlot> {
        if self.is_draining() {
            return None;
        }
        match self.running().entry(process_id.to_owned()) {
            Entry::Occupied(_) => None,
            Entry::Vacant(free) => {
                let (drain, ended_as_drain) = (CancellationToken::new(), Latch::new());
                free.insert(RunningAttempt { drain: drain.clone(), ended_as_drain: ended_as_drain.clone() });
                Some(AttemptSlot {
                    state: Arc::clone(self),
                    process_id: process_id.to_owned(),
                    drain,
                    ended_as_drain,
                })
            }
        }
    }

    /// True if this worker may have made the first start that the record shows.
    pub(super) fn is_starter(&self, record: &ProcessRecord) -> bool {
        record.first_started.as_ref().is_some_and(|started| {
            started.owner.owner_id == self.owner_id
                && self
                    .starters()
                    .get(record.id())
                    .is_some_and(|ours| ours.contains(&started.owner.incarnation_id))
        })
    }

    /// Asked before a first start: none once the worker drains. An owner-bound one is remembered, so that a drain finds
    /// it; the drain raises its flag before it looks here, so no start falls between the two.
    pub(super) fn may_start(&self, record: &ProcessRecord, owner: &LeaseOwnerIdentity) -> bool {
        let mut starters = self.starters();
        if self.is_draining() {
            return false;
        }
        if record.disposition() == RecoveryDisposition::OwnerBound {
            starters.entry(record.id().to_owned()).or_default().insert(owner.incarnation_id.clone());
        }
        true
    }

    pub(super) fn forget_start(&self, process_id: &str) {
        self.starters().remove(process_id);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::SeqCst)
    }

    /// Owner-bound processes that were started here and that no attempt runs now.
    pub(super) fn owner_bound_not_running(&self) -> Vec<ProcessId> {
        let running = self.running();
        self.starters().keys().filter(|process_id| !running.contains_key(*process_id)).cloned().collect()
    }

    /// A process that was started before the list was read, and that the list does not show, has ended.
    pub(super) fn forget_ended(&self, started_before: Vec<ProcessId>, listed: &[ProcessRecord]) {
        // A drain still needs to know which processes were started here.
        if started_before.is_empty() || self.is_draining() {
            return;
        }
        let listed: BTreeSet<&str> = listed.iter().map(ProcessRecord::id).collect();
        for process_id in started_before {
            if !listed.contains(process_id.as_str()) {
                self.forget_start(&process_id);
            }
        }
    }
}
