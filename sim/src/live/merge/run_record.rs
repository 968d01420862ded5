//! The record that a run leaves behind for the merge.

use std::path::Path;

use crate::live::final_look::FinalLook;
use crate::live::fleet::FleetEvent;
use crate::live::store_host::ServerCrash;
use crate::plan::Plan;

/// Everything that a run left.
pub struct RunRecord<'a> {
    pub folder: &'a Path,
    pub plan: Plan,
    pub is_on_a_server: bool,
    /// Time zero, in nanoseconds since the machine booted; and the wall clock then.
    pub base_ns: u64,
    pub wall_base_ms: u64,
    pub fleet_events: Vec<FleetEvent>,
    pub server_crashes: Vec<ServerCrash>,
    pub looks: Vec<FinalLook>,
    /// When faults were over, and the bound in microseconds within which everything must have ended.
    pub calm: Option<(u64, u64)>,
    pub end: RunEnd,
}

/// How a run came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEnd {
    EverythingEnded,
    SomethingRemained,
    Interrupted,
}
