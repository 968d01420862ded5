//! The columns of a row of Postgres, read one by one and put together as `store/columns.rs` says.

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::model::error::{RegistryError, RegistryResult};
use crate::model::event::ProcessEvent;
use crate::model::process::ProcessId;
use crate::model::row::{ProcessRow, Tenure};
use crate::store::columns::{ProcessColumns, READ_ROW, damaged, event_of, from_column, tenure_of};
use crate::store::postgres::keys::from_key;

/// A column of the row that belongs to `row_id`.
pub(super) fn column<'a, T: FromSql<'a>>(row_id: &str, row: &'a Row, index: usize) -> RegistryResult<T> {
    row.try_get(index).map_err(|cause| damaged(row_id, cause))
}

pub(super) fn number(row_id: &str, row: &Row, index: usize) -> RegistryResult<u64> {
    column(row_id, row, index).map(from_column)
}

/// An id, before it is known whose row this is.
pub(super) fn id_column(row: &Row, index: usize) -> RegistryResult<ProcessId> {
    let key: &str = row.try_get(index).map_err(|cause| RegistryError::backend(READ_ROW, cause))?;
    from_key(key).ok_or_else(|| damaged(key, "its id is none"))
}

/// Reads `p.id, p.status, p.created_at, p.updated_at, p.registration_hash, p.state, p.output, r.registration` from
/// `start` on.
pub(super) fn process_row(row: &Row, start: usize) -> RegistryResult<ProcessRow> {
    let id = id_column(row, start)?;
    ProcessColumns {
        status: i64::from(column::<i16>(&id, row, start + 1)?),
        created_at_ms: number(&id, row, start + 2)?,
        updated_at_ms: number(&id, row, start + 3)?,
        registration_hash: column(&id, row, start + 4)?,
        state: column(&id, row, start + 5)?,
        output: column(&id, row, start + 6)?,
        registration: column(&id, row, start + 7)?,
        id,
    }
    .into_row()
}

/// Reads (fence, lease).
pub(super) fn tenure(row_id: &str, row: &Row, start: usize) -> RegistryResult<Tenure> {
    let highest_fence = column::<Option<i64>>(row_id, row, start)?.map(from_column);
    tenure_of(row_id, highest_fence, column(row_id, row, start + 1)?)
}

/// Reads (sequence, event).
pub(super) fn event(process_id: &str, row: &Row) -> RegistryResult<ProcessEvent> {
    let sequence = number(process_id, row, 0)?;
    event_of(process_id, sequence, column(process_id, row, 1)?)
}
