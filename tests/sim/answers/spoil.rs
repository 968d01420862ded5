//! Wrong answers: a right one, with one part of it made wrong.

use std::sync::Arc;

use fencepost::model::error::RegistryError;
use fencepost::model::event::{ProcessEvent, ProcessWake};
use fencepost::model::handle::ProcessHandleGrant;
use fencepost::model::lease::{ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::*;
use fencepost::registry::calls::Reply;
use fencepost::testing::reference_model::AnswerPart;
use serde_json::json;

use super::script::{Answer, owner, wait};

/// Makes this part of the answer wrong; false, if the answer has no such part.
pub fn spoil(part: AnswerPart, answer: &mut Answer) -> bool {
    use AnswerPart::*;
    match (part, answer) {
        (Acceptance, answer) => {
            *answer = match answer {
                Ok(_) => Err(RegistryError::FenceExhausted { process_id: "p".into() }),
                Err(_) => Ok(Reply::Done(())),
            };
            true
        }
        (RefusalDetail, Err(error)) => spoil_refusal(error),
        (RefusalDetail, Ok(_)) | (_, Err(_)) => false,
        (
            Registration | RegistrationHash | CreatedAt | UpdatedAt | ExternalRef | FirstStarted
            | AbandonRequest | Wait | Status,
            Ok(reply),
        ) => record_of(reply).map(|record| spoil_record(part, record)).is_some(),
        (
            EventProcess | EventSequence | EventType | EventPayload | EventReplayKey | EventWake | EventTime,
            Ok(reply),
        ) => event_of(reply).map(|event| spoil_event(part, event)).is_some(),
        (
            LeaseSchema | LeaseProcess | LeaseOwner | LeaseToken | LeaseFence | LeaseClaimedAt | LeaseExpiry,
            Ok(reply),
        ) => lease_of(reply).map(|lease| spoil_lease(part, lease)).is_some(),
        (HandleSession | HandleProcess | HandleDescriptor, Ok(reply)) => {
            handle_of(reply).map(|handle| spoil_handle(part, handle)).is_some()
        }
        (
            Truth | Count | Presence | Members | StartAnswer | Replayed | WakeDelivery | ClaimOutcome
            | PrunedProcesses | PrunedEvents | DeletedSession | RevokedHandles | ClearedWakes | Orphaned
            | Preserved,
            Ok(reply),
        ) => spoil_reply(part, reply),
    }
}

fn spoil_refusal(error: &mut RegistryError) -> bool {
    match error {
        RegistryError::UnknownProcess { process_id }
        | RegistryError::RegistrationConflict { process_id, .. }
        | RegistryError::UndeclaredEventType { process_id, .. }
        | RegistryError::ReplayConflict { process_id, .. }
        | RegistryError::AlreadyTerminal { process_id, .. }
        | RegistryError::LeaseRequired { process_id }
        | RegistryError::LeaseSuperseded { process_id, .. }
        | RegistryError::LeaseExpired { process_id, .. }
        | RegistryError::LeaseLost { process_id }
        | RegistryError::FenceExhausted { process_id }
        | RegistryError::ExternalRefConflict { process_id, .. }
        | RegistryError::HandleMissing { process_id, .. } => process_id.push('!'),
        // Texts are not compared, and a failure says nothing.
        RegistryError::InvalidArgument { .. }
        | RegistryError::Backend { .. }
        | RegistryError::Unavailable { .. } => return false,
    }
    true
}

fn record_of(reply: &mut Reply) -> Option<&mut ProcessRecord> {
    match reply {
        Reply::Record(record) => Some(record),
        Reply::MaybeRecord(record) => record.as_mut(),
        Reply::Records(records) => records.last_mut(),
        Reply::FirstStart(
            FirstStart::Started(record)
            | FirstStart::AlreadyYours(record)
            | FirstStart::AlreadyStarted(record),
        ) => Some(record),
        Reply::HandleEntries(entries) => entries.last_mut().map(|(_, record)| record),
        _ => None,
    }
}

fn spoil_record(part: AnswerPart, record: &mut ProcessRecord) {
    match part {
        AnswerPart::Registration => Arc::make_mut(&mut record.registration).identity.kind.push('!'),
        AnswerPart::RegistrationHash => record.registration_hash.push('!'),
        AnswerPart::CreatedAt => record.created_at_ms += 1,
        AnswerPart::UpdatedAt => record.updated_at_ms += 1,
        AnswerPart::ExternalRef => {
            record.external_ref =
                Some(ProcessExternalRef { backend: "!".into(), id: "!".into(), metadata: json!(1) });
        }
        AnswerPart::FirstStarted => {
            record.first_started = Some(ProcessStarted { owner: owner("!"), started_at_ms: 9 });
        }
        AnswerPart::AbandonRequest => {
            let requested_by = "!".to_owned();
            record.abandon_request = Some(AbandonRequest { requested_by, requested_at_ms: 9, reason: None });
        }
        AnswerPart::Wait => record.wait = Some(WaitState { since_ms: 9, ..wait() }),
        AnswerPart::Status => {
            record.status = ProcessStatus::ended(ProcessAwaitOutput::Success { value: json!("!") });
        }
        part => panic!("{part:?} is no part of a record"),
    }
}

fn event_of(reply: &mut Reply) -> Option<&mut ProcessEvent> {
    match reply {
        Reply::Appended(appended) => Some(&mut appended.event),
        Reply::Events(events) => events.last_mut(),
        _ => None,
    }
}

fn spoil_event(part: AnswerPart, event: &mut ProcessEvent) {
    match part {
        AnswerPart::EventProcess => event.process_id.push('!'),
        AnswerPart::EventSequence => event.sequence += 1,
        AnswerPart::EventType => event.event_type.push('!'),
        AnswerPart::EventPayload => event.payload = json!("!"),
        AnswerPart::EventReplayKey => event.replay_key = Some("!".into()),
        AnswerPart::EventWake => event.wake = Some(ProcessWake { input: json!("!"), target: None }),
        AnswerPart::EventTime => event.occurred_at_ms += 1,
        part => panic!("{part:?} is no part of an event"),
    }
}

fn lease_of(reply: &mut Reply) -> Option<&mut ProcessLease> {
    match reply {
        Reply::Claim(
            ProcessLeaseClaimOutcome::Acquired(lease) | ProcessLeaseClaimOutcome::Busy { holder: lease },
        )
        | Reply::Lease(lease) => Some(lease),
        Reply::MaybeLease(lease) => lease.as_mut(),
        _ => None,
    }
}

fn spoil_lease(part: AnswerPart, lease: &mut ProcessLease) {
    match part {
        AnswerPart::LeaseSchema => lease.schema_version += 1,
        AnswerPart::LeaseProcess => lease.process_id.push('!'),
        AnswerPart::LeaseOwner => lease.owner.incarnation_id.push('!'),
        AnswerPart::LeaseToken => lease.lease_token.push('!'),
        AnswerPart::LeaseFence => lease.fencing_token += 1,
        AnswerPart::LeaseClaimedAt => lease.claimed_at_epoch_ms += 1,
        AnswerPart::LeaseExpiry => lease.expires_at_epoch_ms += 1,
        part => panic!("{part:?} is no part of a lease"),
    }
}

fn handle_of(reply: &mut Reply) -> Option<&mut ProcessHandleGrant> {
    match reply {
        Reply::Handle(handle) => Some(handle),
        Reply::Handles(handles) => handles.last_mut(),
        Reply::HandleEntries(entries) => entries.last_mut().map(|(handle, _)| handle),
        _ => None,
    }
}

fn spoil_handle(part: AnswerPart, handle: &mut ProcessHandleGrant) {
    match part {
        AnswerPart::HandleSession => handle.session_id.push('!'),
        AnswerPart::HandleProcess => handle.process_id.push('!'),
        AnswerPart::HandleDescriptor => handle.descriptor.label = Some("!".into()),
        part => panic!("{part:?} is no part of a handle"),
    }
}

/// Parts that only one kind of answer has.
fn spoil_reply(part: AnswerPart, reply: &mut Reply) -> bool {
    match (part, reply) {
        (AnswerPart::Truth, Reply::Truth(truth)) => *truth = !*truth,
        (AnswerPart::Count, Reply::Count(count)) => *count += 1,
        (AnswerPart::Presence, Reply::MaybeRecord(record @ Some(_))) => *record = None,
        (AnswerPart::Presence, Reply::MaybeLease(lease @ Some(_))) => *lease = None,
        (AnswerPart::Members, Reply::Records(records)) => return records.pop().is_some(),
        (AnswerPart::Members, Reply::Events(events)) => return events.pop().is_some(),
        (AnswerPart::Members, Reply::Handles(handles)) => return handles.pop().is_some(),
        (AnswerPart::Members, Reply::HandleEntries(entries)) => return entries.pop().is_some(),
        (AnswerPart::StartAnswer, Reply::FirstStart(start)) => {
            *start = FirstStart::AlreadyStarted(start.clone().into_record());
        }
        (AnswerPart::Replayed, Reply::Appended(appended)) => appended.replayed = !appended.replayed,
        (AnswerPart::WakeDelivery, Reply::Appended(appended)) => {
            return appended.wake_delivery.take().is_some();
        }
        (AnswerPart::ClaimOutcome, Reply::Claim(outcome)) => {
            *outcome = match outcome.clone() {
                ProcessLeaseClaimOutcome::Acquired(holder) => ProcessLeaseClaimOutcome::Busy { holder },
                ProcessLeaseClaimOutcome::Busy { holder } => ProcessLeaseClaimOutcome::Acquired(holder),
            };
        }
        (AnswerPart::PrunedProcesses, Reply::Pruned(report)) => report.pruned_processes += 1,
        (AnswerPart::PrunedEvents, Reply::Pruned(report)) => report.pruned_events += 1,
        (AnswerPart::DeletedSession, Reply::SessionDeleted(report)) => report.session_id.push('!'),
        (AnswerPart::RevokedHandles, Reply::SessionDeleted(report)) => report.revoked_handle_count += 1,
        (AnswerPart::ClearedWakes, Reply::SessionDeleted(report)) => report.deleted_wake_count += 1,
        (AnswerPart::Orphaned, Reply::SessionDeleted(report)) => {
            report.orphaned_process_ids.push("!".into());
        }
        (AnswerPart::Preserved, Reply::SessionDeleted(report)) => {
            report.preserved_process_ids.push("!".into());
        }
        _ => return false,
    }
    true
}
