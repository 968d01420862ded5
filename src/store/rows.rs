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
use crate::store::footprint::Footprint;

/// Says if a step may write. Two steps that may write and touch one process never overlap, across operating system
/// processes too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
}

pub trait Store: Send {
    /// True for a store that wants to know what a step will touch before it runs it.
    const TAKES_FOOTPRINTS: bool = false;

    fn durability_tier(&self) -> DurabilityTier;

    /// Runs `step` alone. What it wrote is kept, whole, if it answers `Ok`; if it answers `Err` nothing is. An error of
    /// the commit itself is [`Unavailable`](crate::model::error::RegistryError::Unavailable): the step may have been
    /// kept.
    fn atomically<T>(
        &mut self,
        access: Access,
        step: impl FnOnce(&mut dyn Rows) -> RegistryResult<T>,
    ) -> RegistryResult<T>;

    /// The same for a step whose footprint is known. A store with one lock for everything has no use for it; one with
    /// a lock per process says so in [`Self::TAKES_FOOTPRINTS`].
    fn atomically_on<T>(
        &mut self,
        access: Access,
        _footprint: &Footprint,
        step: impl FnOnce(&mut dyn Rows) -> RegistryResult<T>,
    ) -> RegistryResult<T> {
        self.atomically(access, step)
    }
}

/// A store that several may use at once, each through a connection of its own.
pub trait SharedStore: Store + Sized {
    /// The same rows, through another connection.
    fn another(&self) -> Self;
}

/// The rows, inside one step. Lists are by process id in byte order unless they say otherwise.
pub trait Rows {
    /// The reading of the store's own clock, in epoch milliseconds, taken once in this step and after every lock was
    /// held. `None` where the store has no clock: the registry then reads that of its environment.
    fn clock_reading_ms(&self) -> Option<u64> {
        None
    }

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
