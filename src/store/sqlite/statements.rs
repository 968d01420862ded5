//! The statements of the SQLite store: each names the index that serves it where the planner would choose another. A
//! list that includes a damaged row is an error, never a shorter list.

use std::sync::Arc;

use rusqlite::{Connection, Params, Row, ToSql, params};

use crate::model::error::{RegistryError, RegistryResult};
use crate::model::event::ProcessEvent;
use crate::model::handle::{
    ProcessHandleDescriptor, ProcessHandleGrant, ProcessHandleGrantEntry, SessionScope,
};
use crate::model::process::{ProcessId, ProcessListFilter, ProcessRecord};
use crate::model::row::{HighWater, LeaseRow, ProcessRow, StoredEvent, StoredProcess, Tenure};
use crate::store::columns::{
    StateColumn, damaged, disposition_column, handle_without_row, json, status, status_column, text,
    to_column, without_holes,
};
use crate::store::invariants::{assert_change, assert_tenure};
use crate::store::rows::Rows;
use crate::store::sqlite::columns::{RECORD_COLUMNS, column, event, id_column, number, process_row, tenure};
use crate::store::sqlite::counters::SqliteCounters;

pub struct SqliteRows<'a> {
    connection: &'a Connection,
    counters: &'a mut SqliteCounters,
}

impl<'a> SqliteRows<'a> {
    pub fn new(connection: &'a Connection, counters: &'a mut SqliteCounters) -> Self {
        Self { connection, counters }
    }

    /// Every statement goes through here. `read` may fail on a damaged row; then the whole answer fails.
    fn query<T>(
        &mut self,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> RegistryResult<T>,
    ) -> RegistryResult<Vec<T>> {
        let failed = |cause: rusqlite::Error| RegistryError::backend("read the database", cause);
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let mut found = Vec::new();
        let mut rows = statement.query(params).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            found.push(read(row)?);
        }
        drop(rows);
        self.counters.add(&statement);
        Ok(found)
    }

    fn query_one<T>(
        &mut self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> RegistryResult<T>,
    ) -> RegistryResult<Option<T>> {
        Ok(self.query(sql, params, read)?.pop())
    }

    /// A write about one process; when it fails, a constraint that the stored rows break may be why.
    fn execute(&mut self, row_id: &str, sql: &str, params: impl Params) -> RegistryResult<u64> {
        let failed = |cause: rusqlite::Error| RegistryError::damaged("write the database", row_id, cause);
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let changed = statement.execute(params).map_err(failed)?;
        self.counters.add(&statement);
        Ok(changed as u64)
    }

    /// Reads (sequence, event) pairs.
    fn events(
        &mut self,
        process_id: &str,
        sql: &str,
        params: impl Params,
    ) -> RegistryResult<Vec<ProcessEvent>> {
        self.query(sql, params, |row| event(process_id, row))
    }

    /// A stretch of the log, ascending. A log with a hole is damaged, not short.
    fn stretch(
        &mut self,
        process_id: &str,
        sql: &str,
        params: impl Params,
    ) -> RegistryResult<Vec<ProcessEvent>> {
        without_holes(process_id, self.events(process_id, sql, params)?)
    }
}

/// The index that serves a list; the planner, without statistics, would take the one on status and look at every row of
/// that status.
fn index_for(filter: &ProcessListFilter) -> &'static str {
    match filter {
        ProcessListFilter { definition: Some(_), status: Some(_), .. } => {
            "INDEXED BY processes_by_definition"
        }
        ProcessListFilter { definition: Some(_), .. } => "INDEXED BY processes_of_definition",
        ProcessListFilter { waiting: Some(true), .. } => "INDEXED BY processes_waiting",
        ProcessListFilter { disposition: Some(_), status: Some(_), .. } => {
            "INDEXED BY processes_by_disposition"
        }
        ProcessListFilter { disposition: Some(_), .. } => "INDEXED BY processes_of_disposition",
        ProcessListFilter { status: Some(_), .. } => "INDEXED BY processes_by_status",
        _ => "",
    }
}

impl Rows for SqliteRows<'_> {
    fn lease_row(&mut self, process_id: &str) -> RegistryResult<LeaseRow> {
        // A lease is about work that somebody will read: a row that cannot be read is not leased.
        let of_process = self.query_one(
            "SELECT p.status, p.output, json_valid(p.state) AND json_valid(r.registration)
             FROM processes p LEFT JOIN registrations r ON r.id = p.id WHERE p.id = ?1",
            [process_id],
            |row| {
                if column::<Option<bool>>(process_id, row, 2)? != Some(true) {
                    return Err(damaged(process_id, "it is not valid JSON"));
                }
                status(process_id, column(process_id, row, 0)?, column(process_id, row, 1)?)
            },
        )?;
        let sql = "SELECT fence, lease FROM ids WHERE id = ?1";
        let of_id = self.query_one(sql, [process_id], |row| tenure(process_id, row, 0))?;
        match (of_process, of_id) {
            (Some(_), None) => Err(damaged(process_id, "its highest fence is missing")),
            (status, tenure) => Ok(LeaseRow { status, tenure: tenure.unwrap_or_default() }),
        }
    }

    fn put_tenure(&mut self, process_id: &str, tenure: &Tenure) -> RegistryResult<()> {
        assert_tenure(process_id, tenure);
        let lease = tenure.lease.as_deref().map(text).transpose()?;
        self.execute(
            process_id,
            "INSERT INTO ids (id, fence, sequence, lease) VALUES (?1, ?2, ?4, ?3)
             ON CONFLICT (id) DO UPDATE SET fence = excluded.fence, lease = excluded.lease",
            params![process_id, to_column(tenure.highest_fence), lease, to_column(0)],
        )?;
        Ok(())
    }

    fn stored_process(&mut self, process_id: &str) -> RegistryResult<Option<StoredProcess>> {
        let sql = format!(
            "SELECT {RECORD_COLUMNS}, i.fence, i.lease, i.sequence
             FROM processes p LEFT JOIN registrations r ON r.id = p.id LEFT JOIN ids i ON i.id = p.id WHERE p.id = ?1"
        );
        self.query_one(&sql, [process_id], |row| {
            Ok(StoredProcess {
                row: Arc::new(process_row(row, 0)?),
                tenure: tenure(process_id, row, 8)?,
                highest_sequence: number(process_id, row, 10)?,
            })
        })
    }

    fn exists(&mut self, process_id: &str) -> RegistryResult<bool> {
        let found = self.query_one("SELECT 1 FROM processes WHERE id = ?1", [process_id], |_| Ok(()))?;
        Ok(found.is_some())
    }

    fn put_row(&mut self, before: Option<&ProcessRow>, row: Arc<ProcessRow>) -> RegistryResult<()> {
        if let Some(before) = before {
            assert_change(before, &row);
        }
        let record = &row.record;
        let registration = &record.registration;
        if before.is_none() {
            // From here on the id has a highest fence: one that is missing later was lost, not never granted.
            self.execute(
                &registration.id,
                "INSERT INTO ids (id, fence, sequence, lease) VALUES (?1, ?2, ?2, NULL) ON CONFLICT (id) DO NOTHING",
                params![registration.id, to_column(0)],
            )?;
        }
        let write_registration = match before {
            // Remains of a lost row are damage: they must not become part of a new registration.
            None => Some("INSERT INTO registrations VALUES (?1, ?2)"),
            Some(before) if !Arc::ptr_eq(&before.record.registration, registration) => {
                Some("UPDATE registrations SET registration = ?2 WHERE id = ?1")
            }
            Some(_) => None,
        };
        if let Some(sql) = write_registration {
            self.execute(&registration.id, sql, params![registration.id, text(registration)?])?;
        }
        self.execute(
            record.id(),
            "INSERT INTO processes (id, status, waiting, disposition, definition, wake_session, created_at, \
             updated_at, registration_hash, state, output) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (id) DO UPDATE SET status = excluded.status, waiting = excluded.waiting,
             wake_session = excluded.wake_session, updated_at = excluded.updated_at, state = excluded.state,
             output = excluded.output",
            params![
                record.id(),
                status_column(record.status.kind()),
                record.wait.is_some(),
                disposition_column(record.disposition()),
                registration.identity.definition,
                registration.wake_target.as_ref().map(|target| &target.session_id),
                to_column(record.created_at_ms),
                to_column(record.updated_at_ms),
                record.registration_hash,
                text(&StateColumn::of(&row))?,
                record.status.output().map(text).transpose()?,
            ],
        )?;
        Ok(())
    }

    fn processes(&mut self, filter: &ProcessListFilter) -> RegistryResult<Vec<ProcessRecord>> {
        // Conditions stand in the text, so that the planner sees which index serves them; values are bound.
        let mut conditions = vec!["1".to_owned()];
        let mut bound: Vec<Box<dyn ToSql>> = Vec::new();
        let mut bind = |value: Box<dyn ToSql>| {
            bound.push(value);
            bound.len()
        };
        if let Some(status) = filter.status {
            conditions.push(format!("p.status = {}", status_column(status)));
        }
        if let Some(waiting) = filter.waiting {
            conditions.push(format!("p.waiting = {}", u8::from(waiting)));
        }
        if let Some(disposition) = filter.disposition {
            conditions.push(format!("p.disposition = {}", disposition_column(disposition)));
        }
        if let Some(definition) = &filter.definition {
            conditions.push(format!("p.definition = ?{}", bind(Box::new(definition.clone()))));
        }
        if let Some(after) = &filter.after {
            conditions.push(format!("p.id > ?{}", bind(Box::new(after.clone()))));
        }
        let limit = match filter.limit {
            None => String::new(),
            Some(limit) => format!(" LIMIT ?{}", bind(Box::new(i64::try_from(limit).unwrap_or(i64::MAX)))),
        };
        let sql = format!(
            "SELECT {RECORD_COLUMNS} FROM processes p {} LEFT JOIN registrations r ON r.id = p.id
             WHERE {} ORDER BY p.id{limit}",
            index_for(filter),
            conditions.join(" AND ")
        );
        self.query(&sql, rusqlite::params_from_iter(bound), |row| process_row(row, 0).map(|row| row.record))
    }

    fn processes_waking(&mut self, session_id: &str) -> RegistryResult<Vec<ProcessId>> {
        self.query("SELECT id FROM processes WHERE wake_session = ?1 ORDER BY id", [session_id], |row| {
            id_column(row, 0)
        })
    }

    fn ended_through(&mut self, updated_at_ms: u64) -> RegistryResult<Vec<ProcessId>> {
        self.query(
            "SELECT id FROM processes WHERE status != 0 AND updated_at <= ?1 ORDER BY updated_at, id",
            [to_column(updated_at_ms)],
            |row| id_column(row, 0),
        )
    }

    fn high_water(&mut self, process_id: &str) -> RegistryResult<HighWater> {
        let reached =
            self.query_one("SELECT fence, sequence FROM ids WHERE id = ?1", [process_id], |row| {
                Ok(HighWater { fence: number(process_id, row, 0)?, sequence: number(process_id, row, 1)? })
            })?;
        Ok(reached.unwrap_or_default())
    }

    fn prune(&mut self, process_id: &str, kept: HighWater) -> RegistryResult<u64> {
        let events = self.execute(process_id, "DELETE FROM events WHERE process_id = ?1", [process_id])?;
        self.execute(process_id, "DELETE FROM handles WHERE process_id = ?1", [process_id])?;
        self.execute(process_id, "DELETE FROM registrations WHERE id = ?1", [process_id])?;
        self.execute(process_id, "DELETE FROM processes WHERE id = ?1", [process_id])?;
        self.execute(
            process_id,
            "INSERT INTO ids (id, fence, sequence, lease) VALUES (?1, ?2, ?3, NULL)
             ON CONFLICT (id) DO UPDATE SET fence = excluded.fence, sequence = excluded.sequence, lease = NULL",
            params![process_id, to_column(kept.fence), to_column(kept.sequence)],
        )?;
        Ok(events)
    }

    fn push_event(&mut self, event: ProcessEvent) -> RegistryResult<()> {
        self.execute(
            &event.process_id,
            "INSERT INTO events (process_id, sequence, event_type, replay_key, wake, event)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                event.process_id,
                to_column(event.sequence),
                event.event_type,
                event.replay_key,
                u8::from(event.wake.is_some()),
                text(&event)?,
            ],
        )?;
        self.execute(
            &event.process_id,
            "INSERT INTO ids (id, fence, sequence, lease) VALUES (?1, ?3, ?2, NULL)
             ON CONFLICT (id) DO UPDATE SET sequence = excluded.sequence",
            params![event.process_id, to_column(event.sequence), to_column(0)],
        )?;
        Ok(())
    }

    fn event(&mut self, process_id: &str, sequence: u64) -> RegistryResult<Option<StoredEvent>> {
        self.query_one(
            "SELECT sequence, event, wake FROM events WHERE process_id = ?1 AND sequence = ?2",
            params![process_id, to_column(sequence)],
            |row| {
                Ok(StoredEvent {
                    event: event(process_id, row)?,
                    acked: column::<i64>(process_id, row, 2)? == 2,
                })
            },
        )
    }

    fn event_by_replay_key(&mut self, process_id: &str, key: &str) -> RegistryResult<Option<ProcessEvent>> {
        let sql = "SELECT sequence, event FROM events WHERE process_id = ?1 AND replay_key = ?2";
        Ok(self.events(process_id, sql, [process_id, key])?.pop())
    }

    fn events_after(&mut self, process_id: &str, after: u64) -> RegistryResult<Vec<ProcessEvent>> {
        let sql =
            "SELECT sequence, event FROM events WHERE process_id = ?1 AND sequence > ?2 ORDER BY sequence";
        self.stretch(process_id, sql, params![process_id, to_column(after)])
    }

    fn unacked_wakes_after(&mut self, process_id: &str, after: u64) -> RegistryResult<Vec<ProcessEvent>> {
        let sql = "SELECT sequence, event FROM events INDEXED BY events_waking
             WHERE process_id = ?1 AND wake = 1 AND sequence > ?2 ORDER BY sequence";
        self.events(process_id, sql, params![process_id, to_column(after)])
    }

    fn recent_events(&mut self, process_id: &str, limit: usize) -> RegistryResult<Vec<ProcessEvent>> {
        let sql = "SELECT sequence, event FROM events WHERE process_id = ?1 ORDER BY sequence DESC LIMIT ?2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.stretch(process_id, sql, params![process_id, limit])
    }

    fn count_events(&mut self, process_id: &str, event_type: &str, through: u64) -> RegistryResult<u64> {
        let counted = self.query_one(
            "SELECT count(*) FROM events WHERE process_id = ?1 AND event_type = ?2 AND sequence <= ?3",
            params![process_id, event_type, to_column(through)],
            |row| column::<i64>(process_id, row, 0),
        )?;
        Ok(counted.unwrap_or_default().unsigned_abs())
    }

    fn ack(&mut self, process_id: &str, sequence: u64) -> RegistryResult<()> {
        self.execute(
            process_id,
            "UPDATE events SET wake = 2 WHERE process_id = ?1 AND sequence = ?2",
            params![process_id, to_column(sequence)],
        )?;
        Ok(())
    }

    fn put_handle(
        &mut self,
        scope: &SessionScope,
        process_id: &str,
        descriptor: &ProcessHandleDescriptor,
    ) -> RegistryResult<()> {
        self.execute(
            process_id,
            "INSERT INTO handles (scope_id, process_id, session_id, frame_id, descriptor)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (scope_id, process_id) DO UPDATE SET descriptor = excluded.descriptor",
            params![scope.id(), process_id, scope.session_id, scope.agent_frame_id, text(descriptor)?],
        )?;
        Ok(())
    }

    fn handle(
        &mut self,
        scope: &SessionScope,
        process_id: &str,
    ) -> RegistryResult<Option<ProcessHandleDescriptor>> {
        self.query_one(
            "SELECT descriptor FROM handles WHERE scope_id = ?1 AND process_id = ?2",
            params![scope.id(), process_id],
            |row| json(process_id, &column::<String>(process_id, row, 0)?),
        )
    }

    fn remove_handle(&mut self, scope: &SessionScope, process_id: &str) -> RegistryResult<()> {
        self.execute(
            process_id,
            "DELETE FROM handles WHERE scope_id = ?1 AND process_id = ?2",
            params![scope.id(), process_id],
        )?;
        Ok(())
    }

    fn handles_of_scope(&mut self, scope: &SessionScope) -> RegistryResult<Vec<ProcessHandleGrantEntry>> {
        let sql = format!(
            "SELECT h.process_id, h.descriptor, {RECORD_COLUMNS} FROM handles h
             LEFT JOIN processes p ON p.id = h.process_id LEFT JOIN registrations r ON r.id = p.id
             WHERE h.scope_id = ?1 ORDER BY h.process_id"
        );
        self.query(&sql, [scope.id()], |row| {
            let id = id_column(row, 0)?;
            if column::<Option<String>>(&id, row, 2)?.is_none() {
                return Err(handle_without_row(&id));
            }
            let record = process_row(row, 2)?.record;
            let descriptor = json(&id, &column::<String>(&id, row, 1)?)?;
            Ok((ProcessHandleGrant::new(scope, record.id(), descriptor), record))
        })
    }

    fn handles_on(&mut self, process_id: &str) -> RegistryResult<Vec<ProcessHandleGrant>> {
        self.query(
            "SELECT session_id, descriptor FROM handles WHERE process_id = ?1 ORDER BY session_id, scope_id",
            [process_id],
            |row| {
                Ok(ProcessHandleGrant {
                    session_id: column(process_id, row, 0)?,
                    process_id: process_id.to_owned(),
                    descriptor: json(process_id, &column::<String>(process_id, row, 1)?)?,
                })
            },
        )
    }

    fn handles_of_session(&mut self, session_id: &str) -> RegistryResult<Vec<(ProcessId, SessionScope)>> {
        self.query(
            "SELECT h.process_id, h.frame_id, p.id IS NOT NULL FROM handles h
             LEFT JOIN processes p ON p.id = h.process_id
             WHERE h.session_id = ?1 ORDER BY h.process_id, h.scope_id",
            [session_id],
            |row| {
                let id = id_column(row, 0)?;
                if !column::<bool>(&id, row, 2)? {
                    return Err(handle_without_row(&id));
                }
                let frame: String = column(&id, row, 1)?;
                Ok((id, SessionScope::frame(session_id, frame)))
            },
        )
    }
}
