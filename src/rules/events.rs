//! The events that a log accepts. A replay key names one event of a process for ever; a wake is fixed when its event is
//! appended.

use serde_json::Value;

use crate::model::error::RegistryError;
use crate::model::event::{
    CANCEL_REQUESTED, ProcessEvent, ProcessEventAppendRequest, ProcessEventType, ProcessWake,
    ProcessWakeInput, ProcessWakeSpec, signal_name,
};
use crate::model::process::ProcessRecord;
pub use crate::rules::decisions::AppendDecision;
use crate::rules::writes::refuse_terminal;

/// Replay, then terminal, then undeclared; whether the caller may append at all was decided before.
pub fn append(
    record: &ProcessRecord,
    stored_under_key: Option<&ProcessEvent>,
    request: &ProcessEventAppendRequest,
) -> Result<AppendDecision, RegistryError> {
    if let Some(stored) = stored_under_key {
        if stored.event_type == request.event_type && stored.payload == request.payload {
            return Ok(AppendDecision::Replayed);
        }
        return Err(RegistryError::ReplayConflict {
            process_id: record.id().to_owned(),
            replay_key: request.replay.clone().unwrap_or_default(),
            sequence: stored.sequence,
        });
    }
    refuse_terminal(record)?;
    if request.event_type == CANCEL_REQUESTED || signal_name(&request.event_type).is_some() {
        return Ok(AppendDecision::New { wake: None });
    }
    let declared =
        record.registration.event_types.iter().find(|declared| declared.name == request.event_type);
    match declared {
        None => Err(RegistryError::UndeclaredEventType {
            process_id: record.id().to_owned(),
            event_type: request.event_type.clone(),
        }),
        Some(ProcessEventType { wake: None, .. }) => Ok(AppendDecision::New { wake: None }),
        Some(ProcessEventType { wake: Some(spec), .. }) => {
            Ok(AppendDecision::New { wake: wake(spec, record, request)? })
        }
    }
}

/// Dense within a life, and above every earlier life.
pub fn next_sequence(highest: u64) -> Result<u64, RegistryError> {
    highest.checked_add(1).ok_or_else(|| {
        RegistryError::invalid("process_id", "its log has used its last sequence: register another id")
    })
}

fn wake(
    spec: &ProcessWakeSpec,
    record: &ProcessRecord,
    request: &ProcessEventAppendRequest,
) -> Result<Option<ProcessWake>, RegistryError> {
    if let Some(pointer) = &spec.when
        && !request.payload.pointer(pointer).is_some_and(is_truthy)
    {
        return Ok(None);
    }
    let input = match &spec.input {
        ProcessWakeInput::Payload => request.payload.clone(),
        ProcessWakeInput::Pointer(pointer) => request.payload.pointer(pointer).cloned().ok_or_else(|| {
            RegistryError::invalid("payload", format!("its wake takes `{pointer}`, which the payload lacks"))
        })?,
    };
    let target = request.wake_target_scope.clone().or_else(|| record.registration.wake_target.clone());
    Ok(Some(ProcessWake { input, target }))
}

/// Zero is a value like any other; nothing, "no" and emptiness are not.
fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_nothing_no_and_emptiness_are_untrue() {
        let untrue = [json!(null), json!(false), json!(""), json!([]), json!({})];
        let truthy = [json!(0), json!(0.0), json!(true), json!(" "), json!([null]), json!({"a": null})];
        assert!(untrue.iter().all(|value| !is_truthy(value)));
        assert!(truthy.iter().all(is_truthy));
    }
}
