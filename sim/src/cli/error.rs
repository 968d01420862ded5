//! The error of a command.

use crate::search::Conclusion;

/// Bad input, or trouble with the machine: one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CliError(pub String);

impl CliError {
    pub fn of(error: impl std::error::Error) -> Self {
        Self(error.to_string())
    }
}

/// The conclusion gives the exit code.
pub type CommandResult = Result<Conclusion, CliError>;
