//! The name of a process: chosen by whoever registers it, and kept verbatim.

pub type ProcessId = String;
