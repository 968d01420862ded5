//! Every way a registry says no. One variant per refusal a caller can meet, so that nobody ever matches on text.
//! Three outcomes are kept apart: refused (nothing changed), failed before its commit ([`RegistryError::Backend`],
//! nothing changed either) and unknown ([`RegistryError::Unavailable`], the write may have happened).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::model::process::{ProcessExternalRef, ProcessStatus};

/// A refusal, a failure, or an outcome nobody knows.
#[derive(Debug, Clone, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "error", rename_all = "snake_case")]
pub enum RegistryError {
    #[error("unknown process `{process_id}`: register it first, or, if it ended long ago, it was pruned")]
    UnknownProcess { process_id: String },

    #[error(
        "process `{process_id}` is registered with other content (stored {stored_hash}, offered {offered_hash}): \
         use the stored registration, or another id"
    )]
    RegistrationConflict { process_id: String, stored_hash: String, offered_hash: String },

    #[error("invalid argument `{argument}`: {why}")]
    InvalidArgument { argument: Cow<'static, str>, why: String },

    #[error(
        "process `{process_id}` does not declare the event type `{event_type}`: declare it at registration, or \
         send a `signal.<name>`"
    )]
    UndeclaredEventType { process_id: String, event_type: String },

    #[error(
        "replay key `{replay_key}` of process `{process_id}` already names event {sequence} with other content: \
         one key is one event, use a new key"
    )]
    ReplayConflict { process_id: String, replay_key: String, sequence: u64 },

    #[error("process `{process_id}` has already ended ({}): read its stored outcome instead", status.name())]
    AlreadyTerminal { process_id: String, status: ProcessStatus },

    #[error(
        "process `{process_id}` takes this write only under its live lease: claim it and use the `_with_lease` method"
    )]
    LeaseRequired { process_id: String },

    #[error(
        "the lease on `{process_id}` with fence {presented_fence} was superseded or released (current fence \
         {current_fence}): stop working under it"
    )]
    LeaseSuperseded { process_id: String, presented_fence: u64, current_fence: u64 },

    #[error(
        "the lease on `{process_id}` with fence {fence} expired at {expires_at_epoch_ms} ms, read at {now_epoch_ms} \
         ms: stop working under it, and claim again"
    )]
    LeaseExpired { process_id: String, fence: u64, expires_at_epoch_ms: u64, now_epoch_ms: u64 },

    /// For a registry that cannot say why: its write found no row under this lease that is live. It stands for an expired or
    /// superseded lease, and for a process that has ended or is unknown.
    #[error("the lease on `{process_id}` is lost: stop working under it")]
    LeaseLost { process_id: String },

    #[error(
        "process `{process_id}` has used its last fence: no lease can be granted any more, register another id"
    )]
    FenceExhausted { process_id: String },

    #[error(
        "process `{process_id}` already refers to `{}` of `{}`: a reference is assigned once",
        stored.id, stored.backend
    )]
    ExternalRefConflict { process_id: String, stored: Box<ProcessExternalRef> },

    #[error("scope `{scope_id}` holds no handle on process `{process_id}`: grant it first")]
    HandleMissing { scope_id: String, process_id: String },

    /// It failed before its commit: nothing changed.
    #[error("{operation} failed{}, nothing was changed: {cause}", in_row(row))]
    Backend { operation: Cow<'static, str>, cause: String, row: Option<String> },

    /// The outcome is UNKNOWN: the call may have taken effect, once, or not at all.
    #[error("{operation}: the outcome is unknown ({cause}): read the state, or repeat the call")]
    Unavailable { operation: Cow<'static, str>, cause: String },
}

/// The answer of a registry, a rule or a store.
pub type RegistryResult<T> = Result<T, RegistryError>;

/// The name the reference pages use.
pub type PluginError = RegistryError;

impl RegistryError {
    pub fn invalid(argument: &'static str, why: impl Into<String>) -> Self {
        Self::InvalidArgument { argument: Cow::Borrowed(argument), why: why.into() }
    }

    pub fn unknown(process_id: &str) -> Self {
        Self::UnknownProcess { process_id: process_id.to_owned() }
    }

    pub fn backend(operation: &'static str, cause: impl ToString) -> Self {
        Self::Backend { operation: Cow::Borrowed(operation), cause: cause.to_string(), row: None }
    }

    /// A stored row that cannot be read: the failure names it, so that an operator can find it.
    pub fn damaged(operation: &'static str, row: &str, cause: impl ToString) -> Self {
        Self::Backend {
            operation: Cow::Borrowed(operation),
            cause: cause.to_string(),
            row: Some(row.to_owned()),
        }
    }

    pub fn unavailable(operation: &'static str, cause: impl ToString) -> Self {
        Self::Unavailable { operation: Cow::Borrowed(operation), cause: cause.to_string() }
    }

    /// The answer once a call has panicked inside a registry: the panic may have left half a write behind, so nothing
    /// is read from that registry any more.
    pub(crate) fn panicked_before() -> Self {
        Self::backend("call the registry", "an earlier call panicked in it: open it anew")
    }

    /// True when the caller cannot know whether the call took effect.
    pub fn outcome_is_unknown(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// True when the registry decided; false when it failed, and what it would have decided is not known.
    pub fn is_refusal(&self) -> bool {
        !matches!(self, Self::Backend { .. } | Self::Unavailable { .. })
    }
}

fn in_row(row: &Option<String>) -> String {
    row.as_ref().map(|id| format!(" on row `{id}`")).unwrap_or_default()
}
