//! Compares an answer with the expected one, and names the first part that differs.

use std::sync::Arc;

use crate::model::error::{RegistryError, RegistryResult};
use crate::model::event::{ProcessEvent, ProcessEventAppendResult, ProcessWakeDelivery};
use crate::model::handle::ProcessHandleGrant;
use crate::model::lease::{ProcessLease, ProcessLeaseClaimOutcome};
use crate::model::process::{FirstStart, ProcessPruneReport, ProcessRecord, ProcessSessionDeleteReport};
use crate::registry::calls::{AnswerRef, Reply};

use super::arguments::LIFECYCLE;
use super::expected::{Expected, ExpectedHandle, StartAnswer};
use super::{AnswerPart, Latitude, Leniency};

type Compared = Result<(), AnswerPart>;

/// How strictly answers are compared.
#[derive(Clone, Copy)]
pub(super) struct Strictness {
    pub latitude: Latitude,
    pub leniency: Leniency,
}

impl Strictness {
    fn same(self, is_same: bool, part: AnswerPart) -> Compared {
        if is_same || !self.leniency.compares(part) { Ok(()) } else { Err(part) }
    }
}

pub(super) fn compare(
    expected: &RegistryResult<Expected<'_>>,
    answer: AnswerRef<'_>,
    by: Strictness,
) -> Compared {
    match (expected, answer) {
        (Ok(expected), Ok(reply)) => replies(expected, reply, by),
        (Err(expected), Err(error)) => refusals(expected, error, by),
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => Err(AnswerPart::Acceptance),
    }
}

/// Compares the kind of two refusals and their subject. Texts are not compared.
fn refusals(expected: &RegistryError, error: &RegistryError, by: Strictness) -> Compared {
    let is_coarse = matches!(error, RegistryError::LeaseLost { .. }) && is_loss(expected);
    let is_same_kind = std::mem::discriminant(expected) == std::mem::discriminant(error);
    by.same(is_same_kind || is_coarse, AnswerPart::Acceptance)?;
    let is_same = match (expected, error) {
        (
            RegistryError::UnknownProcess { process_id }
            | RegistryError::AlreadyTerminal { process_id, .. }
            | RegistryError::LeaseSuperseded { process_id, .. }
            | RegistryError::LeaseExpired { process_id, .. },
            RegistryError::LeaseLost { process_id: of },
        ) => process_id == of,
        (RegistryError::InvalidArgument { .. }, RegistryError::InvalidArgument { .. }) => true,
        (
            RegistryError::RegistrationConflict { process_id, stored_hash, offered_hash },
            RegistryError::RegistrationConflict {
                process_id: of,
                stored_hash: stored,
                offered_hash: offered,
            },
        ) => {
            // Empty is a hash that nobody has been told yet.
            let fits = |expected: &String, hash: &String| expected.is_empty() || expected == hash;
            process_id == of && fits(stored_hash, stored) && fits(offered_hash, offered) && stored != offered
        }
        (expected, error) => expected == error,
    };
    by.same(is_same, AnswerPart::RefusalDetail)
}

/// The refusals that [`RegistryError::LeaseLost`] may stand for.
fn is_loss(error: &RegistryError) -> bool {
    matches!(
        error,
        RegistryError::UnknownProcess { .. }
            | RegistryError::AlreadyTerminal { .. }
            | RegistryError::LeaseSuperseded { .. }
            | RegistryError::LeaseExpired { .. }
    )
}

fn replies(expected: &Expected<'_>, reply: &Reply, by: Strictness) -> Compared {
    match (expected, reply) {
        (Expected::Done, Reply::Done(())) => Ok(()),
        (Expected::Truth(expected), Reply::Truth(truth)) => by.same(expected == truth, AnswerPart::Truth),
        (Expected::Count(expected), Reply::Count(count)) => by.same(expected == count, AnswerPart::Count),
        (Expected::Record(expected), Reply::Record(record)) => records(expected, record, by),
        (Expected::MaybeRecord(expected), Reply::MaybeRecord(record)) => {
            option(*expected, record, by, records)
        }
        (Expected::Records(expected), Reply::Records(listed)) => {
            list(expected, listed, by, |expected, record| {
                by.same(expected.id() == record.id(), AnswerPart::Members)?;
                records(expected, record, by)
            })
        }
        (Expected::FirstStart(answer, expected), Reply::FirstStart(start)) => {
            let (of, record) = match start {
                FirstStart::Started(record) => (StartAnswer::Started, record),
                FirstStart::AlreadyYours(record) => (StartAnswer::AlreadyYours, record),
                FirstStart::AlreadyStarted(record) => (StartAnswer::AlreadyStarted, record),
            };
            by.same(*answer == of, AnswerPart::StartAnswer)?;
            records(expected, record, by)
        }
        (Expected::Handle(expected), Reply::Handle(handle)) => handles(expected, handle, by),
        (Expected::Handles(expected), Reply::Handles(listed)) => {
            list(expected, listed, by, |expected, handle| handles(expected, handle, by))
        }
        (Expected::HandleEntries(expected), Reply::HandleEntries(listed)) => {
            list(expected, listed, by, |(handle, record), (of, shown)| {
                handles(handle, of, by)?;
                records(record, shown, by)
            })
        }
        (Expected::SessionDeleted(expected), Reply::SessionDeleted(report)) => {
            deletions(expected, report, by)
        }
        (Expected::Appended { event, replayed }, Reply::Appended(result)) => {
            appended(event, *replayed, result, by)
        }
        (Expected::Events(expected), Reply::Events(listed)) => {
            list(expected, listed, by, |expected, event| events(expected, event, by))
        }
        (Expected::Acquired(expected), Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease)))
        | (Expected::Busy(expected), Reply::Claim(ProcessLeaseClaimOutcome::Busy { holder: lease }))
        | (Expected::Lease(expected), Reply::Lease(lease)) => leases(expected, lease, by),
        (Expected::Acquired(_) | Expected::Busy(_), Reply::Claim(_)) => Err(AnswerPart::ClaimOutcome),
        (Expected::MaybeLease(expected), Reply::MaybeLease(lease)) => option(*expected, lease, by, leases),
        (Expected::Pruned(expected), Reply::Pruned(report)) => prunes(*expected, *report, by),
        // The reply of another method.
        (
            Expected::Done
            | Expected::Truth(_)
            | Expected::Count(_)
            | Expected::Record(_)
            | Expected::MaybeRecord(_)
            | Expected::Records(_)
            | Expected::FirstStart(..)
            | Expected::Handle(_)
            | Expected::Handles(_)
            | Expected::HandleEntries(_)
            | Expected::SessionDeleted(_)
            | Expected::Appended { .. }
            | Expected::Events(_)
            | Expected::Acquired(_)
            | Expected::Busy(_)
            | Expected::Lease(_)
            | Expected::MaybeLease(_)
            | Expected::Pruned(_),
            _,
        ) => Err(AnswerPart::Acceptance),
    }
}

fn option<T>(
    expected: Option<&T>,
    shown: &Option<T>,
    by: Strictness,
    compare: impl Fn(&T, &T, Strictness) -> Compared,
) -> Compared {
    match (expected, shown) {
        (None, None) => Ok(()),
        (Some(expected), Some(shown)) => compare(expected, shown, by),
        (None, Some(_)) | (Some(_), None) => Err(AnswerPart::Presence),
    }
}

fn list<E, T>(
    expected: &[E],
    listed: &[T],
    by: Strictness,
    compare: impl Fn(&E, &T) -> Compared,
) -> Compared {
    for (expected, shown) in expected.iter().zip(listed) {
        compare(expected, shown)?;
    }
    by.same(expected.len() == listed.len(), AnswerPart::Members)
}

fn records(expected: &ProcessRecord, record: &ProcessRecord, by: Strictness) -> Compared {
    let ProcessRecord {
        registration,
        registration_hash,
        created_at_ms,
        updated_at_ms,
        external_ref,
        first_started,
        abandon_request,
        wait,
        status,
    } = record;
    let is_shared = Arc::ptr_eq(&expected.registration, registration);
    by.same(is_shared || expected.registration == *registration, AnswerPart::Registration)?;
    // Empty is a hash that nobody has been told yet.
    let is_untold = expected.registration_hash.is_empty();
    let is_same_hash = is_untold || expected.registration_hash == *registration_hash;
    by.same(is_same_hash, AnswerPart::RegistrationHash)?;
    by.same(expected.created_at_ms == *created_at_ms, AnswerPart::CreatedAt)?;
    by.same(expected.external_ref == *external_ref, AnswerPart::ExternalRef)?;
    by.same(expected.first_started == *first_started, AnswerPart::FirstStarted)?;
    by.same(expected.abandon_request == *abandon_request, AnswerPart::AbandonRequest)?;
    by.same(expected.wait == *wait, AnswerPart::Wait)?;
    by.same(expected.status == *status, AnswerPart::Status)?;
    by.same(expected.updated_at_ms == *updated_at_ms, AnswerPart::UpdatedAt)
}

fn handles(expected: &ExpectedHandle<'_>, handle: &ProcessHandleGrant, by: Strictness) -> Compared {
    let ProcessHandleGrant { session_id, process_id, descriptor } = handle;
    by.same(expected.process_id == process_id, AnswerPart::HandleProcess)?;
    by.same(expected.scope.session_id == *session_id, AnswerPart::HandleSession)?;
    by.same(expected.descriptor == descriptor, AnswerPart::HandleDescriptor)
}

fn events(expected: &ProcessEvent, event: &ProcessEvent, by: Strictness) -> Compared {
    let ProcessEvent { process_id, sequence, event_type, payload, replay_key, wake, occurred_at_ms } = event;
    by.same(expected.sequence == *sequence, AnswerPart::EventSequence)?;
    by.same(expected.process_id == *process_id, AnswerPart::EventProcess)?;
    by.same(expected.event_type == *event_type, AnswerPart::EventType)?;
    let is_free = by.latitude == Latitude::Contract && LIFECYCLE.contains(&event_type.as_str());
    by.same(is_free || expected.payload == *payload, AnswerPart::EventPayload)?;
    by.same(expected.replay_key == *replay_key, AnswerPart::EventReplayKey)?;
    by.same(expected.wake == *wake, AnswerPart::EventWake)?;
    by.same(expected.occurred_at_ms == *occurred_at_ms, AnswerPart::EventTime)
}

fn appended(
    expected: &ProcessEvent,
    is_replayed: bool,
    result: &ProcessEventAppendResult,
    by: Strictness,
) -> Compared {
    let ProcessEventAppendResult { event, replayed, wake_delivery } = result;
    by.same(is_replayed == *replayed, AnswerPart::Replayed)?;
    events(expected, event, by)?;
    let expected_delivery = expected.wake.as_ref().and_then(|wake| {
        Some(ProcessWakeDelivery {
            process_id: expected.process_id.clone(),
            sequence: expected.sequence,
            target: wake.target.clone()?,
            input: wake.input.clone(),
        })
    });
    by.same(expected_delivery == *wake_delivery, AnswerPart::WakeDelivery)
}

fn leases(expected: &ProcessLease, lease: &ProcessLease, by: Strictness) -> Compared {
    let ProcessLease {
        schema_version,
        process_id,
        owner,
        lease_token,
        fencing_token,
        claimed_at_epoch_ms,
        expires_at_epoch_ms,
    } = lease;
    by.same(expected.process_id == *process_id, AnswerPart::LeaseProcess)?;
    by.same(expected.owner == *owner, AnswerPart::LeaseOwner)?;
    by.same(expected.fencing_token == *fencing_token, AnswerPart::LeaseFence)?;
    by.same(expected.lease_token == *lease_token, AnswerPart::LeaseToken)?;
    by.same(expected.claimed_at_epoch_ms == *claimed_at_epoch_ms, AnswerPart::LeaseClaimedAt)?;
    by.same(expected.expires_at_epoch_ms == *expires_at_epoch_ms, AnswerPart::LeaseExpiry)?;
    by.same(expected.schema_version == *schema_version, AnswerPart::LeaseSchema)
}

fn prunes(expected: ProcessPruneReport, report: ProcessPruneReport, by: Strictness) -> Compared {
    let ProcessPruneReport { pruned_processes, pruned_events } = report;
    by.same(expected.pruned_processes == pruned_processes, AnswerPart::PrunedProcesses)?;
    by.same(expected.pruned_events == pruned_events, AnswerPart::PrunedEvents)
}

fn deletions(
    expected: &ProcessSessionDeleteReport,
    report: &ProcessSessionDeleteReport,
    by: Strictness,
) -> Compared {
    let ProcessSessionDeleteReport {
        session_id,
        revoked_handle_count,
        deleted_wake_count,
        orphaned_process_ids,
        preserved_process_ids,
    } = report;
    by.same(expected.session_id == *session_id, AnswerPart::DeletedSession)?;
    by.same(expected.revoked_handle_count == *revoked_handle_count, AnswerPart::RevokedHandles)?;
    by.same(expected.deleted_wake_count == *deleted_wake_count, AnswerPart::ClearedWakes)?;
    by.same(expected.orphaned_process_ids == *orphaned_process_ids, AnswerPart::Orphaned)?;
    by.same(expected.preserved_process_ids == *preserved_process_ids, AnswerPart::Preserved)
}
