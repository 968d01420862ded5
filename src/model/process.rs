//! The process: one piece of background work, from its registration to the one outcome it ends with. Plain data;
//! what may follow what is decided in [`crate::rules`]. Read next: `event.rs`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::event::ProcessEventType;
use crate::model::lease::LeaseOwnerIdentity;
pub use crate::model::process_id::ProcessId;
use crate::model::scope::SessionScope;

/// The work a caller asks for. Registering the same content twice is one registration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessRegistration {
    pub id: ProcessId,
    pub input: ProcessInput,
    pub disposition: RecoveryDisposition,
    pub identity: ProcessIdentity,
    #[serde(default)]
    pub event_types: Vec<ProcessEventType>,
    pub provenance: ProcessProvenance,
    /// Where wakes of this process are delivered, unless an append names another scope.
    #[serde(default)]
    pub wake_target: Option<SessionScope>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ProcessInput {
    ToolCall {
        tool: String,
        arguments: Value,
    },
    Engine {
        #[serde(rename = "engine")]
        kind: String,
        payload: Value,
    },
    SessionTurn {
        session_id: String,
        prompt: String,
    },
    /// Work that happens elsewhere: no worker ever runs it.
    External {
        metadata: Value,
    },
}

/// The fate of a process whose worker died. Required, because no default is safe for everyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryDisposition {
    /// Any worker may run it again.
    Rerunnable,
    /// Its first starter alone may run it: once started it is never run again.
    OwnerBound,
    /// Workers never run it.
    ExternallyOwned,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessIdentity {
    pub kind: String,
    #[serde(default)]
    pub label: Option<String>,
    #[serde(default)]
    pub definition: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessProvenance {
    pub originator: ProcessOriginator,
    #[serde(default)]
    pub caused_by: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ProcessOriginator {
    Host,
    Session { scope: SessionScope },
}

/// The durable row as callers see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessRecord {
    /// As registered, save that deleting a session clears a wake target that points at it.
    pub registration: Arc<ProcessRegistration>,
    /// The hash of the content as registered; no later change touches it.
    pub registration_hash: String,
    pub created_at_ms: u64,
    /// Moves with the record and its log, never with leases, acks or handles. May step back with the clock.
    pub updated_at_ms: u64,
    pub external_ref: Option<ProcessExternalRef>,
    pub first_started: Option<ProcessStarted>,
    pub abandon_request: Option<AbandonRequest>,
    pub wait: Option<WaitState>,
    pub status: ProcessStatus,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ProcessStatus {
    #[default]
    Running,
    Completed {
        output: Arc<ProcessAwaitOutput>,
    },
    Failed {
        output: Arc<ProcessAwaitOutput>,
    },
    Cancelled {
        output: Arc<ProcessAwaitOutput>,
    },
    Abandoned {
        output: Arc<ProcessAwaitOutput>,
    },
}

/// A status without its outcome, to filter by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessStatusKind {
    Running,
    Completed,
    Failed,
    Cancelled,
    Abandoned,
}

/// How a process ended. The variant decides the status.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ProcessAwaitOutput {
    Success {
        value: Value,
    },
    Failure {
        class: String,
        #[serde(default)]
        code: Option<String>,
        message: String,
        #[serde(default)]
        raw: Option<Value>,
    },
    Cancelled {
        message: String,
        #[serde(default)]
        raw: Option<Value>,
    },
    Abandoned {
        evidence: AbandonEvidence,
    },
}

/// Why it was right to end a process whose work nobody finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbandonEvidence {
    pub writer: AbandonWriter,
    /// The starter, if any.
    pub owner: Option<LeaseOwnerIdentity>,
    pub epoch_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AbandonWriter {
    /// The worker that started it, giving it up.
    OwnerDrain,
    /// A sweep that had proof of the starter's death.
    Sweep,
    /// A recorded request, carried out.
    ReconciledRequest,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessStarted {
    pub owner: LeaseOwnerIdentity,
    pub started_at_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbandonRequest {
    pub requested_by: String,
    pub requested_at_ms: u64,
    #[serde(default)]
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitState {
    pub kind: WaitKind,
    pub since_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WaitKind {
    Signal { name: String, event_type: String, key: String, ordinal: u64 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessExternalRef {
    pub backend: String,
    pub id: String,
    #[serde(default)]
    pub metadata: Value,
}

/// Which processes to list. Conditions are joined by AND; `None` is any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcessListFilter {
    pub status: Option<ProcessStatusKind>,
    pub waiting: Option<bool>,
    pub disposition: Option<RecoveryDisposition>,
    pub definition: Option<String>,
    /// `None` is all, 0 is none.
    pub limit: Option<usize>,
    /// Ids above this one, in byte order.
    pub after: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProcessPruneReport {
    pub pruned_processes: u64,
    pub pruned_events: u64,
}

/// The result of deleting a session. Both lists are sorted and name non-terminal rows only.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProcessSessionDeleteReport {
    pub session_id: String,
    pub revoked_handle_count: u64,
    /// Wake targets cleared.
    pub deleted_wake_count: u64,
    /// Left without any handle.
    pub orphaned_process_ids: Vec<ProcessId>,
    pub preserved_process_ids: Vec<ProcessId>,
}

/// How long writes survive: `Inline` lives and dies with its process, `Durable` outlives the machine's power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DurabilityTier {
    #[default]
    Inline,
    Durable,
}

/// The answer to a fenced first start, with the record as it stands now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", content = "record", rename_all = "snake_case")]
pub enum FirstStart {
    Started(ProcessRecord),
    /// The SAME GRANT started it before: an answer was lost.
    AlreadyYours(ProcessRecord),
    AlreadyStarted(ProcessRecord),
}

impl RecoveryDisposition {
    /// A row that workers execute, whose writes are fenced.
    pub fn is_worker_run(self) -> bool {
        matches!(self, Self::Rerunnable | Self::OwnerBound)
    }
}

impl ProcessRecord {
    pub fn id(&self) -> &str {
        &self.registration.id
    }

    pub fn disposition(&self) -> RecoveryDisposition {
        self.registration.disposition
    }

    pub fn is_terminal(&self) -> bool {
        self.status.is_terminal()
    }
}

impl ProcessStatus {
    pub fn ended(output: ProcessAwaitOutput) -> Self {
        let output = Arc::new(output);
        match *output {
            ProcessAwaitOutput::Success { .. } => Self::Completed { output },
            ProcessAwaitOutput::Failure { .. } => Self::Failed { output },
            ProcessAwaitOutput::Cancelled { .. } => Self::Cancelled { output },
            ProcessAwaitOutput::Abandoned { .. } => Self::Abandoned { output },
        }
    }

    pub fn kind(&self) -> ProcessStatusKind {
        match self {
            Self::Running => ProcessStatusKind::Running,
            Self::Completed { .. } => ProcessStatusKind::Completed,
            Self::Failed { .. } => ProcessStatusKind::Failed,
            Self::Cancelled { .. } => ProcessStatusKind::Cancelled,
            Self::Abandoned { .. } => ProcessStatusKind::Abandoned,
        }
    }

    pub fn name(&self) -> &'static str {
        match self.kind() {
            ProcessStatusKind::Running => "running",
            ProcessStatusKind::Completed => "completed",
            ProcessStatusKind::Failed => "failed",
            ProcessStatusKind::Cancelled => "cancelled",
            ProcessStatusKind::Abandoned => "abandoned",
        }
    }

    pub fn is_terminal(&self) -> bool {
        !matches!(self, Self::Running)
    }

    pub fn output(&self) -> Option<&ProcessAwaitOutput> {
        match self {
            Self::Running => None,
            Self::Completed { output }
            | Self::Failed { output }
            | Self::Cancelled { output }
            | Self::Abandoned { output } => Some(output),
        }
    }
}

impl Default for ProcessListFilter {
    fn default() -> Self {
        Self {
            status: Some(ProcessStatusKind::Running),
            waiting: None,
            disposition: None,
            definition: None,
            limit: None,
            after: None,
        }
    }
}

impl ProcessListFilter {
    /// Every process, whatever its state.
    pub fn any() -> Self {
        Self { status: None, ..Self::default() }
    }
}

impl FirstStart {
    pub fn into_record(self) -> ProcessRecord {
        let (Self::Started(record) | Self::AlreadyYours(record) | Self::AlreadyStarted(record)) = self;
        record
    }
}
