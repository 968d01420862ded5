//! The plainest registration there is: tests say only how theirs differs.

use fencepost::model::process::*;
use serde_json::json;

/// A rerunnable process of no particular kind.
pub fn job(id: &str) -> ProcessRegistration {
    ProcessRegistration {
        id: id.to_owned(),
        input: ProcessInput::Engine { kind: "e".into(), payload: json!({}) },
        disposition: RecoveryDisposition::Rerunnable,
        identity: ProcessIdentity { kind: "job".into(), label: None, definition: None },
        event_types: Vec::new(),
        provenance: ProcessProvenance { originator: ProcessOriginator::Host, caused_by: None },
        wake_target: None,
    }
}
