//! The writes of a step, as statements that wait for their round trip.

use crate::model::error::RegistryResult;
use crate::model::event::ProcessEvent;
use crate::model::handle::{ProcessHandleDescriptor, SessionScope};
use crate::model::process::ProcessId;
use crate::model::row::{HighWater, ProcessRow, Tenure};
use crate::store::columns::{StateColumn, disposition_column, status_column, text, to_column};
use crate::store::postgres::connection::BoundStatement;
use crate::store::postgres::keys::to_key;
use crate::store::postgres::queries::{MAKE_LOCKABLE, scope_key};

const PUT_TENURE: &str = "INSERT INTO ids (id, fence, sequence, lease) VALUES ($1, $2, $3, $4::text::json)
    ON CONFLICT (id) DO UPDATE SET fence = excluded.fence, lease = excluded.lease";
const PUT_SEQUENCE: &str = "INSERT INTO ids (id, fence, sequence, lease) VALUES ($1, $3, $2, NULL)
    ON CONFLICT (id) DO UPDATE SET sequence = excluded.sequence";
/// Remains of a lost row are damage: they must not become part of a new registration.
const INSERT_REGISTRATION: &str = "INSERT INTO registrations (id, registration) VALUES ($1, $2::text::json)";
const CHANGE_REGISTRATION: &str = "UPDATE registrations SET registration = $2::text::json WHERE id = $1";
const INSERT_PROCESS: &str =
    "INSERT INTO processes (id, status, waiting, wake_session, updated_at, ended_at, state,
    output, disposition, definition, created_at, registration_hash)
    VALUES ($1, $2, $3, $4, $5, $6, $7::text::json, $8::text::json, $9, $10, $11, $12)";
const CHANGE_PROCESS: &str =
    "UPDATE processes SET status = $2, waiting = $3, wake_session = $4, updated_at = $5,
    ended_at = $6, state = $7::text::json, output = $8::text::json WHERE id = $1";
const INSERT_EVENT: &str = "INSERT INTO events (process_id, sequence, event_type, replay_key, wake, event)
    VALUES ($1, $2, $3, $4, $5, $6::text::json)";
const ACK: &str = "UPDATE events SET wake = 2 WHERE process_id = $1 AND sequence = $2";
const PUT_HANDLE: &str = "INSERT INTO handles (scope_key, process_id, session_id, frame_id, descriptor)
    VALUES ($1, $2, $3, $4, $5::text::json)
    ON CONFLICT (scope_key, process_id) DO UPDATE SET descriptor = excluded.descriptor";
const REMOVE_HANDLE: &str = "DELETE FROM handles WHERE scope_key = $1 AND process_id = $2";

const PRUNE: [&str; 4] = [
    "DELETE FROM events WHERE process_id = ANY($1)",
    "DELETE FROM handles WHERE process_id = ANY($1)",
    "DELETE FROM registrations WHERE id = ANY($1)",
    "DELETE FROM processes WHERE id = ANY($1)",
];
const KEEP_HIGH_WATERS: &str = "UPDATE ids SET fence = kept.fence, sequence = kept.sequence, lease = NULL
    FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS kept (id, fence, sequence) WHERE ids.id = kept.id";

/// Statements in the order in which the step wrote, each with the process it is about.
#[derive(Default)]
pub(super) struct PendingWrites {
    written: Vec<(ProcessId, BoundStatement)>,
    /// Prunes that follow each other become a few statements for all of them.
    pruned: Vec<(ProcessId, HighWater)>,
}

impl PendingWrites {
    /// Takes all pending writes: the processes, and a statement for each.
    pub(super) fn take(&mut self) -> (Vec<ProcessId>, Vec<BoundStatement>) {
        self.settle_prunes();
        std::mem::take(&mut self.written).into_iter().unzip()
    }

    fn push(&mut self, process_id: &str, request: BoundStatement) {
        self.settle_prunes();
        self.written.push((process_id.to_owned(), request));
    }

    fn settle_prunes(&mut self) {
        let Some((first, _)) = self.pruned.first() else { return };
        let first = first.clone();
        let ids: Vec<String> = self.pruned.iter().map(|(id, _)| to_key(id)).collect();
        let fences: Vec<i64> = self.pruned.iter().map(|(_, kept)| to_column(kept.fence)).collect();
        let sequences: Vec<i64> = self.pruned.iter().map(|(_, kept)| to_column(kept.sequence)).collect();
        self.pruned.clear();
        for sql in PRUNE {
            self.written.push((first.clone(), BoundStatement::new(sql).bind(ids.clone())));
        }
        let keep = BoundStatement::new(KEEP_HIGH_WATERS).bind(ids).bind(fences).bind(sequences);
        self.written.push((first, keep));
    }

    pub(super) fn prune(&mut self, process_id: &str, kept: HighWater) {
        self.pruned.push((process_id.to_owned(), kept));
    }

    pub(super) fn put_tenure(&mut self, process_id: &str, tenure: &Tenure) -> RegistryResult<()> {
        let lease = tenure.lease.as_deref().map(text).transpose()?;
        let request = BoundStatement::new(PUT_TENURE)
            .bind(to_key(process_id))
            .bind(to_column(tenure.highest_fence))
            .bind(to_column(0))
            .bind(lease);
        self.push(process_id, request);
        Ok(())
    }

    pub(super) fn put_row(&mut self, before: Option<&ProcessRow>, row: &ProcessRow) -> RegistryResult<()> {
        let record = &row.record;
        let registration = &record.registration;
        let id = record.id();
        if before.is_none() {
            // From here on the id has a highest fence: one that is missing later was lost, not never granted.
            self.push(id, BoundStatement::new(MAKE_LOCKABLE).bind(to_key(id)).bind(to_column(0)));
        }
        let registered = match before {
            None => Some(INSERT_REGISTRATION),
            Some(before) if !std::sync::Arc::ptr_eq(&before.record.registration, registration) => {
                Some(CHANGE_REGISTRATION)
            }
            Some(_) => None,
        };
        if let Some(sql) = registered {
            self.push(id, BoundStatement::new(sql).bind(to_key(id)).bind(text(registration)?));
        }
        let updated_at = to_column(record.updated_at_ms);
        let changing = BoundStatement::new(if before.is_none() { INSERT_PROCESS } else { CHANGE_PROCESS })
            .bind(to_key(id))
            .bind(narrow(status_column(record.status.kind())))
            .bind(record.wait.is_some())
            .bind(registration.wake_target.as_ref().map(|target| to_key(&target.session_id)))
            .bind(updated_at)
            .bind(record.is_terminal().then_some(updated_at))
            .bind(text(&StateColumn::of(row))?)
            .bind(record.status.output().map(text).transpose()?);
        let request = match before {
            Some(_) => changing,
            None => changing
                .bind(narrow(disposition_column(record.disposition())))
                .bind(registration.identity.definition.as_deref().map(to_key))
                .bind(to_column(record.created_at_ms))
                .bind(record.registration_hash.clone()),
        };
        self.push(id, request);
        Ok(())
    }

    pub(super) fn push_event(&mut self, event: &ProcessEvent) -> RegistryResult<()> {
        let id = &event.process_id;
        let request = BoundStatement::new(INSERT_EVENT)
            .bind(to_key(id))
            .bind(to_column(event.sequence))
            .bind(to_key(&event.event_type))
            .bind(event.replay_key.as_deref().map(to_key))
            .bind(i16::from(event.wake.is_some()))
            .bind(text(event)?);
        self.push(id, request);
        let reached = BoundStatement::new(PUT_SEQUENCE).bind(to_key(id)).bind(to_column(event.sequence));
        self.push(id, reached.bind(to_column(0)));
        Ok(())
    }

    pub(super) fn ack(&mut self, process_id: &str, sequence: u64) {
        self.push(process_id, BoundStatement::new(ACK).bind(to_key(process_id)).bind(to_column(sequence)));
    }

    pub(super) fn put_handle(
        &mut self,
        scope: &SessionScope,
        process_id: &str,
        descriptor: &ProcessHandleDescriptor,
    ) -> RegistryResult<()> {
        let request = BoundStatement::new(PUT_HANDLE)
            .bind(scope_key(scope))
            .bind(to_key(process_id))
            .bind(to_key(&scope.session_id))
            .bind(to_key(&scope.agent_frame_id))
            .bind(text(descriptor)?);
        self.push(process_id, request);
        Ok(())
    }

    pub(super) fn remove_handle(&mut self, scope: &SessionScope, process_id: &str) {
        self.push(
            process_id,
            BoundStatement::new(REMOVE_HANDLE).bind(scope_key(scope)).bind(to_key(process_id)),
        );
    }
}

/// The numbers of statuses and dispositions are small.
fn narrow(column: i64) -> i16 {
    i16::try_from(column).unwrap_or(i16::MAX)
}
