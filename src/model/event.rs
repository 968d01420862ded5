//! The event: one line of a process's log, and the wake that an event may carry to a session. Sequences are dense
//! within a life. Plain data; what may be appended is decided in `rules/events.rs`. Read next: `handle.rs`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::process_id::ProcessId;
use crate::model::scope::SessionScope;

/// Facts of the lifecycle. The methods that own a fact write its event in the same step; nobody else may.
pub mod lifecycle {
    pub const STARTED: &str = "process.started";
    pub const WAITING: &str = "process.waiting";
    pub const RESUMED: &str = "process.resumed";
    pub const COMPLETED: &str = "process.completed";
    pub const FAILED: &str = "process.failed";
    pub const CANCELLED: &str = "process.cancelled";
    pub const ABANDONED: &str = "process.abandoned";

    pub const ALL: [&str; 7] = [STARTED, WAITING, RESUMED, COMPLETED, FAILED, CANCELLED, ABANDONED];
    pub const TERMINAL: [&str; 4] = [COMPLETED, FAILED, CANCELLED, ABANDONED];
}

/// A host's wish that a process stop; the body decides what comes of it.
pub const CANCEL_REQUESTED: &str = "process.cancel_requested";

/// The prefix of a signal's event type.
pub const SIGNAL_PREFIX: &str = "signal.";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessEvent {
    pub process_id: ProcessId,
    pub sequence: u64,
    pub event_type: String,
    pub payload: Value,
    #[serde(default)]
    pub replay_key: Option<String>,
    #[serde(default)]
    pub wake: Option<ProcessWake>,
    pub occurred_at_ms: u64,
}

/// Fixed when its event is appended. Without a target there is nobody to deliver it to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessWake {
    pub input: Value,
    #[serde(default)]
    pub target: Option<SessionScope>,
}

/// A wake on its way to a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessWakeDelivery {
    pub process_id: ProcessId,
    pub sequence: u64,
    pub target: SessionScope,
    pub input: Value,
}

/// An event type that a process may emit, declared at its registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessEventType {
    pub name: String,
    #[serde(default)]
    pub wake: Option<ProcessWakeSpec>,
}

/// When an event wakes a session, and with what.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProcessWakeSpec {
    /// A JSON pointer into the payload that must be truthy; absent is always.
    #[serde(default)]
    pub when: Option<String>,
    #[serde(default)]
    pub input: ProcessWakeInput,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "from", content = "pointer", rename_all = "snake_case")]
pub enum ProcessWakeInput {
    #[default]
    Payload,
    Pointer(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessEventAppendRequest {
    pub event_type: String,
    #[serde(default)]
    pub payload: Value,
    /// Makes a retry of this append answer the event that the first one stored.
    #[serde(default)]
    pub replay: Option<String>,
    /// Wakes this scope instead of the registered one.
    #[serde(default)]
    pub wake_target_scope: Option<SessionScope>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessEventAppendResult {
    pub event: ProcessEvent,
    pub replayed: bool,
    #[serde(default)]
    pub wake_delivery: Option<ProcessWakeDelivery>,
}

/// The name behind `signal.`, when it is one that a signal may have.
pub fn signal_name(event_type: &str) -> Option<&str> {
    event_type.strip_prefix(SIGNAL_PREFIX).filter(|name| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    })
}

impl ProcessEvent {
    /// The delivery that this event stands for; the same at its append and at every replay.
    pub fn wake_delivery(&self) -> Option<ProcessWakeDelivery> {
        let wake = self.wake.as_ref()?;
        Some(ProcessWakeDelivery {
            process_id: self.process_id.clone(),
            sequence: self.sequence,
            target: wake.target.clone()?,
            input: wake.input.clone(),
        })
    }
}

impl ProcessEventAppendRequest {
    pub fn new(event_type: impl Into<String>, payload: Value) -> Self {
        Self { event_type: event_type.into(), payload, replay: None, wake_target_scope: None }
    }

    pub fn with_replay(mut self, key: impl Into<String>) -> Self {
        self.replay = Some(key.into());
        self
    }
}
