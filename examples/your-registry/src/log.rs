//! The log of a process: its events, numbered without a gap, the keys that make a retry the same event, and the wakes that
//! some of them carry.

use fencepost::RegistryError;
use fencepost::model::event::{
    CANCEL_REQUESTED, ProcessEvent, ProcessEventAppendRequest, ProcessEventAppendResult, ProcessWake,
    ProcessWakeInput, ProcessWakeSpec, signal_name,
};
use fencepost::model::lease::ProcessLease;
use serde_json::Value;

use crate::row::{Answer, Row};

impl Row {
    pub fn append(
        &mut self,
        by: Option<&ProcessLease>,
        request: ProcessEventAppendRequest,
        now_ms: u64,
    ) -> Answer<ProcessEventAppendResult> {
        let registration = self.record.registration.clone();
        let declared = registration.event_types.iter().find(|known| known.name == request.event_type);
        let is_hosts = request.event_type == CANCEL_REQUESTED || signal_name(&request.event_type).is_some();
        self.must_be_addressed_rightly(by, declared.is_some())?;
        if let Some(presented) = by {
            self.must_run()?;
            self.must_hold(presented, now_ms)?;
        }
        if let Some(event) = self.stored_under(request.replay.as_deref()).cloned() {
            if (&event.event_type, &event.payload) != (&request.event_type, &request.payload) {
                return Err(RegistryError::ReplayConflict {
                    process_id: event.process_id,
                    replay_key: event.replay_key.unwrap_or_default(),
                    sequence: event.sequence,
                });
            }
            return Ok(ProcessEventAppendResult {
                wake_delivery: event.wake_delivery(),
                event,
                replayed: true,
            });
        }
        self.must_run()?;
        let wake = match declared {
            _ if is_hosts => None,
            Some(declared) => {
                declared.wake.as_ref().map(|spec| self.wake(spec, &request)).transpose()?.flatten()
            }
            None => {
                return Err(RegistryError::UndeclaredEventType {
                    process_id: registration.id.clone(),
                    event_type: request.event_type,
                });
            }
        };
        let event = self.write(&request.event_type, request.payload, request.replay, wake, now_ms)?;
        Ok(ProcessEventAppendResult { wake_delivery: event.wake_delivery(), event, replayed: false })
    }

    /// The one place where a log grows. It is asked before its fact is changed, because it may refuse.
    pub fn write(
        &mut self,
        event_type: &str,
        payload: Value,
        replay_key: Option<String>,
        wake: Option<ProcessWake>,
        now_ms: u64,
    ) -> Answer<ProcessEvent> {
        let Some(sequence) = self.reached.sequence.checked_add(1) else {
            return Err(RegistryError::invalid("process_id", "its log has used its last sequence"));
        };
        let event = ProcessEvent {
            process_id: self.record.id().to_owned(),
            sequence,
            event_type: event_type.to_owned(),
            payload,
            replay_key,
            wake,
            occurred_at_ms: now_ms,
        };
        self.reached.sequence = sequence;
        self.record.updated_at_ms = now_ms;
        self.log.push(event.clone());
        Ok(event)
    }

    pub fn ack_wake(&mut self, sequence: u64) -> Answer<()> {
        match self.log.iter().find(|event| event.sequence == sequence) {
            Some(event) if event.wake.is_some() => {
                self.acked.insert(sequence);
                Ok(())
            }
            _ => Err(RegistryError::invalid("sequence", format!("event {sequence} is no wake"))),
        }
    }

    pub fn events_after(&self, sequence: u64) -> impl Iterator<Item = &ProcessEvent> {
        self.log.iter().filter(move |event| event.sequence > sequence)
    }

    fn stored_under(&self, key: Option<&str>) -> Option<&ProcessEvent> {
        self.log.iter().find(|event| key.is_some() && event.replay_key.as_deref() == key)
    }

    fn wake(
        &self,
        spec: &ProcessWakeSpec,
        request: &ProcessEventAppendRequest,
    ) -> Answer<Option<ProcessWake>> {
        if let Some(pointer) = &spec.when
            && !request.payload.pointer(pointer).is_some_and(is_truthy)
        {
            return Ok(None);
        }
        let input = match &spec.input {
            ProcessWakeInput::Payload => Some(&request.payload),
            ProcessWakeInput::Pointer(pointer) => request.payload.pointer(pointer),
        };
        let input =
            input.cloned().ok_or_else(|| RegistryError::invalid("payload", "lacks its wake's input"))?;
        let target = request.wake_target_scope.as_ref().or(self.record.registration.wake_target.as_ref());
        Ok(Some(ProcessWake { input, target: target.cloned() }))
    }
}

/// Zero counts as something.
fn is_truthy(value: &Value) -> bool {
    let nothings =
        [Value::Null, false.into(), "".into(), Value::Array(vec![]), Value::Object(Default::default())];
    !nothings.contains(value)
}
