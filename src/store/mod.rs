//! Where rows are kept. A store runs one step at a time, keeps all of what it wrote or none, and never judges a lease.
//! [`MemoryStore`] forgets with its process; [`SqliteStore`] survives the machine.

mod memory;
mod sqlite;

pub use memory::MemoryStore;
pub use sqlite::{SqliteCounters, SqliteOptions, SqliteStore};

use std::sync::Arc;

use crate::model::error::RegistryError;
use crate::model::event::ProcessEvent;
use crate::model::handle::{
    ProcessHandleDescriptor, ProcessHandleGrant, ProcessHandleGrantEntry, SessionScope,
};
use crate::model::process::{DurabilityTier, ProcessId, ProcessListFilter, ProcessRecord};
use crate::model::row::{HighWater, LeaseRow, Life, ProcessRow, StoredEvent, Tenure};

type Answer<T> = Result<T, RegistryError>;

/// Whether a step may write. Two steps that may write never overlap, across operating system processes too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
}

pub trait Store: Send {
    fn durability_tier(&self) -> DurabilityTier;

    /// Runs `step` alone. What it wrote is kept, whole, if it answers `Ok`; if it answers `Err` nothing is. An error of
    /// the commit itself is [`RegistryError::Unavailable`]: the step may have been kept.
    fn atomically<T>(&mut self, access: Access, step: impl FnOnce(&mut dyn Rows) -> Answer<T>) -> Answer<T>;
}

/// The rows, inside one step. Lists are by process id in byte order unless they say otherwise.
pub trait Rows {
    fn lease_row(&mut self, process_id: &str) -> Answer<LeaseRow>;
    fn put_tenure(&mut self, process_id: &str, tenure: &Tenure) -> Answer<()>;

    fn life(&mut self, process_id: &str) -> Answer<Option<Life>>;
    fn exists(&mut self, process_id: &str) -> Answer<bool>;
    /// Inserts the row, or replaces the one that was read before, and touches nothing else about the process. What
    /// did not change from `before` need not be written again: a registration can be large.
    fn put_row(&mut self, before: Option<&ProcessRow>, row: Arc<ProcessRow>) -> Answer<()>;
    fn processes(&mut self, filter: &ProcessListFilter) -> Answer<Vec<ProcessRecord>>;
    /// Of rows whose wake target is a scope of this session.
    fn processes_waking(&mut self, session_id: &str) -> Answer<Vec<ProcessId>>;

    /// Ended rows last changed at or before this instant.
    fn ended_through(&mut self, updated_at_ms: u64) -> Answer<Vec<ProcessId>>;
    fn high_water(&mut self, process_id: &str) -> Answer<HighWater>;
    /// Removes everything about a process, keeping the given high water. Answers how many events went with it.
    fn prune(&mut self, process_id: &str, kept: HighWater) -> Answer<u64>;

    /// Adds an event at its own sequence, which becomes the highest.
    fn push_event(&mut self, event: ProcessEvent) -> Answer<()>;
    fn event(&mut self, process_id: &str, sequence: u64) -> Answer<Option<StoredEvent>>;
    fn event_by_replay_key(&mut self, process_id: &str, key: &str) -> Answer<Option<ProcessEvent>>;
    fn events_after(&mut self, process_id: &str, after: u64) -> Answer<Vec<ProcessEvent>>;
    fn unacked_wakes_after(&mut self, process_id: &str, after: u64) -> Answer<Vec<ProcessEvent>>;
    fn recent_events(&mut self, process_id: &str, limit: usize) -> Answer<Vec<ProcessEvent>>;
    fn count_events(&mut self, process_id: &str, event_type: &str, through: u64) -> Answer<u64>;
    fn ack(&mut self, process_id: &str, sequence: u64) -> Answer<()>;

    fn put_handle(
        &mut self,
        scope: &SessionScope,
        process_id: &str,
        descriptor: &ProcessHandleDescriptor,
    ) -> Answer<()>;
    fn handle(&mut self, scope: &SessionScope, process_id: &str) -> Answer<Option<ProcessHandleDescriptor>>;
    fn remove_handle(&mut self, scope: &SessionScope, process_id: &str) -> Answer<()>;
    fn handles_of_scope(&mut self, scope: &SessionScope) -> Answer<Vec<ProcessHandleGrantEntry>>;
    /// By session id, then scope id.
    fn handles_on(&mut self, process_id: &str) -> Answer<Vec<ProcessHandleGrant>>;
    /// Every handle of every frame, as (process, scope).
    fn handles_of_session(&mut self, session_id: &str) -> Answer<Vec<(ProcessId, SessionScope)>>;
}
