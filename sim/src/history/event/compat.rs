//! The untyped names, for code that does not read the typed view yet. It goes once nobody needs it.

pub use super::{BodyOutcome as BodyEnded, EventKind as Kind, Leftover as Left, Write as Wrote};

pub mod crash {
    pub const OF_THE_MACHINE: u64 = 1;
    pub const WITH_UNSYNCED_PAGES: u64 = 2;
}

pub mod turned_out {
    pub const NOT_APPLIED: u64 = 0;
    pub const APPLIED: u64 = 1;
    pub const PARTLY: u64 = 2;
}

pub mod survived {
    pub const IS_KNOWN: u64 = 1 << 8;
    pub const IS_STARTED: u64 = 1 << 9;
    pub const IS_WAITING: u64 = 1 << 10;
    pub const ABANDON_REQUESTED: u64 = 1 << 11;
    pub const IS_TORN: u64 = 1 << 12;
    pub const IS_UNREADABLE: u64 = 1 << 13;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Abandons {
    OwnerDrain = 1,
    Sweep = 2,
    ReconciledRequest = 3,
}

pub mod licence {
    pub const STARTER_IS_DEAD: u64 = 1;
    pub const PROBES_LIE: u64 = 2;
    pub const IS_STARTER: u64 = 4;
}

pub mod refusal {
    pub const NONE: u64 = 0;
    pub const UNKNOWN_PROCESS: u64 = 1;
    pub const INVALID: u64 = 2;
    pub const TERMINAL: u64 = 3;
    pub const LEASE_REQUIRED: u64 = 4;
    pub const SUPERSEDED: u64 = 5;
    pub const EXPIRED: u64 = 6;
    pub const EXHAUSTED: u64 = 7;
    pub const OTHER: u64 = 8;
    pub const FAILED: u64 = 9;
    pub const UNKNOWN_OUTCOME: u64 = 10;
    pub const BUSY: u64 = 11;

    pub fn name(code: u64) -> &'static str {
        use super::super::codes::{CallResult, Coded};
        CallResult::from_code(code).name()
    }

    pub fn is_loss(code: u64) -> bool {
        matches!(code, UNKNOWN_PROCESS | TERMINAL | SUPERSEDED | EXPIRED)
    }
}

pub mod status {
    pub const RUNNING: u64 = 0;
    pub const COMPLETED: u64 = 1;
    pub const FAILED: u64 = 2;
    pub const CANCELLED: u64 = 3;
    pub const ABANDONED: u64 = 4;

    pub fn name(code: u64) -> &'static str {
        use super::super::codes::{Coded, Status};
        Status::from_code(code).name()
    }
}

pub mod disposition {
    pub const RERUNNABLE: u64 = 0;
    pub const OWNER_BOUND: u64 = 1;
    pub const EXTERNALLY_OWNED: u64 = 2;
}

impl super::CallKind {
    pub fn from_code(code: u64) -> Self {
        super::codes::Coded::from_code(code)
    }
}
