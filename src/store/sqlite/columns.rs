//! How rows become columns of the database and columns become rows again. A row that cannot be read back, or that says
//! it belongs elsewhere, is an error that names it.

use std::sync::Arc;

use rusqlite::Row;
use rusqlite::types::FromSql;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::model::error::{RegistryError, RegistryResult};
use crate::model::event::ProcessEvent;
use crate::model::lease::{Grant, ProcessLease};
use crate::model::process::{
    AbandonRequest, ProcessAwaitOutput, ProcessExternalRef, ProcessRecord, ProcessRegistration,
    ProcessStarted, ProcessStatus, ProcessStatusKind, RecoveryDisposition, WaitState,
};
use crate::model::row::{GrantProvenance, ProcessRow, Tenure};
use crate::store::sqlite::schema::from_column;

/// The parts of a row that no statement looks for. Every field must be there: one that is missing was not "none".
#[derive(Serialize, Deserialize)]
pub(super) struct StateColumn {
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) external_ref: Option<ProcessExternalRef>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) first_started: Option<ProcessStarted>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) abandon_request: Option<AbandonRequest>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) wait: Option<WaitState>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) started_by: Option<Grant>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) ended_by: Option<Grant>,
}

pub(super) const RECORD_COLUMNS: &str = "p.id, p.status, p.created_at, p.updated_at, p.registration_hash, p.state, p.output, \
                              r.registration";

pub(super) const READ_ROW: &str = "read a stored row";

pub(super) fn damaged(row_id: &str, cause: impl ToString) -> RegistryError {
    RegistryError::damaged(READ_ROW, row_id, cause)
}

/// A column of the row that belongs to `row_id`.
pub(super) fn column<T: FromSql>(row_id: &str, row: &Row<'_>, index: usize) -> RegistryResult<T> {
    row.get(index).map_err(|cause| damaged(row_id, cause))
}

pub(super) fn number(row_id: &str, row: &Row<'_>, index: usize) -> RegistryResult<u64> {
    column(row_id, row, index).map(from_column)
}

/// An id, before it is known whose row this is.
pub(super) fn id_column(row: &Row<'_>, index: usize) -> RegistryResult<String> {
    row.get(index).map_err(|cause| RegistryError::backend(READ_ROW, cause))
}

pub(super) fn json<T: DeserializeOwned>(row_id: &str, text: &str) -> RegistryResult<T> {
    serde_json::from_str(text).map_err(|cause| damaged(row_id, cause))
}

pub(super) fn text(value: &impl Serialize) -> RegistryResult<String> {
    serde_json::to_string(value).map_err(|cause| RegistryError::backend("write a row", cause))
}

pub(super) fn status_column(kind: ProcessStatusKind) -> i64 {
    match kind {
        ProcessStatusKind::Running => 0,
        ProcessStatusKind::Completed => 1,
        ProcessStatusKind::Failed => 2,
        ProcessStatusKind::Cancelled => 3,
        ProcessStatusKind::Abandoned => 4,
    }
}

pub(super) fn disposition_column(disposition: RecoveryDisposition) -> i64 {
    match disposition {
        RecoveryDisposition::Rerunnable => 0,
        RecoveryDisposition::OwnerBound => 1,
        RecoveryDisposition::ExternallyOwned => 2,
    }
}

/// The outcome decides the status; the column is there to be searched and must agree.
pub(super) fn status(row_id: &str, column: i64, output: Option<String>) -> RegistryResult<ProcessStatus> {
    let status = match output {
        None => ProcessStatus::Running,
        Some(output) => ProcessStatus::ended(json::<ProcessAwaitOutput>(row_id, &output)?),
    };
    if status_column(status.kind()) != column {
        return Err(damaged(
            row_id,
            format!("status column {column} contradicts the outcome ({})", status.name()),
        ));
    }
    Ok(status)
}

/// Reads what [`RECORD_COLUMNS`] names, from `start` on.
pub(super) fn process_row(row: &Row<'_>, start: usize) -> RegistryResult<ProcessRow> {
    let id = id_column(row, start)?;
    let registration: Option<String> = column(&id, row, start + 7)?;
    let Some(registration) = registration else {
        return Err(damaged(&id, "its registration is missing"));
    };
    let registration: ProcessRegistration = json(&id, &registration)?;
    if registration.id != id {
        return Err(damaged(&id, format!("its registration is that of `{}`", registration.id)));
    }
    let state: StateColumn = json(&id, &column::<String>(&id, row, start + 5)?)?;
    let record = ProcessRecord {
        registration: Arc::new(registration),
        registration_hash: column(&id, row, start + 4)?,
        created_at_ms: number(&id, row, start + 2)?,
        updated_at_ms: number(&id, row, start + 3)?,
        external_ref: state.external_ref,
        first_started: state.first_started,
        abandon_request: state.abandon_request,
        wait: state.wait,
        status: status(&id, column(&id, row, start + 1)?, column(&id, row, start + 6)?)?,
    };
    let provenance = GrantProvenance { started_by: state.started_by, ended_by: state.ended_by };
    Ok(ProcessRow { record, provenance })
}

/// Reads (fence, lease). An id whose highest fence is missing, or below that of its lease, would grant one twice.
pub(super) fn tenure(row_id: &str, row: &Row<'_>, start: usize) -> RegistryResult<Tenure> {
    let Some(highest_fence) = column::<Option<i64>>(row_id, row, start)?.map(from_column) else {
        return Err(damaged(row_id, "its highest fence is missing"));
    };
    let lease = match column::<Option<String>>(row_id, row, start + 1)? {
        None => None,
        Some(lease) => Some(json::<ProcessLease>(row_id, &lease)?),
    };
    match &lease {
        Some(lease) if lease.process_id != row_id => {
            Err(damaged(row_id, format!("its lease is on `{}`", lease.process_id)))
        }
        Some(lease) if lease.fencing_token > highest_fence => {
            Err(damaged(row_id, format!("its lease is above its highest fence {highest_fence}")))
        }
        _ => Ok(Tenure { lease: lease.map(Arc::new), highest_fence }),
    }
}

/// Reads (sequence, event).
pub(super) fn event(process_id: &str, row: &Row<'_>) -> RegistryResult<ProcessEvent> {
    let sequence = number(process_id, row, 0)?;
    let event: ProcessEvent = json(process_id, &column::<String>(process_id, row, 1)?)?;
    if event.sequence != sequence || event.process_id != process_id {
        return Err(damaged(process_id, format!("what stands as event {sequence} is another one")));
    }
    Ok(event)
}

pub(super) fn handle_without_row(id: &str) -> RegistryError {
    damaged(id, "a handle is on it and its row is missing")
}
