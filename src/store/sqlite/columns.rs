//! The columns of a row of SQLite, read one by one and put together as `store/columns.rs` says.

use rusqlite::Row;
use rusqlite::types::FromSql;

use crate::model::error::{RegistryError, RegistryResult};
use crate::model::event::ProcessEvent;
use crate::model::row::{ProcessRow, Tenure};
use crate::store::columns::{ProcessColumns, READ_ROW, damaged, event_of, from_column, tenure_of};

pub(super) const RECORD_COLUMNS: &str = "p.id, p.status, p.created_at, p.updated_at, p.registration_hash, p.state, p.output, \
                              r.registration";

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

/// Reads what [`RECORD_COLUMNS`] names, from `start` on.
pub(super) fn process_row(row: &Row<'_>, start: usize) -> RegistryResult<ProcessRow> {
    let id = id_column(row, start)?;
    ProcessColumns {
        registration: column(&id, row, start + 7)?,
        state: column(&id, row, start + 5)?,
        registration_hash: column(&id, row, start + 4)?,
        created_at_ms: number(&id, row, start + 2)?,
        updated_at_ms: number(&id, row, start + 3)?,
        status: column(&id, row, start + 1)?,
        output: column(&id, row, start + 6)?,
        id,
    }
    .into_row()
}

/// Reads (fence, lease).
pub(super) fn tenure(row_id: &str, row: &Row<'_>, start: usize) -> RegistryResult<Tenure> {
    let highest_fence = column::<Option<i64>>(row_id, row, start)?.map(from_column);
    tenure_of(row_id, highest_fence, column(row_id, row, start + 1)?)
}

/// Reads (sequence, event).
pub(super) fn event(process_id: &str, row: &Row<'_>) -> RegistryResult<ProcessEvent> {
    let sequence = number(process_id, row, 0)?;
    event_of(process_id, sequence, &column::<String>(process_id, row, 1)?)
}
