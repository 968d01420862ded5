//! Appends and acks, as `rules/events.rs` decides them.

use std::sync::Arc;

use crate::model::error::{RegistryError, RegistryResult};
use crate::model::event::{ProcessEvent, ProcessEventAppendRequest, ProcessEventAppendResult};
use crate::model::row::ProcessRow;
use crate::registry::apply::step::AtomicStep;
use crate::rules::events::AppendDecision;
use crate::rules::writes::{Authority, ExecutionWrite};

impl AtomicStep<'_> {
    pub(super) fn append(
        &mut self,
        process_id: &str,
        authority: Authority<'_>,
        request: &ProcessEventAppendRequest,
    ) -> RegistryResult<ProcessEventAppendResult> {
        let process = self.stored_process(process_id)?;
        let write = ExecutionWrite::Event { event_type: &request.event_type };
        (self.rules.admit)(self.rules, &process, authority, write, self.now_ms)?;
        let stored = match &request.replay {
            Some(key) => self.rows.event_by_replay_key(process_id, key)?,
            None => None,
        };
        let decision = (self.rules.append)(&process.row.record, stored.as_ref(), request)?;
        let (event, replayed) = match (decision, stored) {
            (AppendDecision::Replayed, Some(stored)) => (stored, true),
            (AppendDecision::Replayed, None) => unreachable!("a rule replayed an event that is not stored"),
            (AppendDecision::New { wake }, _) => {
                let event = ProcessEvent {
                    process_id: process_id.to_owned(),
                    sequence: (self.rules.next_sequence)(process.highest_sequence)?,
                    event_type: request.event_type.clone(),
                    payload: request.payload.clone(),
                    replay_key: request.replay.clone(),
                    wake,
                    occurred_at_ms: self.now_ms,
                };
                let mut row = ProcessRow::clone(&process.row);
                row.record.updated_at_ms = self.now_ms;
                self.rows.put_row(Some(&process.row), Arc::new(row))?;
                self.rows.push_event(event.clone())?;
                (event, false)
            }
        };
        Ok(ProcessEventAppendResult { wake_delivery: event.wake_delivery(), event, replayed })
    }

    pub(super) fn ack_wake(&mut self, process_id: &str, sequence: u64) -> RegistryResult<()> {
        self.must_exist(process_id)?;
        match self.rows.event(process_id, sequence)? {
            Some(stored) if stored.event.wake.is_none() => {
                Err(RegistryError::invalid("sequence", format!("event {sequence} carries no wake")))
            }
            None => Err(RegistryError::invalid("sequence", format!("there is no event {sequence}"))),
            Some(stored) if stored.acked => Ok(()),
            Some(_) => self.rows.ack(process_id, sequence),
        }
    }
}
