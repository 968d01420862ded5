//! The footprint of a step, which the store receives before the step runs. A store with one lock for everything has no use for
//! it; a store with a lock per process takes those locks before it reads its clock, and fetches the rows at once.

use crate::model::handle::SessionScope;
use crate::model::process::{ProcessId, ProcessListFilter};

/// The processes and rows that a step will touch.
#[derive(Debug, Clone, PartialEq)]
pub struct Footprint {
    pub subjects: Subjects,
    /// Sessions to which the step may add a handle or a wake target.
    pub joined_sessions: Vec<String>,
    /// The rows that the step will ask for, in this order. A step that writes may ask for others too.
    pub reads: Vec<RowsRead>,
}

/// The processes that a step may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subjects {
    /// Any: nobody foretold which.
    Everything,
    /// A process that may not be registered yet.
    New(ProcessId),
    Known(Vec<ProcessId>),
    /// Those with a handle of this session, and those that wake it.
    OfSession(String),
    /// Those that ended and were last changed at or before this instant.
    EndedThrough(u64),
}

impl Footprint {
    /// The footprint of a step about which nothing is known beforehand.
    pub fn everything() -> Self {
        Self { subjects: Subjects::Everything, joined_sessions: Vec::new(), reads: Vec::new() }
    }

    /// The footprint of a step that reads these rows and changes only these processes.
    pub fn of(subjects: Subjects, reads: Vec<RowsRead>) -> Self {
        Self { subjects, joined_sessions: Vec::new(), reads }
    }
}

/// One reading method of [`Rows`](crate::store::Rows), with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowsRead {
    LeaseRow(ProcessId),
    StoredProcess(ProcessId),
    Exists(ProcessId),
    HighWater(ProcessId),
    Processes(ProcessListFilter),
    ProcessesWaking(String),
    EndedThrough(u64),
    Event { process_id: ProcessId, sequence: u64 },
    EventByReplayKey { process_id: ProcessId, key: String },
    EventsAfter { process_id: ProcessId, after: u64 },
    UnackedWakesAfter { process_id: ProcessId, after: u64 },
    RecentEvents { process_id: ProcessId, limit: usize },
    CountEvents { process_id: ProcessId, event_type: String, through: u64 },
    Handle { scope: SessionScope, process_id: ProcessId },
    HandlesOfScope(SessionScope),
    HandlesOn(ProcessId),
    HandlesOfSession(String),
}

impl RowsRead {
    /// The one process whose rows answer the question, if it is about one.
    pub fn process_id(&self) -> Option<&str> {
        match self {
            Self::LeaseRow(process_id)
            | Self::StoredProcess(process_id)
            | Self::Exists(process_id)
            | Self::HighWater(process_id)
            | Self::Event { process_id, .. }
            | Self::EventByReplayKey { process_id, .. }
            | Self::EventsAfter { process_id, .. }
            | Self::UnackedWakesAfter { process_id, .. }
            | Self::RecentEvents { process_id, .. }
            | Self::CountEvents { process_id, .. }
            | Self::Handle { process_id, .. }
            | Self::HandlesOn(process_id) => Some(process_id),
            Self::Processes(_)
            | Self::ProcessesWaking(_)
            | Self::EndedThrough(_)
            | Self::HandlesOfScope(_)
            | Self::HandlesOfSession(_) => None,
        }
    }
}
