//! The writes that change a process, and who may make them. Completions and all other writes of an execution are fenced
//! in [`admit`]: a row that workers run takes them only from its live grant, in the same step that looks at the lease.
//! Two steps would not do: 1. A checks its lease. 2. A sleeps, the lease passes to B. 3. A writes on the strength of
//! step 1.

use crate::model::error::RegistryError;
use crate::model::event::{self, signal_name};
use crate::model::lease::Grant;
use crate::model::process::{
    AbandonWriter, ProcessAwaitOutput, ProcessExternalRef, ProcessRecord, RecoveryDisposition, WaitState,
};
use crate::model::row::{ProcessRow, StoredProcess};
pub use crate::rules::decisions::{Admission, Authority, ExecutionWrite, StartDecision};
use crate::rules::leases::live_lease;
use crate::rules::table::Rules;

/// The order of checks is part of the contract: lease required, own completion already applied, already terminal,
/// superseded, expired. An append replays before it meets a terminal state, so unfenced events pass it here.
pub fn admit(
    rules: &Rules,
    process: &StoredProcess,
    authority: Authority<'_>,
    write: ExecutionWrite<'_>,
    now_ms: u64,
) -> Result<Admission, RegistryError> {
    let record = &process.row.record;
    let worker_run = record.disposition().is_worker_run();
    match authority {
        Authority::Unfenced if worker_run && needs_lease(rules, process, write, now_ms) => {
            return Err(lease_required(record));
        }
        Authority::Fenced(_) if !worker_run && !is_settlement(write) => {
            return Err(RegistryError::invalid(
                "process_id",
                format!(
                    "`{}` is externally owned and has no executing owner: use the unfenced method",
                    record.id()
                ),
            ));
        }
        _ => {}
    }
    if let ExecutionWrite::End(output) = write
        && record.status.output() == Some(output)
        && already_applied(process, authority)
    {
        return Ok(Admission::AlreadyApplied);
    }
    if let (Authority::Unfenced, ExecutionWrite::Event { .. }) = (authority, write) {
        return Ok(Admission::Go);
    }
    refuse_terminal(record)?;
    if let Authority::Fenced(presented) = authority {
        (rules.authorize)(rules, &process.tenure, presented, now_ms)?;
    }
    if let ExecutionWrite::End(output) = write {
        (rules.abandonment)(record, output)?;
    }
    Ok(Admission::Go)
}

/// True: store it. False: it stands already. A pruned id is not stored and starts a new life.
pub fn register(
    stored: Option<&ProcessRecord>,
    process_id: &str,
    offered_hash: &str,
) -> Result<bool, RegistryError> {
    match stored {
        None => Ok(true),
        Some(record) if record.registration_hash == offered_hash => Ok(false),
        Some(record) => Err(RegistryError::RegistrationConflict {
            process_id: process_id.to_owned(),
            stored_hash: record.registration_hash.clone(),
            offered_hash: offered_hash.to_owned(),
        }),
    }
}

/// First writer wins. "Yours" is the same GRANT, not the same incarnation: an incarnation that lost its lease and won
/// it again may have another body running.
pub fn first_start(row: &ProcessRow, by: Option<&Grant>) -> StartDecision {
    match (&row.record.first_started, &row.provenance.started_by) {
        (None, _) => StartDecision::Record,
        (Some(_), Some(starter)) if Some(starter) == by => StartDecision::AlreadyYours,
        (Some(_), _) => StartDecision::AlreadyStarted,
    }
}

/// The same wait again, and clearing none, change nothing.
pub fn wait_changes(record: &ProcessRecord, wanted: Option<&WaitState>) -> bool {
    record.wait.as_ref() != wanted
}

/// Giving up needs a reason that does not come from time alone.
pub fn abandonment(record: &ProcessRecord, output: &ProcessAwaitOutput) -> Result<(), RegistryError> {
    let ProcessAwaitOutput::Abandoned { evidence } = output else {
        return Ok(());
    };
    let licensed = match evidence.writer {
        AbandonWriter::ReconciledRequest => record.abandon_request.is_some(),
        AbandonWriter::Sweep | AbandonWriter::OwnerDrain => {
            record.disposition() == RecoveryDisposition::OwnerBound && record.first_started.is_some()
        }
    };
    if licensed {
        return Ok(());
    }
    Err(RegistryError::invalid(
        "output",
        "abandonment needs a recorded abandon request, or an owner-bound process that has started",
    ))
}

/// True: store it. False: an earlier request stands. A process that ended has nothing left to abandon.
pub fn request_abandon(record: &ProcessRecord) -> Result<bool, RegistryError> {
    refuse_terminal(record)?;
    Ok(record.abandon_request.is_none())
}

/// True: store it. False: the same one stands. Allowed on ended processes: a reference may outlive the work.
pub fn set_external_ref(record: &ProcessRecord, wanted: &ProcessExternalRef) -> Result<bool, RegistryError> {
    match &record.external_ref {
        None => Ok(true),
        Some(stored) if stored == wanted => Ok(false),
        Some(stored) => Err(RegistryError::ExternalRefConflict {
            process_id: record.id().to_owned(),
            stored: Box::new(stored.clone()),
        }),
    }
}

pub(super) fn refuse_terminal(record: &ProcessRecord) -> Result<(), RegistryError> {
    if record.is_terminal() {
        return Err(RegistryError::AlreadyTerminal {
            process_id: record.id().to_owned(),
            status: record.status.clone(),
        });
    }
    Ok(())
}

/// True for a write that a row which workers run takes only under a lease. Free of it are signals and cancel requests
/// from hosts, and a start in the name of the holder of the live lease.
fn needs_lease(rules: &Rules, process: &StoredProcess, write: ExecutionWrite<'_>, now_ms: u64) -> bool {
    match write {
        ExecutionWrite::Wait | ExecutionWrite::End(_) => true,
        ExecutionWrite::Start(started) => !live_lease(rules, &process.tenure, now_ms)
            .is_some_and(|held| (rules.same_incarnation)(&held.owner, &started.owner)),
        ExecutionWrite::Event { event_type } => {
            let declared = &process.row.record.registration.event_types;
            event_type != event::CANCEL_REQUESTED
                && signal_name(event_type).is_none()
                && declared.iter().any(|declared| declared.name == event_type)
        }
    }
}

fn is_settlement(write: ExecutionWrite<'_>) -> bool {
    matches!(write, ExecutionWrite::End(ProcessAwaitOutput::Abandoned { evidence })
        if evidence.writer == AbandonWriter::ReconciledRequest)
}

fn already_applied(process: &StoredProcess, authority: Authority<'_>) -> bool {
    match authority {
        Authority::Unfenced => true,
        Authority::Fenced(presented) => process.row.provenance.ended_by.as_ref() == Some(&presented.grant()),
    }
}

fn lease_required(record: &ProcessRecord) -> RegistryError {
    RegistryError::LeaseRequired { process_id: record.id().to_owned() }
}
