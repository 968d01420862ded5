//! A call of which nobody knows whether it was applied, and the process as it stood before it.

use fencepost::model::event::ProcessEvent;
use fencepost::model::lease::ProcessLease;
use fencepost::model::process::ProcessRecord;

use crate::world::calls::CallInfo;

/// A process as its registry shows it.
#[derive(Clone, PartialEq)]
pub struct ShownProcess {
    pub record: Option<ProcessRecord>,
    pub lease: Option<ProcessLease>,
    pub last_event: Option<ProcessEvent>,
}

impl ShownProcess {
    pub fn last_sequence(&self) -> u64 {
        self.last_event.as_ref().map_or(0, |event| event.sequence)
    }
}

/// A call whose outcome may become unknown, before it is decided.
pub struct WatchedCall {
    pub info: CallInfo,
    /// The owner and incarnation that a claim is for.
    pub owner: Option<(String, String)>,
    /// None for a prune, which is about many processes.
    pub before: Option<ShownProcess>,
}

/// A call with an unknown outcome.
pub struct UnknownCall {
    pub watched: Box<WatchedCall>,
    /// The registry's clock when it was decided.
    pub reading_ms: u64,
    /// In bytes, while it was decided.
    pub entropy_drawn: u64,
}
