//! The cost of SQLite's statements, as SQLite itself counts it.

use rusqlite::StatementStatus;

/// The cost of all statements so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SqliteCounters {
    pub statements: u64,
    /// Steps of scans that no index served.
    pub full_scan_steps: u64,
    /// Instructions of SQLite's virtual machine.
    pub vm_steps: u64,
}

impl SqliteCounters {
    pub(super) fn add(&mut self, statement: &rusqlite::Statement<'_>) {
        let count = |status| u64::from(statement.reset_status(status).unsigned_abs());
        self.statements += 1;
        self.full_scan_steps += count(StatementStatus::FullscanStep);
        self.vm_steps += count(StatementStatus::VmStep);
    }
}
