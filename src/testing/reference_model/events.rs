//! The log: appends, replays, wakes and acks.

use serde_json::{Value, json};

use crate::model::error::{RegistryError, RegistryResult};
use crate::model::event::{
    ProcessEvent, ProcessEventAppendRequest, ProcessEventType, ProcessWake, ProcessWakeInput,
};
use crate::model::handle::SessionScope;
use crate::model::lease::ProcessLease;

use super::ReferenceModel;
use super::arguments::invalid;
use super::expected::Expected;

/// Signals and cancel requests, which hosts may send without a lease.
fn is_of_hosts(event_type: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    event_type == "process.cancel_requested" || event_type.strip_prefix("signal.").is_some_and(is_name)
}

fn is_truthy(value: &Value) -> bool {
    ![json!(null), json!(false), json!(""), json!([]), json!({})].contains(value)
}

/// The wake that an append fixes, if its type declares one that fires.
fn wake_of(
    declared: Option<&ProcessEventType>,
    request: &ProcessEventAppendRequest,
    target: Option<&SessionScope>,
) -> RegistryResult<Option<ProcessWake>> {
    let Some(spec) = declared.and_then(|declared| declared.wake.as_ref()) else { return Ok(None) };
    let fires = match &spec.when {
        None => true,
        Some(pointer) => request.payload.pointer(pointer).is_some_and(is_truthy),
    };
    if !fires {
        return Ok(None);
    }
    let input = match &spec.input {
        ProcessWakeInput::Payload => Some(&request.payload),
        ProcessWakeInput::Pointer(pointer) => request.payload.pointer(pointer),
    };
    let input = input.ok_or_else(invalid)?.clone();
    let target = request.wake_target_scope.as_ref().or(target).cloned();
    Ok(Some(ProcessWake { input, target }))
}

impl ReferenceModel {
    /// Sequences are dense in a life, and go on in the next.
    pub(super) fn push_event(
        &mut self,
        process_id: &str,
        now_ms: u64,
        event_type: &str,
        payload: Value,
        replay_key: Option<String>,
        wake: Option<ProcessWake>,
    ) -> RegistryResult<&ProcessEvent> {
        let reached = self.reached(process_id);
        reached.sequence = reached.sequence.checked_add(1).ok_or_else(invalid)?;
        let event = ProcessEvent {
            process_id: process_id.to_owned(),
            sequence: reached.sequence,
            event_type: event_type.to_owned(),
            payload,
            replay_key,
            wake,
            occurred_at_ms: now_ms,
        };
        let process = self.process(process_id)?;
        process.record.updated_at_ms = now_ms;
        process.events.push(event);
        process.events.last().ok_or_else(invalid)
    }

    pub(super) fn append(
        &mut self,
        process_id: &str,
        lease: Option<&ProcessLease>,
        request: &ProcessEventAppendRequest,
        now_ms: u64,
    ) -> RegistryResult<Expected<'_>> {
        let reached = self.highest_fence(process_id);
        let process = self.process(process_id)?;
        let registration = &process.record.registration;
        let declared = registration.event_types.iter().find(|declared| declared.name == request.event_type);
        match lease {
            Some(_) => process.admit(lease, reached, now_ms)?,
            None if process.is_worker_run() && declared.is_some() => return Err(process.lease_required()),
            None => {}
        }
        let is_replayed =
            |event: &ProcessEvent| event.replay_key.is_some() && event.replay_key == request.replay;
        if let Some(place) = process.events.iter().position(is_replayed) {
            let stored = &process.events[place];
            if stored.event_type != request.event_type || stored.payload != request.payload {
                return Err(RegistryError::ReplayConflict {
                    process_id: process_id.to_owned(),
                    replay_key: request.replay.clone().unwrap_or_default(),
                    sequence: stored.sequence,
                });
            }
            return Ok(Expected::Appended {
                event: &self.process(process_id)?.events[place],
                replayed: true,
            });
        }
        process.must_be_open()?;
        if declared.is_none() && !is_of_hosts(&request.event_type) {
            return Err(RegistryError::UndeclaredEventType {
                process_id: process_id.to_owned(),
                event_type: request.event_type.clone(),
            });
        }
        let wake = wake_of(declared, request, registration.wake_target.as_ref())?;
        let (payload, key) = (request.payload.clone(), request.replay.clone());
        let event = self.push_event(process_id, now_ms, &request.event_type, payload, key, wake)?;
        Ok(Expected::Appended { event, replayed: false })
    }

    pub(super) fn unacked_wakes(
        &mut self,
        process_id: &str,
        after_sequence: u64,
    ) -> RegistryResult<Expected<'_>> {
        let process = self.process(process_id)?;
        let is_left = |event: &&ProcessEvent| {
            event.sequence > after_sequence
                && event.wake.is_some()
                && !process.acked.contains(&event.sequence)
        };
        Ok(Expected::Events(process.events.iter().filter(is_left).collect()))
    }

    pub(super) fn ack(&mut self, process_id: &str, sequence: u64) -> RegistryResult<Expected<'_>> {
        let process = self.process(process_id)?;
        if !process.events.iter().any(|event| event.sequence == sequence && event.wake.is_some()) {
            return Err(invalid());
        }
        process.acked.insert(sequence);
        Ok(Expected::Done)
    }
}
