//! The handle: a session's right to look at a process. Handles never touch a lease or the fencing rule. Read next:
//! `error.rs`, then `rules/`.

use serde::{Deserialize, Serialize};

use crate::model::process::{ProcessId, ProcessRecord};

/// A session, or one agent frame of it. An empty frame id is none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionScope {
    pub session_id: String,
    #[serde(default)]
    pub agent_frame_id: String,
}

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

impl SessionScope {
    pub fn session(session_id: impl Into<String>) -> Self {
        Self { session_id: session_id.into(), agent_frame_id: String::new() }
    }

    pub fn frame(session_id: impl Into<String>, agent_frame_id: impl Into<String>) -> Self {
        Self { session_id: session_id.into(), agent_frame_id: agent_frame_id.into() }
    }

    /// Different scopes never share an id: the length says where the session id ends, whatever it contains.
    pub fn id(&self) -> String {
        let Self { session_id, agent_frame_id } = self;
        if agent_frame_id.is_empty() {
            format!("{}:{session_id}", session_id.len())
        } else {
            format!("{}:{session_id}/{agent_frame_id}", session_id.len())
        }
    }
}

impl ProcessHandleGrant {
    pub fn new(scope: &SessionScope, process_id: &str, descriptor: ProcessHandleDescriptor) -> Self {
        Self { session_id: scope.session_id.clone(), process_id: process_id.to_owned(), descriptor }
    }
}
