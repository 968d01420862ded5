//! The contract of a store: one atomic step at a time, and inside it the rows. [`Rows`] is the whole vocabulary between
//! a decision and a disk.

use std::sync::Arc;

use crate::model::error::RegistryResult;
use crate::model::event::ProcessEvent;
use crate::model::handle::{
    ProcessHandleDescriptor, ProcessHandleGrant, ProcessHandleGrantEntry, SessionScope,
};
use crate::model::process::{DurabilityTier, ProcessId, ProcessListFilter, ProcessRecord};
use crate::model::row::{HighWater, LeaseRow, ProcessRow, StoredEvent, StoredProcess, Tenure};

/// Says if a step may write. Two steps that may write never overlap, across operating system processes too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
}

pub trait Store: Send {
    fn durability_tier(&self) -> DurabilityTier;

    /// Runs `step` alone. What it wrote is kept, whole, if it answers `Ok`; if it answers `Err` nothing is. An error of
    /// the commit itself is [`Unavailable`](crate::model::error::RegistryError::Unavailable): the step may have been
    /// kept.
    fn atomically<T>(
        &mut self,
        access: Access,
        step: impl FnOnce(&mut dyn Rows) -> RegistryResult<T>,
    ) -> RegistryResult<T>;
}

/// The rows, inside one step. Lists are by process id in byte order unless they say otherwise.
pub trait Rows {
    fn lease_row(&mut self, process_id: &str) -> RegistryResult<LeaseRow>;
    fn put_tenure(&mut self, process_id: &str, tenure: &Tenure) -> RegistryResult<()>;

    fn stored_process(&mut self, process_id: &str) -> RegistryResult<Option<StoredProcess>>;
    fn exists(&mut self, process_id: &str) -> RegistryResult<bool>;
    /// Inserts the row, or replaces the one that was read before, and touches nothing else about the process. What
    /// did not change from `before` need not be written again: a registration can be large.
    fn put_row(&mut self, before: Option<&ProcessRow>, row: Arc<ProcessRow>) -> RegistryResult<()>;
    fn processes(&mut self, filter: &ProcessListFilter) -> RegistryResult<Vec<ProcessRecord>>;
    /// The processes whose wake target is a scope of this session.
    fn processes_waking(&mut self, session_id: &str) -> RegistryResult<Vec<ProcessId>>;

    /// Ended rows last changed at or before this instant.
    fn ended_through(&mut self, updated_at_ms: u64) -> RegistryResult<Vec<ProcessId>>;
    fn high_water(&mut self, process_id: &str) -> RegistryResult<HighWater>;
    /// Removes everything about a process, keeping the given high water. Answers how many events went with it.
    fn prune(&mut self, process_id: &str, kept: HighWater) -> RegistryResult<u64>;

    /// Adds an event at its own sequence, which becomes the highest.
    fn push_event(&mut self, event: ProcessEvent) -> RegistryResult<()>;
    fn event(&mut self, process_id: &str, sequence: u64) -> RegistryResult<Option<StoredEvent>>;
    fn event_by_replay_key(&mut self, process_id: &str, key: &str) -> RegistryResult<Option<ProcessEvent>>;
    fn events_after(&mut self, process_id: &str, after: u64) -> RegistryResult<Vec<ProcessEvent>>;
    fn unacked_wakes_after(&mut self, process_id: &str, after: u64) -> RegistryResult<Vec<ProcessEvent>>;
    fn recent_events(&mut self, process_id: &str, limit: usize) -> RegistryResult<Vec<ProcessEvent>>;
    fn count_events(&mut self, process_id: &str, event_type: &str, through: u64) -> RegistryResult<u64>;
    fn ack(&mut self, process_id: &str, sequence: u64) -> RegistryResult<()>;

    fn put_handle(
        &mut self,
        scope: &SessionScope,
        process_id: &str,
        descriptor: &ProcessHandleDescriptor,
    ) -> RegistryResult<()>;
    fn handle(
        &mut self,
        scope: &SessionScope,
        process_id: &str,
    ) -> RegistryResult<Option<ProcessHandleDescriptor>>;
    fn remove_handle(&mut self, scope: &SessionScope, process_id: &str) -> RegistryResult<()>;
    fn handles_of_scope(&mut self, scope: &SessionScope) -> RegistryResult<Vec<ProcessHandleGrantEntry>>;
    /// By session id, then scope id.
    fn handles_on(&mut self, process_id: &str) -> RegistryResult<Vec<ProcessHandleGrant>>;
    /// Every handle of every frame, as (process, scope).
    fn handles_of_session(&mut self, session_id: &str) -> RegistryResult<Vec<(ProcessId, SessionScope)>>;
}
