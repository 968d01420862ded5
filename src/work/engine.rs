//! Engines: what others implement to have their kind of input executed. An engine turns a registration into a body;
//! what a body may do is in `context.rs`.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::model::process::{ProcessAwaitOutput, ProcessInput, ProcessRegistration};
pub use crate::work::context::{ProcessContext, ProcessExecutionContext};

/// A failure that says nothing about the work: the row stays claimable, for this worker or another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InfrastructureFailure(pub String);

/// How one kind of input is executed.
#[async_trait]
pub trait ProcessEngine: Send + Sync {
    /// Everything that can fail without the work itself: it comes before the first start is recorded, so that an
    /// owner-bound process is not used up by it.
    async fn prepare(&self, _registration: &ProcessRegistration) -> Result<(), InfrastructureFailure> {
        Ok(())
    }

    /// The body. It may be dropped at any await.
    async fn run(&self, context: ProcessContext<'_>) -> Result<ProcessAwaitOutput, InfrastructureFailure>;
}

/// Which inputs an engine is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum InputKind {
    ToolCall,
    Engine(String),
    SessionTurn,
    External,
}

/// Engines by the kind of input they execute.
pub type Engines = BTreeMap<InputKind, Arc<dyn ProcessEngine>>;

impl InputKind {
    pub fn of(input: &ProcessInput) -> Self {
        match input {
            ProcessInput::ToolCall { .. } => Self::ToolCall,
            ProcessInput::Engine { kind, .. } => Self::Engine(kind.clone()),
            ProcessInput::SessionTurn { .. } => Self::SessionTurn,
            ProcessInput::External { .. } => Self::External,
        }
    }
}
