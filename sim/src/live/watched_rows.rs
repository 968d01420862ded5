//! The rows of one step, watched: what the step read of its process, and what it wrote. Every step that may change a process
//! reads its lease, and one that may change its row reads that, so nothing is read for the recorder alone.

use std::sync::Arc;

use fencepost::model::error::RegistryResult;
use fencepost::model::event::ProcessEvent;
use fencepost::model::handle::{
    ProcessHandleDescriptor, ProcessHandleGrant, ProcessHandleGrantEntry, SessionScope,
};
use fencepost::model::process::{ProcessId, ProcessListFilter, ProcessRecord};
use fencepost::model::row::{HighWater, LeaseRow, ProcessRow, StoredEvent, StoredProcess, Tenure};
use fencepost::store::Rows;

use crate::live::journal::{DecidedFacts, SeenProcess, SeenRow, SeenTenure};
use crate::world::hash_of;

/// How a step may be deceived, by a planted bug.
#[derive(Default, Clone)]
pub struct StepDeception {
    /// The step goes by its process's wall clock, and not by the store's.
    pub hides_the_stores_clock: bool,
    /// The lease row as it was before the lock was taken.
    pub earlier_lease_row: Option<LeaseRow>,
}

pub struct WatchedRows<'a> {
    rows: &'a mut dyn Rows,
    deception: StepDeception,
    pub facts: DecidedFacts,
}

impl<'a> WatchedRows<'a> {
    pub fn new(rows: &'a mut dyn Rows, deception: StepDeception) -> Self {
        Self { rows, deception, facts: DecidedFacts::default() }
    }

    fn saw_tenure(&mut self, tenure: &Tenure) {
        if self.facts.before.tenure.is_none() {
            self.facts.before.tenure = Some(seen(tenure));
        }
    }
}

/// The rows of a stored process, as a journal keeps them.
pub fn seen_process(stored: Option<&StoredProcess>) -> SeenProcess {
    match stored {
        None => SeenProcess { tenure: None, row: Some(SeenRow { record: 0, last_sequence: 0 }) },
        Some(stored) => SeenProcess {
            tenure: Some(seen(&stored.tenure)),
            row: Some(SeenRow {
                record: hash_of(&stored.row.record),
                last_sequence: stored.highest_sequence,
            }),
        },
    }
}

fn seen(tenure: &Tenure) -> SeenTenure {
    SeenTenure { fence: tenure.highest_fence, lease: tenure.lease.as_deref().cloned() }
}

impl DecidedFacts {
    pub fn has_changes(&self) -> bool {
        self.put_tenure.is_some() || self.put_record.is_some() || !self.pushed.is_empty()
    }

    /// The rows as they are once the step is committed.
    pub fn after(&self) -> SeenProcess {
        let tenure = self.put_tenure.clone().or_else(|| self.before.tenure.clone());
        let row = self.before.row.map(|before| SeenRow {
            record: self.put_record.as_ref().map_or(before.record, hash_of),
            last_sequence: self.pushed.last().map_or(before.last_sequence, |event| event.sequence),
        });
        SeenProcess { tenure, row }
    }
}

impl Rows for WatchedRows<'_> {
    fn clock_reading_ms(&self) -> Option<u64> {
        self.rows.clock_reading_ms().filter(|_| !self.deception.hides_the_stores_clock)
    }

    fn lease_row(&mut self, process_id: &str) -> RegistryResult<LeaseRow> {
        let row = self.rows.lease_row(process_id)?;
        self.saw_tenure(&row.tenure);
        Ok(self.deception.earlier_lease_row.take().unwrap_or(row))
    }

    fn put_tenure(&mut self, process_id: &str, tenure: &Tenure) -> RegistryResult<()> {
        self.facts.put_tenure = Some(seen(tenure));
        self.rows.put_tenure(process_id, tenure)
    }

    fn stored_process(&mut self, process_id: &str) -> RegistryResult<Option<StoredProcess>> {
        let stored = self.rows.stored_process(process_id)?;
        if self.facts.before.row.is_none() {
            self.facts.before = seen_process(stored.as_ref());
        }
        Ok(stored)
    }

    fn exists(&mut self, process_id: &str) -> RegistryResult<bool> {
        self.rows.exists(process_id)
    }

    fn put_row(&mut self, before: Option<&ProcessRow>, row: Arc<ProcessRow>) -> RegistryResult<()> {
        self.facts.put_record = Some(row.record.clone());
        self.rows.put_row(before, row)
    }

    fn processes(&mut self, filter: &ProcessListFilter) -> RegistryResult<Vec<ProcessRecord>> {
        self.rows.processes(filter)
    }

    fn processes_waking(&mut self, session_id: &str) -> RegistryResult<Vec<ProcessId>> {
        self.rows.processes_waking(session_id)
    }

    fn ended_through(&mut self, updated_at_ms: u64) -> RegistryResult<Vec<ProcessId>> {
        self.rows.ended_through(updated_at_ms)
    }

    fn high_water(&mut self, process_id: &str) -> RegistryResult<HighWater> {
        self.rows.high_water(process_id)
    }

    fn prune(&mut self, process_id: &str, kept: HighWater) -> RegistryResult<u64> {
        self.rows.prune(process_id, kept)
    }

    fn push_event(&mut self, event: ProcessEvent) -> RegistryResult<()> {
        self.facts.pushed.push(event.clone());
        self.rows.push_event(event)
    }

    fn event(&mut self, process_id: &str, sequence: u64) -> RegistryResult<Option<StoredEvent>> {
        self.rows.event(process_id, sequence)
    }

    fn event_by_replay_key(&mut self, process_id: &str, key: &str) -> RegistryResult<Option<ProcessEvent>> {
        self.rows.event_by_replay_key(process_id, key)
    }

    fn events_after(&mut self, process_id: &str, after: u64) -> RegistryResult<Vec<ProcessEvent>> {
        self.rows.events_after(process_id, after)
    }

    fn unacked_wakes_after(&mut self, process_id: &str, after: u64) -> RegistryResult<Vec<ProcessEvent>> {
        self.rows.unacked_wakes_after(process_id, after)
    }

    fn recent_events(&mut self, process_id: &str, limit: usize) -> RegistryResult<Vec<ProcessEvent>> {
        self.rows.recent_events(process_id, limit)
    }

    fn count_events(&mut self, process_id: &str, event_type: &str, through: u64) -> RegistryResult<u64> {
        self.rows.count_events(process_id, event_type, through)
    }

    fn ack(&mut self, process_id: &str, sequence: u64) -> RegistryResult<()> {
        self.rows.ack(process_id, sequence)
    }

    fn put_handle(
        &mut self,
        scope: &SessionScope,
        process_id: &str,
        descriptor: &ProcessHandleDescriptor,
    ) -> RegistryResult<()> {
        self.rows.put_handle(scope, process_id, descriptor)
    }

    fn handle(
        &mut self,
        scope: &SessionScope,
        process_id: &str,
    ) -> RegistryResult<Option<ProcessHandleDescriptor>> {
        self.rows.handle(scope, process_id)
    }

    fn remove_handle(&mut self, scope: &SessionScope, process_id: &str) -> RegistryResult<()> {
        self.rows.remove_handle(scope, process_id)
    }

    fn handles_of_scope(&mut self, scope: &SessionScope) -> RegistryResult<Vec<ProcessHandleGrantEntry>> {
        self.rows.handles_of_scope(scope)
    }

    fn handles_on(&mut self, process_id: &str) -> RegistryResult<Vec<ProcessHandleGrant>> {
        self.rows.handles_on(process_id)
    }

    fn handles_of_session(&mut self, session_id: &str) -> RegistryResult<Vec<(ProcessId, SessionScope)>> {
        self.rows.handles_of_session(session_id)
    }
}
