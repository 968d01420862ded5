//! The scope that holds handles and is woken by events: a session, or one agent frame of it.

use serde::{Deserialize, Serialize};

/// A session, or one agent frame of it. An empty frame id is none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionScope {
    pub session_id: String,
    #[serde(default)]
    pub agent_frame_id: String,
}

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
