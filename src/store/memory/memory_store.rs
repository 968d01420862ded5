//! The memory store: each call of the store as reads and writes of ordered maps.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;

use crate::model::error::{RegistryError, RegistryResult};
use crate::model::event::ProcessEvent;
use crate::model::handle::{
    ProcessHandleDescriptor, ProcessHandleGrant, ProcessHandleGrantEntry, SessionScope,
};
use crate::model::process::{DurabilityTier, ProcessId, ProcessListFilter, ProcessRecord, ProcessStatusKind};
use crate::model::row::{HighWater, LeaseRow, ProcessRow, StoredEvent, StoredProcess, Tenure};
use crate::store::invariants::{assert_change, assert_sequence, assert_tenure};
use crate::store::memory::tables::{IdEntry, ProcessEntry, Tables, is_indexed_alike, scope_key};
use crate::store::rows::{Access, Rows, Store};

#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    tables: Tables,
    wrote: bool,
    rows_touched: u64,
}

impl MemoryStore {
    pub fn new() -> Self {
        Self::default()
    }

    /// How many rows (processes, ids, events, handles) all reads so far have looked at.
    pub fn rows_touched(&self) -> u64 {
        self.rows_touched
    }
}

/// Equal when they hold the same rows.
impl PartialEq for MemoryStore {
    fn eq(&self, other: &Self) -> bool {
        self.tables == other.tables
    }
}

impl Store for MemoryStore {
    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Inline
    }

    fn atomically<T>(
        &mut self,
        _access: Access,
        step: impl FnOnce(&mut dyn Rows) -> RegistryResult<T>,
    ) -> RegistryResult<T> {
        self.wrote = false;
        let answer = step(self);
        assert!(answer.is_ok() || !self.wrote, "a step refused after it had begun to write");
        answer
    }
}

impl MemoryStore {
    fn process(&mut self, process_id: &str) -> RegistryResult<&ProcessEntry> {
        self.rows_touched += 1;
        self.tables.processes.get(process_id).ok_or_else(|| RegistryError::unknown(process_id))
    }
}

impl Rows for MemoryStore {
    fn lease_row(&mut self, process_id: &str) -> RegistryResult<LeaseRow> {
        self.rows_touched += 2;
        Ok(LeaseRow {
            status: self.tables.processes.get(process_id).map(|process| process.row.record.status.clone()),
            tenure: self.tables.ids.get(process_id).map(|id| id.tenure.clone()).unwrap_or_default(),
        })
    }

    fn put_tenure(&mut self, process_id: &str, tenure: &Tenure) -> RegistryResult<()> {
        assert_tenure(process_id, tenure);
        self.wrote = true;
        match self.tables.ids.get_mut(process_id) {
            Some(id) => id.tenure = tenure.clone(),
            None => {
                let id = IdEntry { tenure: tenure.clone(), highest_sequence: 0 };
                self.tables.ids.insert(process_id.to_owned(), id);
            }
        }
        Ok(())
    }

    fn stored_process(&mut self, process_id: &str) -> RegistryResult<Option<StoredProcess>> {
        self.rows_touched += 2;
        let Some(process) = self.tables.processes.get(process_id) else {
            return Ok(None);
        };
        let IdEntry { tenure, highest_sequence } =
            self.tables.ids.get(process_id).cloned().unwrap_or_default();
        Ok(Some(StoredProcess { row: Arc::clone(&process.row), tenure, highest_sequence }))
    }

    fn exists(&mut self, process_id: &str) -> RegistryResult<bool> {
        self.rows_touched += 1;
        Ok(self.tables.processes.contains_key(process_id))
    }

    fn put_row(&mut self, before: Option<&ProcessRow>, row: Arc<ProcessRow>) -> RegistryResult<()> {
        if let Some(before) = before {
            assert_change(before, &row);
        }
        self.wrote = true;
        if let Some(before) = before
            && !is_indexed_alike(&before.record, &row.record)
        {
            self.tables.unlink(before);
            self.tables.link(&row);
        }
        match self.tables.processes.get_mut(row.record.id()) {
            Some(process) => process.row = row,
            None => {
                self.tables.link(&row);
                let id = row.record.id().to_owned();
                let process = ProcessEntry { row, events: Vec::new(), replays: BTreeMap::new() };
                self.tables.processes.insert(id, process);
            }
        }
        Ok(())
    }

    fn processes(&mut self, filter: &ProcessListFilter) -> RegistryResult<Vec<ProcessRecord>> {
        let start = match &filter.after {
            Some(after) => Excluded(after.clone()),
            None => Unbounded,
        };
        let range = (start, Unbounded::<ProcessId>);
        let tables = &self.tables;
        let (records, looked_at) = match (&filter.definition, filter.status) {
            (Some(definition), Some(status)) => match tables.by_definition.get(&(definition.clone(), status))
            {
                Some(ids) => tables.select(ids.range(range), filter),
                None => (Vec::new(), 0),
            },
            (Some(definition), None) => {
                let of_definition = (definition.clone(), ProcessStatusKind::Running)
                    ..=(definition.clone(), ProcessStatusKind::Abandoned);
                let ids: BTreeSet<&ProcessId> = tables
                    .by_definition
                    .range(of_definition)
                    .flat_map(|(_, ids)| ids.range(range.clone()))
                    .collect();
                tables.select(ids.into_iter(), filter)
            }
            (None, Some(ProcessStatusKind::Running)) => tables.select(tables.running.range(range), filter),
            (None, _) => tables.select(tables.processes.range(range).map(|(id, _)| id), filter),
        };
        self.rows_touched += looked_at;
        Ok(records)
    }

    fn processes_waking(&mut self, session_id: &str) -> RegistryResult<Vec<ProcessId>> {
        Ok(self.tables.waking.get(session_id).map(|ids| ids.iter().cloned().collect()).unwrap_or_default())
    }

    fn ended_through(&mut self, updated_at_ms: u64) -> RegistryResult<Vec<ProcessId>> {
        let ended = self.tables.ended.iter().take_while(|(updated, _)| *updated <= updated_at_ms);
        Ok(ended.map(|(_, id)| id.clone()).collect())
    }

    fn high_water(&mut self, process_id: &str) -> RegistryResult<HighWater> {
        self.rows_touched += 1;
        let id = self.tables.ids.get(process_id);
        Ok(id
            .map(|id| HighWater { fence: id.tenure.highest_fence, sequence: id.highest_sequence })
            .unwrap_or_default())
    }

    fn prune(&mut self, process_id: &str, kept: HighWater) -> RegistryResult<u64> {
        self.wrote = true;
        let Some(process) = self.tables.processes.remove(process_id) else {
            return Ok(0);
        };
        self.tables.unlink(&process.row);
        for key in self.tables.holders.remove(process_id).unwrap_or_default().into_keys() {
            if let Some(handles) = self.tables.scopes.get_mut(&key) {
                handles.remove(process_id);
                if handles.is_empty() {
                    self.tables.scopes.remove(&key);
                }
            }
        }
        let id = IdEntry {
            tenure: Tenure { lease: None, highest_fence: kept.fence },
            highest_sequence: kept.sequence,
        };
        self.tables.ids.insert(process_id.to_owned(), id);
        Ok(process.events.len() as u64)
    }

    fn push_event(&mut self, event: ProcessEvent) -> RegistryResult<()> {
        self.wrote = true;
        let Some(process) = self.tables.processes.get_mut(&event.process_id) else {
            return Err(RegistryError::unknown(&event.process_id));
        };
        if let Some(key) = &event.replay_key {
            process.replays.insert(key.clone(), process.events.len());
        }
        match self.tables.ids.get_mut(&event.process_id) {
            Some(id) => {
                assert_sequence(&event.process_id, id.highest_sequence, event.sequence);
                id.highest_sequence = event.sequence;
            }
            None => {
                let id = IdEntry { tenure: Tenure::default(), highest_sequence: event.sequence };
                self.tables.ids.insert(event.process_id.clone(), id);
            }
        }
        process.events.push(StoredEvent { event, acked: false });
        Ok(())
    }

    fn event(&mut self, process_id: &str, sequence: u64) -> RegistryResult<Option<StoredEvent>> {
        let process = self.process(process_id)?;
        let Some(before) = sequence.checked_sub(1) else {
            return Ok(None);
        };
        Ok(process.above(before).first().filter(|stored| stored.event.sequence == sequence).cloned())
    }

    fn event_by_replay_key(&mut self, process_id: &str, key: &str) -> RegistryResult<Option<ProcessEvent>> {
        let process = self.process(process_id)?;
        Ok(process.replays.get(key).map(|place| process.events[*place].event.clone()))
    }

    fn events_after(&mut self, process_id: &str, after: u64) -> RegistryResult<Vec<ProcessEvent>> {
        let events: Vec<_> =
            self.process(process_id)?.above(after).iter().map(|stored| stored.event.clone()).collect();
        self.rows_touched += events.len() as u64;
        Ok(events)
    }

    fn unacked_wakes_after(&mut self, process_id: &str, after: u64) -> RegistryResult<Vec<ProcessEvent>> {
        let above = self.process(process_id)?.above(after);
        let looked_at = above.len() as u64;
        let is_pending = |stored: &&StoredEvent| stored.event.wake.is_some() && !stored.acked;
        let events = above.iter().filter(is_pending).map(|stored| stored.event.clone()).collect();
        self.rows_touched += looked_at;
        Ok(events)
    }

    fn recent_events(&mut self, process_id: &str, limit: usize) -> RegistryResult<Vec<ProcessEvent>> {
        let stored = &self.process(process_id)?.events;
        let recent = &stored[stored.len().saturating_sub(limit)..];
        let events: Vec<_> = recent.iter().map(|stored| stored.event.clone()).collect();
        self.rows_touched += events.len() as u64;
        Ok(events)
    }

    fn count_events(&mut self, process_id: &str, event_type: &str, through: u64) -> RegistryResult<u64> {
        let process = self.process(process_id)?;
        let upto = &process.events[..process.first_above(through)];
        let looked_at = upto.len() as u64;
        let counted = upto.iter().filter(|stored| stored.event.event_type == event_type).count() as u64;
        self.rows_touched += looked_at;
        Ok(counted)
    }

    fn ack(&mut self, process_id: &str, sequence: u64) -> RegistryResult<()> {
        self.wrote = true;
        let Some(process) = self.tables.processes.get_mut(process_id) else {
            return Err(RegistryError::unknown(process_id));
        };
        let place = process.first_above(sequence.saturating_sub(1));
        if let Some(stored) = process.events.get_mut(place) {
            stored.acked = true;
        }
        Ok(())
    }

    fn put_handle(
        &mut self,
        scope: &SessionScope,
        process_id: &str,
        descriptor: &ProcessHandleDescriptor,
    ) -> RegistryResult<()> {
        self.wrote = true;
        let key = scope_key(scope);
        let holders = self.tables.holders.entry(process_id.to_owned()).or_default();
        holders.insert(key.clone(), scope.clone());
        self.tables.scopes.entry(key).or_default().insert(process_id.to_owned(), descriptor.clone());
        Ok(())
    }

    fn handle(
        &mut self,
        scope: &SessionScope,
        process_id: &str,
    ) -> RegistryResult<Option<ProcessHandleDescriptor>> {
        self.rows_touched += 1;
        Ok(self.tables.scopes.get(&scope_key(scope)).and_then(|handles| handles.get(process_id)).cloned())
    }

    fn remove_handle(&mut self, scope: &SessionScope, process_id: &str) -> RegistryResult<()> {
        self.wrote = true;
        let key = scope_key(scope);
        if let Some(handles) = self.tables.scopes.get_mut(&key) {
            handles.remove(process_id);
            if handles.is_empty() {
                self.tables.scopes.remove(&key);
            }
        }
        if let Some(holders) = self.tables.holders.get_mut(process_id) {
            holders.remove(&key);
            if holders.is_empty() {
                self.tables.holders.remove(process_id);
            }
        }
        Ok(())
    }

    fn handles_of_scope(&mut self, scope: &SessionScope) -> RegistryResult<Vec<ProcessHandleGrantEntry>> {
        let Some(handles) = self.tables.scopes.get(&scope_key(scope)) else {
            return Ok(Vec::new());
        };
        self.rows_touched += handles.len() as u64;
        let entry = |(id, descriptor): (&ProcessId, &ProcessHandleDescriptor)| {
            let record = self.tables.processes.get(id)?.row.record.clone();
            Some((ProcessHandleGrant::new(scope, id, descriptor.clone()), record))
        };
        Ok(handles.iter().filter_map(entry).collect())
    }

    fn handles_on(&mut self, process_id: &str) -> RegistryResult<Vec<ProcessHandleGrant>> {
        let Some(holders) = self.tables.holders.get(process_id) else {
            return Ok(Vec::new());
        };
        self.rows_touched += holders.len() as u64;
        let grant = |(key, scope): (&(String, String), &SessionScope)| {
            let descriptor = self.tables.scopes.get(key)?.get(process_id)?.clone();
            Some(ProcessHandleGrant::new(scope, process_id, descriptor))
        };
        Ok(holders.iter().filter_map(grant).collect())
    }

    fn handles_of_session(&mut self, session_id: &str) -> RegistryResult<Vec<(ProcessId, SessionScope)>> {
        let first = (session_id.to_owned(), String::new());
        let of_session = self.tables.scopes.range(first..).take_while(|(key, _)| key.0 == session_id);
        let mut handles = Vec::new();
        for (key, ids) in of_session {
            for id in ids.keys() {
                if let Some(scope) = self.tables.holders.get(id).and_then(|holders| holders.get(key)) {
                    handles.push((id.clone(), scope.clone()));
                }
            }
        }
        self.rows_touched += handles.len() as u64;
        Ok(handles)
    }
}
