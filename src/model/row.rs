//! What a store keeps, as the rules see it. A [`StoredProcess`] is everything a decision about one process may look at; the
//! parts are separate because a lease moves often and a record seldom. Nothing here is shown to callers.

use std::sync::Arc;

use crate::model::event::ProcessEvent;
use crate::model::lease::{Grant, ProcessLease};
use crate::model::process::{ProcessRecord, ProcessStatus};

/// One life of one id.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredProcess {
    pub row: Arc<ProcessRow>,
    pub tenure: Tenure,
    /// Of this id, over all its lives.
    pub highest_sequence: u64,
}

/// The record, and the two facts about it that callers do not see.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessRow {
    pub record: ProcessRecord,
    pub provenance: GrantProvenance,
}

/// The grants under which this life was started and ended: what tells a retry from a stranger.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GrantProvenance {
    pub started_by: Option<Grant>,
    pub ended_by: Option<Grant>,
}

/// Who holds an id, and the highest fence it ever granted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tenure {
    /// Stored and held; expired or not. `None` when free or released.
    pub lease: Option<Arc<ProcessLease>>,
    pub highest_fence: u64,
}

/// What a decision about a lease needs: no registration, however large.
#[derive(Debug, Clone, PartialEq)]
pub struct LeaseRow {
    /// `None` when the id is unknown.
    pub status: Option<ProcessStatus>,
    pub tenure: Tenure,
}

/// What survives a prune, for ever.
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
