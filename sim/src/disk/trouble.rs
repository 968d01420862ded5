//! Faults and crashes of a disk.

/// The extent of a crash: the process takes its handles and locks with it, the machine unsynced writes too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Crash {
    #[default]
    Process,
    Machine,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskError {
    /// The operation failed.
    Failed,
    Full,
    /// The process that opened the file is dead.
    Dead,
}

/// Operations that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Read,
    Write,
    Sync,
}

/// The disk's faults at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trouble {
    /// All operations of this kind fail.
    pub fails: Option<Operation>,
    /// One operation in four fails, of any kind.
    pub is_shaky: bool,
    /// The disk is full: no file can grow.
    pub is_full: bool,
    /// Syncs report success and do nothing.
    pub sync_lies: bool,
}
