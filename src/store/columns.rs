//! The columns that a database keeps of a row, whatever the database: how rows become them, and how they become rows
//! again. A row that cannot be read back, or that says it belongs elsewhere, is an error that names it.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::model::error::{RegistryError, RegistryResult};
use crate::model::event::ProcessEvent;
use crate::model::lease::{Grant, ProcessLease};
use crate::model::process::{
    AbandonRequest, ProcessAwaitOutput, ProcessExternalRef, ProcessId, ProcessRecord, ProcessRegistration,
    ProcessStarted, ProcessStatus, ProcessStatusKind, RecoveryDisposition, WaitState,
};
use crate::model::row::{GrantProvenance, ProcessRow, Tenure};

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

impl StateColumn {
    pub(super) fn of(row: &ProcessRow) -> Self {
        let ProcessRow { record, provenance } = row;
        Self {
            external_ref: record.external_ref.clone(),
            first_started: record.first_started.clone(),
            abandon_request: record.abandon_request.clone(),
            wait: record.wait.clone(),
            started_by: provenance.started_by.clone(),
            ended_by: provenance.ended_by.clone(),
        }
    }
}

/// A process row as it was read, before it is known to be whole.
pub(super) struct ProcessColumns {
    pub(super) id: ProcessId,
    pub(super) status: i64,
    pub(super) created_at_ms: u64,
    pub(super) updated_at_ms: u64,
    pub(super) registration_hash: String,
    pub(super) state: String,
    pub(super) output: Option<String>,
    pub(super) registration: Option<String>,
}

pub(super) const READ_ROW: &str = "read a stored row";

pub(super) fn damaged(row_id: &str, cause: impl ToString) -> RegistryError {
    RegistryError::damaged(READ_ROW, row_id, cause)
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

impl ProcessColumns {
    pub(super) fn into_row(self) -> RegistryResult<ProcessRow> {
        let id = self.id;
        let Some(registration) = self.registration else {
            return Err(damaged(&id, "its registration is missing"));
        };
        let registration: ProcessRegistration = json(&id, &registration)?;
        if registration.id != id {
            return Err(damaged(&id, format!("its registration is that of `{}`", registration.id)));
        }
        let state: StateColumn = json(&id, &self.state)?;
        let record = ProcessRecord {
            registration: Arc::new(registration),
            registration_hash: self.registration_hash,
            created_at_ms: self.created_at_ms,
            updated_at_ms: self.updated_at_ms,
            external_ref: state.external_ref,
            first_started: state.first_started,
            abandon_request: state.abandon_request,
            wait: state.wait,
            status: status(&id, self.status, self.output)?,
        };
        let provenance = GrantProvenance { started_by: state.started_by, ended_by: state.ended_by };
        Ok(ProcessRow { record, provenance })
    }
}

/// An id whose highest fence is missing, or below that of its lease, would grant one twice.
pub(super) fn tenure_of(
    row_id: &str,
    highest_fence: Option<u64>,
    lease: Option<String>,
) -> RegistryResult<Tenure> {
    let Some(highest_fence) = highest_fence else {
        return Err(damaged(row_id, "its highest fence is missing"));
    };
    let lease = lease.map(|lease| json::<ProcessLease>(row_id, &lease)).transpose()?;
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

pub(super) fn event_of(process_id: &str, sequence: u64, event: &str) -> RegistryResult<ProcessEvent> {
    let event: ProcessEvent = json(process_id, event)?;
    if event.sequence != sequence || event.process_id != process_id {
        return Err(damaged(process_id, format!("what stands as event {sequence} is another one")));
    }
    Ok(event)
}

/// A stretch of the log, ascending. A log with a hole is damaged, not short.
pub(super) fn without_holes(
    process_id: &str,
    mut events: Vec<ProcessEvent>,
) -> RegistryResult<Vec<ProcessEvent>> {
    events.sort_by_key(|event| event.sequence);
    let hole = events.windows(2).find(|pair| pair[1].sequence != pair[0].sequence + 1);
    match hole {
        Some(pair) => Err(damaged(process_id, format!("event {} is missing", pair[0].sequence + 1))),
        None => Ok(events),
    }
}

pub(super) fn handle_without_row(id: &str) -> RegistryError {
    damaged(id, "a handle is on it and its row is missing")
}

/// Integers of databases are signed: moving zero to the lowest keeps every `u64` and their order.
pub(super) fn to_column(value: u64) -> i64 {
    (value ^ (1 << 63)).cast_signed()
}

pub(super) fn from_column(column: i64) -> u64 {
    column.cast_unsigned() ^ (1 << 63)
}

#[cfg(test)]
mod tests {
    use super::{from_column, to_column};

    #[test]
    fn every_number_comes_back_and_the_order_stays() {
        let numbers = [0, 1, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, u64::MAX - 1, u64::MAX];
        assert!(numbers.iter().all(|number| from_column(to_column(*number)) == *number));
        assert!(numbers.windows(2).all(|pair| to_column(pair[0]) < to_column(pair[1])));
    }
}
