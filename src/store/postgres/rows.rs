//! The rows of a Postgres transaction, as steps see them. A list that includes a damaged row is an error, never a
//! shorter list.

use std::sync::Arc;

use tokio_postgres::Row;

use crate::model::error::RegistryResult;
use crate::model::event::ProcessEvent;
use crate::model::handle::{
    ProcessHandleDescriptor, ProcessHandleGrant, ProcessHandleGrantEntry, SessionScope,
};
use crate::model::process::{ProcessId, ProcessListFilter, ProcessRecord};
use crate::model::row::{HighWater, LeaseRow, ProcessRow, StoredEvent, StoredProcess, Tenure};
use crate::store::columns::{damaged, handle_without_row, json, status, without_holes};
use crate::store::footprint::RowsRead;
use crate::store::invariants::{assert_change, assert_tenure};
use crate::store::postgres::columns::{column, event, id_column, number, process_row, tenure};
use crate::store::postgres::keys::from_key;
use crate::store::postgres::transaction::CallTransaction;
use crate::store::rows::Rows;

/// A transaction, and whose clock its step goes by.
pub(super) struct PostgresRows<'a> {
    pub(super) transaction: CallTransaction<'a>,
    pub(super) has_own_clock: bool,
}

impl PostgresRows<'_> {
    fn read(&mut self, read: &RowsRead) -> RegistryResult<Vec<Row>> {
        self.transaction.rows(read)
    }

    fn events(&mut self, process_id: &str, read: &RowsRead) -> RegistryResult<Vec<ProcessEvent>> {
        self.read(read)?.iter().map(|row| event(process_id, row)).collect()
    }
}

impl Rows for PostgresRows<'_> {
    fn clock_reading_ms(&self) -> Option<u64> {
        self.has_own_clock.then_some(self.transaction.now_ms)
    }

    fn lease_row(&mut self, process_id: &str) -> RegistryResult<LeaseRow> {
        let rows = self.read(&RowsRead::LeaseRow(process_id.to_owned()))?;
        let Some(row) = rows.first() else {
            return Ok(LeaseRow { status: None, tenure: Tenure::default() });
        };
        let has_id_row = column::<Option<i64>>(process_id, row, 0)?.is_some();
        if !column::<bool>(process_id, row, 2)? {
            let tenure = if has_id_row { tenure(process_id, row, 0)? } else { Tenure::default() };
            return Ok(LeaseRow { status: None, tenure });
        }
        // A lease is about work that somebody will read: a row that cannot be read is not leased.
        if !column::<bool>(process_id, row, 5)? {
            return Err(damaged(process_id, "its registration is missing"));
        }
        let status =
            status(process_id, column::<i16>(process_id, row, 3)?.into(), column(process_id, row, 4)?)?;
        Ok(LeaseRow { status: Some(status), tenure: tenure(process_id, row, 0)? })
    }

    fn put_tenure(&mut self, process_id: &str, tenure: &Tenure) -> RegistryResult<()> {
        assert_tenure(process_id, tenure);
        self.transaction.touch(process_id);
        self.transaction.pending.put_tenure(process_id, tenure)
    }

    fn stored_process(&mut self, process_id: &str) -> RegistryResult<Option<StoredProcess>> {
        let rows = self.read(&RowsRead::StoredProcess(process_id.to_owned()))?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Some(StoredProcess {
            row: Arc::new(process_row(row, 0)?),
            tenure: tenure(process_id, row, 8)?,
            highest_sequence: number(process_id, row, 10)?,
        }))
    }

    fn exists(&mut self, process_id: &str) -> RegistryResult<bool> {
        Ok(!self.read(&RowsRead::Exists(process_id.to_owned()))?.is_empty())
    }

    fn put_row(&mut self, before: Option<&ProcessRow>, row: Arc<ProcessRow>) -> RegistryResult<()> {
        if let Some(before) = before {
            assert_change(before, &row);
        }
        self.transaction.touch(row.record.id());
        self.transaction.pending.put_row(before, &row)
    }

    fn processes(&mut self, filter: &ProcessListFilter) -> RegistryResult<Vec<ProcessRecord>> {
        let rows = self.read(&RowsRead::Processes(filter.clone()))?;
        rows.iter().map(|row| process_row(row, 0).map(|row| row.record)).collect()
    }

    fn processes_waking(&mut self, session_id: &str) -> RegistryResult<Vec<ProcessId>> {
        let rows = self.read(&RowsRead::ProcessesWaking(session_id.to_owned()))?;
        rows.iter().map(|row| id_column(row, 0)).collect()
    }

    fn ended_through(&mut self, updated_at_ms: u64) -> RegistryResult<Vec<ProcessId>> {
        let rows = self.read(&RowsRead::EndedThrough(updated_at_ms))?;
        rows.iter().map(|row| id_column(row, 0)).collect()
    }

    fn high_water(&mut self, process_id: &str) -> RegistryResult<HighWater> {
        let rows = self.read(&RowsRead::HighWater(process_id.to_owned()))?;
        match rows.first() {
            None => Ok(HighWater::default()),
            Some(row) => {
                Ok(HighWater { fence: number(process_id, row, 1)?, sequence: number(process_id, row, 2)? })
            }
        }
    }

    fn prune(&mut self, process_id: &str, kept: HighWater) -> RegistryResult<u64> {
        let events = self.transaction.event_total(process_id)?;
        self.transaction.touch(process_id);
        self.transaction.pending.prune(process_id, kept);
        Ok(events)
    }

    fn push_event(&mut self, event: ProcessEvent) -> RegistryResult<()> {
        self.transaction.touch(&event.process_id);
        self.transaction.pending.push_event(&event)
    }

    fn event(&mut self, process_id: &str, sequence: u64) -> RegistryResult<Option<StoredEvent>> {
        let rows = self.read(&RowsRead::Event { process_id: process_id.to_owned(), sequence })?;
        let Some(row) = rows.first() else { return Ok(None) };
        let acked = column::<i16>(process_id, row, 2)? == 2;
        Ok(Some(StoredEvent { event: event(process_id, row)?, acked }))
    }

    fn event_by_replay_key(&mut self, process_id: &str, key: &str) -> RegistryResult<Option<ProcessEvent>> {
        let read = RowsRead::EventByReplayKey { process_id: process_id.to_owned(), key: key.to_owned() };
        Ok(self.events(process_id, &read)?.pop())
    }

    fn events_after(&mut self, process_id: &str, after: u64) -> RegistryResult<Vec<ProcessEvent>> {
        let read = RowsRead::EventsAfter { process_id: process_id.to_owned(), after };
        without_holes(process_id, self.events(process_id, &read)?)
    }

    fn unacked_wakes_after(&mut self, process_id: &str, after: u64) -> RegistryResult<Vec<ProcessEvent>> {
        self.events(process_id, &RowsRead::UnackedWakesAfter { process_id: process_id.to_owned(), after })
    }

    fn recent_events(&mut self, process_id: &str, limit: usize) -> RegistryResult<Vec<ProcessEvent>> {
        let read = RowsRead::RecentEvents { process_id: process_id.to_owned(), limit };
        without_holes(process_id, self.events(process_id, &read)?)
    }

    fn count_events(&mut self, process_id: &str, event_type: &str, through: u64) -> RegistryResult<u64> {
        let (process_id, event_type) = (process_id.to_owned(), event_type.to_owned());
        let rows =
            self.read(&RowsRead::CountEvents { process_id: process_id.clone(), event_type, through })?;
        match rows.first() {
            None => Ok(0),
            Some(row) => Ok(column::<i64>(&process_id, row, 0)?.unsigned_abs()),
        }
    }

    fn ack(&mut self, process_id: &str, sequence: u64) -> RegistryResult<()> {
        self.transaction.touch(process_id);
        self.transaction.pending.ack(process_id, sequence);
        Ok(())
    }

    fn put_handle(
        &mut self,
        scope: &SessionScope,
        process_id: &str,
        descriptor: &ProcessHandleDescriptor,
    ) -> RegistryResult<()> {
        self.transaction.touch(process_id);
        self.transaction.pending.put_handle(scope, process_id, descriptor)
    }

    fn handle(
        &mut self,
        scope: &SessionScope,
        process_id: &str,
    ) -> RegistryResult<Option<ProcessHandleDescriptor>> {
        let read = RowsRead::Handle { scope: scope.clone(), process_id: process_id.to_owned() };
        let rows = self.read(&read)?;
        rows.first().map(|row| json(process_id, column(process_id, row, 0)?)).transpose()
    }

    fn remove_handle(&mut self, scope: &SessionScope, process_id: &str) -> RegistryResult<()> {
        self.transaction.touch(process_id);
        self.transaction.pending.remove_handle(scope, process_id);
        Ok(())
    }

    fn handles_of_scope(&mut self, scope: &SessionScope) -> RegistryResult<Vec<ProcessHandleGrantEntry>> {
        let rows = self.read(&RowsRead::HandlesOfScope(scope.clone()))?;
        let entry = |row: &Row| {
            let id = id_column(row, 0)?;
            if column::<Option<&str>>(&id, row, 2)?.is_none() {
                return Err(handle_without_row(&id));
            }
            let record = process_row(row, 2)?.record;
            let descriptor = json(&id, column(&id, row, 1)?)?;
            Ok((ProcessHandleGrant::new(scope, record.id(), descriptor), record))
        };
        rows.iter().map(entry).collect()
    }

    fn handles_on(&mut self, process_id: &str) -> RegistryResult<Vec<ProcessHandleGrant>> {
        let rows = self.read(&RowsRead::HandlesOn(process_id.to_owned()))?;
        let mut grants = rows
            .iter()
            .map(|row| {
                let scope = scope(process_id, row, 0)?;
                let descriptor = json(process_id, column(process_id, row, 2)?)?;
                let order = (scope.session_id.clone(), scope.id());
                Ok((order, ProcessHandleGrant::new(&scope, process_id, descriptor)))
            })
            .collect::<RegistryResult<Vec<_>>>()?;
        grants.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(grants.into_iter().map(|(_, grant)| grant).collect())
    }

    fn handles_of_session(&mut self, session_id: &str) -> RegistryResult<Vec<(ProcessId, SessionScope)>> {
        let rows = self.read(&RowsRead::HandlesOfSession(session_id.to_owned()))?;
        let handle = |row: &Row| {
            let id = id_column(row, 0)?;
            if !column::<bool>(&id, row, 2)? {
                return Err(handle_without_row(&id));
            }
            let frame = name(&id, row, 1)?;
            Ok((id, SessionScope::frame(session_id, frame)))
        };
        let mut handles = rows.iter().map(handle).collect::<RegistryResult<Vec<_>>>()?;
        handles.sort_by_cached_key(|(id, scope)| (id.clone(), scope.id()));
        Ok(handles)
    }
}

/// Reads (session, frame).
fn scope(process_id: &str, row: &Row, start: usize) -> RegistryResult<SessionScope> {
    Ok(SessionScope::frame(name(process_id, row, start)?, name(process_id, row, start + 1)?))
}

fn name(process_id: &str, row: &Row, index: usize) -> RegistryResult<String> {
    from_key(column(process_id, row, index)?)
        .ok_or_else(|| damaged(process_id, "a name of its handle is none"))
}
