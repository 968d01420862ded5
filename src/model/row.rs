//! The rows of a store, as the rules see them. A [`StoredProcess`] is all that a decision about one process may see;
//! the parts are separate because a lease moves often and a record seldom. Nothing here is shown to callers.

use std::sync::Arc;

use crate::model::event::ProcessEvent;
use crate::model::lease::{Grant, ProcessLease};
use crate::model::process::{ProcessRecord, ProcessStatus};

/// A process as it is stored, from its registration to its prune.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredProcess {
    pub row: Arc<ProcessRow>,
    pub tenure: Tenure,
    /// The highest sequence of this id, over all its registrations.
    pub highest_sequence: u64,
}

/// The record, and the two facts about it that callers do not see.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessRow {
    pub record: ProcessRecord,
    pub provenance: GrantProvenance,
}

/// The grants under which the process was started and ended: they tell a retry from a stranger's call.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GrantProvenance {
    pub started_by: Option<Grant>,
    pub ended_by: Option<Grant>,
}

/// The holder of an id, and the highest fence that was ever granted for it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tenure {
    /// Stored and held; expired or not. `None` when free or released.
    pub lease: Option<Arc<ProcessLease>>,
    pub highest_fence: u64,
}

/// The part of a row that a decision about a lease needs. The registration, which may be large, is not read.
#[derive(Debug, Clone, PartialEq)]
pub struct LeaseRow {
    /// `None` when the id is unknown.
    pub status: Option<ProcessStatus>,
    pub tenure: Tenure,
}

/// The numbers that survive a prune: a new registration of the id goes on above them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HighWater {
    pub fence: u64,
    pub sequence: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    pub event: ProcessEvent,
    pub acked: bool,
}
