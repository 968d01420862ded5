//! The ordered maps of the memory store, and the indexes beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::handle::{ProcessHandleDescriptor, SessionScope};
use crate::model::process::{
    ProcessId, ProcessListFilter, ProcessRecord, ProcessStatusKind, RecoveryDisposition,
};
use crate::model::row::{ProcessRow, StoredEvent, Tenure};

/// The stored rows. Two stores with equal tables hold the same rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Tables {
    pub(super) processes: BTreeMap<ProcessId, ProcessEntry>,
    /// One entry for every id there ever was: it outlives the process.
    pub(super) ids: BTreeMap<ProcessId, IdEntry>,
    pub(super) running: BTreeSet<ProcessId>,
    pub(super) ended: BTreeSet<(u64, ProcessId)>,
    pub(super) by_definition: BTreeMap<(String, ProcessStatusKind), BTreeSet<ProcessId>>,
    pub(super) waking: BTreeMap<String, BTreeSet<ProcessId>>,
    /// By (session id, scope id), then process.
    pub(super) scopes: BTreeMap<(String, String), BTreeMap<ProcessId, ProcessHandleDescriptor>>,
    /// By process, then (session id, scope id).
    pub(super) holders: BTreeMap<ProcessId, BTreeMap<(String, String), SessionScope>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct ProcessEntry {
    pub(super) row: Arc<ProcessRow>,
    pub(super) events: Vec<StoredEvent>,
    /// The place of a replay key's event in `events`.
    pub(super) replays: BTreeMap<String, usize>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct IdEntry {
    pub(super) tenure: Tenure,
    pub(super) highest_sequence: u64,
}

impl ProcessEntry {
    /// Sequences are dense, so an event's place follows from its sequence.
    pub(super) fn first_above(&self, sequence: u64) -> usize {
        match self.events.first() {
            Some(first) => {
                let above = sequence.saturating_add(1).saturating_sub(first.event.sequence);
                usize::try_from(above).unwrap_or(usize::MAX).min(self.events.len())
            }
            None => 0,
        }
    }

    pub(super) fn above(&self, sequence: u64) -> &[StoredEvent] {
        if sequence == u64::MAX { &[] } else { &self.events[self.first_above(sequence)..] }
    }
}

impl Tables {
    pub(super) fn unlink(&mut self, row: &ProcessRow) {
        let record = &row.record;
        let id = record.id();
        self.running.remove(id);
        if record.is_terminal() {
            self.ended.remove(&(record.updated_at_ms, id.to_owned()));
        }
        if let Some(definition) = &record.registration.identity.definition {
            remove_from(&mut self.by_definition, &(definition.clone(), record.status.kind()), id);
        }
        if let Some(target) = &record.registration.wake_target {
            remove_from(&mut self.waking, &target.session_id, id);
        }
    }

    pub(super) fn link(&mut self, row: &ProcessRow) {
        let record = &row.record;
        let id = record.id();
        if record.is_terminal() {
            self.ended.insert((record.updated_at_ms, id.to_owned()));
        } else {
            self.running.insert(id.to_owned());
        }
        if let Some(definition) = &record.registration.identity.definition {
            let key = (definition.clone(), record.status.kind());
            self.by_definition.entry(key).or_default().insert(id.to_owned());
        }
        if let Some(target) = &record.registration.wake_target {
            self.waking.entry(target.session_id.clone()).or_default().insert(id.to_owned());
        }
    }
}

pub(super) fn remove_from<K: Ord>(index: &mut BTreeMap<K, BTreeSet<ProcessId>>, key: &K, id: &str) {
    if let Some(ids) = index.get_mut(key) {
        ids.remove(id);
        if ids.is_empty() {
            index.remove(key);
        }
    }
}

impl Tables {
    /// The matching records of these ids, and how many were looked at to find them.
    pub(super) fn select<'a>(
        &self,
        ids: impl Iterator<Item = &'a ProcessId>,
        filter: &ProcessListFilter,
    ) -> (Vec<ProcessRecord>, u64) {
        let mut looked_at = 0;
        let records = ids
            .filter_map(|id| self.processes.get(id))
            .inspect(|_| looked_at += 1)
            .map(|process| &process.row.record)
            .filter(|record| matches(record, filter))
            .take(filter.limit.unwrap_or(usize::MAX))
            .cloned()
            .collect();
        (records, looked_at)
    }
}

pub(super) fn scope_key(scope: &SessionScope) -> (String, String) {
    (scope.session_id.clone(), scope.id())
}

pub(super) fn matches(record: &ProcessRecord, filter: &ProcessListFilter) -> bool {
    let disposition_fits = |wanted: RecoveryDisposition| record.disposition() == wanted;
    filter.status.is_none_or(|status| record.status.kind() == status)
        && filter.waiting.is_none_or(|waiting| record.wait.is_some() == waiting)
        && filter.disposition.is_none_or(disposition_fits)
        && filter
            .definition
            .as_ref()
            .is_none_or(|wanted| record.registration.identity.definition.as_ref() == Some(wanted))
}

/// True if both stand at the same place in every index.
pub(super) fn is_indexed_alike(before: &ProcessRecord, after: &ProcessRecord) -> bool {
    !before.is_terminal()
        && !after.is_terminal()
        && before.registration.identity.definition == after.registration.identity.definition
        && before.registration.wake_target == after.registration.wake_target
}
