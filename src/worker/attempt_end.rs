//! The purpose of an attempt, and how it ended.

use std::time::Duration;

use crate::model::error::RegistryError;
use crate::model::process::{AbandonWriter, ProcessAwaitOutput};

/// Between two tries of a step whose outcome is unknown.
pub(super) const PAUSE: Duration = Duration::from_millis(50);

/// The purpose of an attempt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AttemptPurpose {
    Run,
    /// Gives up what this worker started and lost; takes nothing from anybody, dead or alive.
    Drain,
}

/// How an attempt went.
#[derive(Debug)]
pub(super) enum AttemptEnd {
    /// Its own write ended the process.
    Ended(Box<ProcessAwaitOutput>),
    /// It left the row as it is; the error, if any, says why.
    Left(Option<Box<RegistryError>>),
}

impl AttemptEnd {
    pub(super) fn refused(error: RegistryError) -> Self {
        Self::Left(Some(Box::new(error)))
    }

    /// True if its own write gave the process up in a drain.
    pub(super) fn is_owner_drain(&self) -> bool {
        matches!(self, Self::Ended(output) if is_owner_drain(output))
    }
}

pub(super) fn is_owner_drain(output: &ProcessAwaitOutput) -> bool {
    matches!(output, ProcessAwaitOutput::Abandoned { evidence } if evidence.writer == AbandonWriter::OwnerDrain)
}

pub(super) fn draining() -> RegistryError {
    RegistryError::backend("run a process", "the worker drains and takes no more work")
}
