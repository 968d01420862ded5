//! One shape as the other. Most shapes are the same when written, because both descend from the same pages. What upstream has
//! no place for is kept in values that it hands through: the registration as the metadata of an external input, an outcome
//! with its grant as a value, the grant of a first start as the payload of an event.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use fencepost::RegistryError;
use fencepost::model::event::{ProcessEvent, ProcessEventAppendRequest, ProcessWake, lifecycle};
use fencepost::model::lease::{Grant, LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::{ProcessAwaitOutput, ProcessRecord, ProcessRegistration, ProcessStatus};
use lash_core as theirs;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub type Answer<T> = Result<T, RegistryError>;

/// Converts a value whose written form is the same on both sides.
pub fn same<T: DeserializeOwned>(shape: impl Serialize) -> Answer<T> {
    let written = serde_json::to_value(shape);
    written.and_then(serde_json::from_value).map_err(|cause| RegistryError::backend("read a shape", cause))
}

/// Upstream wants every type declared that it is to take: our first start, which it writes no event of, and the one signal
/// that the harness sends.
pub fn their_registration(ours: &ProcessRegistration) -> Answer<theirs::ProcessRegistration> {
    let input = theirs::ProcessInput::External { metadata: same(ours)? };
    let provenance = theirs::ProcessProvenance::host();
    let event = |name: &str, is_wake: bool| theirs::ProcessEventType {
        name: name.to_owned(),
        payload_schema: theirs::LashSchema::any(),
        semantics: theirs::ProcessEventSemanticsSpec {
            terminal: None,
            wake: is_wake.then(|| theirs::ProcessWakeSpec {
                when: None,
                input: theirs::ProcessValueSelector::Payload,
                dedupe_key: Default::default(),
            }),
        },
    };
    let declared = ours.event_types.iter().map(|of| event(&of.name, of.wake.is_some()));
    let hidden = [event(lifecycle::STARTED, false), event("signal.go", false)];
    Ok(theirs::ProcessRegistration::new(&ours.id, input, same(ours.disposition)?, provenance)
        .with_wake_target(ours.wake_target.as_ref().map(same).transpose()?)
        .with_extra_event_types(declared.chain(hidden)))
}

pub fn our_record(record: theirs::ProcessRecord) -> Answer<ProcessRecord> {
    let theirs::ProcessInput::External { metadata } = record.input.as_ref() else {
        return Err(RegistryError::damaged("read a record", &record.id, "not registered by this adapter"));
    };
    let mut registration: ProcessRegistration = same(metadata)?;
    registration.wake_target = record.wake_target.map(same).transpose()?;
    Ok(ProcessRecord {
        registration: Arc::new(registration),
        registration_hash: record.registration_hash,
        created_at_ms: record.created_at_ms,
        updated_at_ms: record.updated_at_ms,
        external_ref: record.external_ref.map(same).transpose()?,
        first_started: record.first_started.map(same).transpose()?,
        abandon_request: record.abandon_request.map(same).transpose()?,
        wait: record.wait.map(same).transpose()?,
        status: match record.status.await_output() {
            None => ProcessStatus::Running,
            Some(output) => ProcessStatus::ended(our_output(output)?),
        },
    })
}

/// With the grant that it was presented under, so that upstream's "the same end again" means the same grant's.
pub fn their_output(ours: &ProcessAwaitOutput, by: Option<&Grant>) -> Answer<theirs::ProcessAwaitOutput> {
    let kept = json!({ "output": ours, "by": by });
    let (raw, control, message) = (Some(kept.clone()), None, String::new());
    Ok(match ours {
        ProcessAwaitOutput::Success { .. } => theirs::ProcessAwaitOutput::Success { value: kept, control },
        ProcessAwaitOutput::Failure { .. } => theirs::ProcessAwaitOutput::Failure {
            class: theirs::ToolFailureClass::Execution,
            code: String::new(),
            message,
            raw,
            control,
        },
        ProcessAwaitOutput::Cancelled { .. } => {
            theirs::ProcessAwaitOutput::Cancelled { message, raw, control }
        }
        ProcessAwaitOutput::Abandoned { evidence } => {
            theirs::ProcessAwaitOutput::Abandoned { evidence: Box::new(same(evidence)?), control }
        }
    })
}

fn our_output(output: &theirs::ProcessAwaitOutput) -> Answer<ProcessAwaitOutput> {
    let kept = match output {
        theirs::ProcessAwaitOutput::Success { value, .. } => Some(value),
        theirs::ProcessAwaitOutput::Failure { raw, .. }
        | theirs::ProcessAwaitOutput::Cancelled { raw, .. } => raw.as_ref(),
        theirs::ProcessAwaitOutput::Abandoned { evidence, .. } => {
            return Ok(ProcessAwaitOutput::Abandoned { evidence: same(evidence)? });
        }
    };
    same(kept.and_then(|kept| kept.get("output")))
}

pub fn their_append(ours: ProcessEventAppendRequest) -> Answer<theirs::ProcessEventAppendRequest> {
    let target = ours.wake_target_scope.map(same).transpose()?;
    let theirs = theirs::ProcessEventAppendRequest::new(ours.event_type, ours.payload)
        .with_optional_wake_target_scope(target);
    Ok(match ours.replay {
        Some(key) => theirs.with_replay_key(key),
        None => theirs,
    })
}

/// Upstream keeps a wake's input as text, and no target: it has one only while it delivers.
pub fn our_event(event: theirs::ProcessEvent) -> ProcessEvent {
    let is_lifecycle = lifecycle::ALL.contains(&event.event_type.as_str());
    let input = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
    let occurred = event.occurred_at.duration_since(UNIX_EPOCH).unwrap_or_default();
    ProcessEvent {
        replay_key: event.invocation.replay_key().filter(|_| !is_lifecycle).map(str::to_owned),
        process_id: event.process_id,
        sequence: event.sequence,
        event_type: event.event_type,
        payload: event.payload,
        wake: event.semantics.wake.map(|wake| ProcessWake { input: input(wake.input), target: None }),
        occurred_at_ms: u64::try_from(occurred.as_millis()).unwrap_or(u64::MAX),
    }
}

/// Upstream asks the machine whether a holder's process is alive. No machine has the number that is written here, so the
/// adapter can say who is dead: see its reclaim.
pub fn their_owner(ours: &LeaseOwnerIdentity) -> Answer<theirs::LeaseOwnerIdentity> {
    let mut owner: theirs::LeaseOwnerIdentity = same(ours)?;
    if let theirs::LeaseOwnerLiveness::LocalProcess { pid, .. } = &mut owner.liveness {
        *pid = u32::MAX - *pid;
    }
    Ok(owner)
}

/// Ours is written flat, theirs nested.
pub fn their_lease(ours: &ProcessLease) -> Answer<theirs::ProcessLease> {
    Ok(theirs::ProcessLease {
        schema_version: ours.schema_version,
        process_id: ours.process_id.clone(),
        owner: their_owner(&ours.owner)?,
        lease_token: ours.lease_token.clone(),
        fencing_token: ours.fencing_token,
        claimed_at_epoch_ms: ours.claimed_at_epoch_ms,
        expires_at_epoch_ms: ours.expires_at_epoch_ms,
    })
}

pub fn our_lease(mut lease: theirs::ProcessLease) -> Answer<ProcessLease> {
    if let theirs::LeaseOwnerLiveness::LocalProcess { pid, .. } = &mut lease.owner.liveness {
        *pid = u32::MAX - *pid;
    }
    same(lease)
}

pub fn our_claim(outcome: theirs::ProcessLeaseClaimOutcome) -> Answer<ProcessLeaseClaimOutcome> {
    Ok(match outcome {
        theirs::ProcessLeaseClaimOutcome::Acquired(lease) => {
            ProcessLeaseClaimOutcome::Acquired(our_lease(lease)?)
        }
        theirs::ProcessLeaseClaimOutcome::Busy { holder } => {
            ProcessLeaseClaimOutcome::Busy { holder: our_lease(holder)? }
        }
    })
}
