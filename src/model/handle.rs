//! The handle: a session's right to look at a process. Handles never touch a lease or the fencing rule. Read next:
//! `error.rs`, then `rules/`.

use serde::{Deserialize, Serialize};

use crate::model::process::ProcessRecord;
use crate::model::process_id::ProcessId;
pub use crate::model::scope::SessionScope;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessHandleDescriptor {
    pub kind: String,
    #[serde(default)]
    pub label: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessHandleGrant {
    pub session_id: String,
    pub process_id: ProcessId,
    pub descriptor: ProcessHandleDescriptor,
}

pub type ProcessHandleGrantEntry = (ProcessHandleGrant, ProcessRecord);

impl ProcessHandleGrant {
    pub fn new(scope: &SessionScope, process_id: &str, descriptor: ProcessHandleDescriptor) -> Self {
        Self { session_id: scope.session_id.clone(), process_id: process_id.to_owned(), descriptor }
    }
}
