//! The worker's decisions: what one attempt on one row does next, after each answer it gets. Pure, and a value like the
//! registry's rules; the worker only carries them out. An attempt that can no longer be sure of its lease does
//! nothing at all: not even a release, which could end a grant it knows nothing of.

use std::time::Duration;

use crate::model::error::RegistryError;
use crate::model::hex::to_hex;
use crate::model::lease::{LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome, same_incarnation};
use crate::model::lease_timings::LeaseTimings;
use crate::model::process::{
    AbandonWriter, FirstStart, ProcessAwaitOutput, ProcessRecord, RecoveryDisposition,
};

/// The next step of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub enum NextStep {
    /// Claim as this attempt's incarnation; again, when an earlier claim's outcome is unknown.
    Claim,
    Reclaim {
        holder: ProcessLease,
    },
    /// Read the row under the lease.
    Read,
    /// Find the engine and let it prepare, then record the first start.
    Start,
    Run,
    Settle {
        writer: AbandonWriter,
    },
    End {
        output: ProcessAwaitOutput,
    },
    /// The same step again, after a pause.
    Again,
    Release,
    /// Stop: make no further call under this grant, if there is one.
    Leave,
}

/// How a body came to its end.
#[derive(Debug, Clone, PartialEq)]
pub enum BodyEnd {
    Output(ProcessAwaitOutput),
    Panicked { message: String },
    InfrastructureFailed,
    LeaseLost,
    Drained,
}

/// The meaning of a renewal's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renewal {
    /// The lease is ours for a full ttl from when the renewal was first sent.
    Believed {
        next_in_ms: u64,
    },
    NotBelieved {
        next_in_ms: u64,
    },
    Lost,
}

/// The answer to a read of the row.
pub type Reading = Result<Option<ProcessRecord>, RegistryError>;

/// A function that says whether an owner is proved dead.
pub type Probe<'a> = &'a dyn Fn(&LeaseOwnerIdentity) -> bool;

/// Every decision of the worker. Each field's function documents itself.
#[derive(Clone, Copy)]
pub struct WorkerRules {
    pub incarnation: fn(entropy: [u8; 16]) -> String,
    pub after_list: fn(&ProcessRecord) -> NextStep,
    pub after_claim:
        fn(&Result<ProcessLeaseClaimOutcome, RegistryError>, was_reclaim: bool, Probe<'_>) -> NextStep,
    pub after_read: fn(&Reading, last_holder: Option<&LeaseOwnerIdentity>, Probe<'_>) -> NextStep,
    pub after_start:
        fn(&Result<FirstStart, RegistryError>, RecoveryDisposition, was_unknown: bool) -> NextStep,
    pub first_renewal_in_ms: fn(&LeaseTimings) -> u64,
    pub after_renewal:
        fn(&Result<ProcessLease, RegistryError>, held: &ProcessLease, &LeaseTimings) -> Renewal,
    pub may_act: fn(now: Duration, deadline: Duration, is_lost: bool) -> bool,
    pub after_body: fn(BodyEnd) -> NextStep,
    pub after_completion: fn(&Result<ProcessRecord, RegistryError>) -> NextStep,
    pub gives_permit_back_while_waiting: fn() -> bool,
}

impl WorkerRules {
    pub const LAWFUL: Self = Self {
        incarnation,
        after_list,
        after_claim,
        after_read,
        after_start,
        first_renewal_in_ms: |timings| timings.renew_interval_ms(),
        after_renewal,
        may_act,
        after_body,
        after_completion,
        gives_permit_back_while_waiting: || true,
    };
}

impl Default for WorkerRules {
    fn default() -> Self {
        Self::LAWFUL
    }
}

/// A fresh one per attempt: two attempts of one incarnation would share a grant by re-entry, and each could release it
/// under the other.
pub fn incarnation(entropy: [u8; 16]) -> String {
    to_hex(&entropy)
}

/// The list is old by the time it is acted on. It only saves claims that are sure to be useless.
pub fn after_list(listed: &ProcessRecord) -> NextStep {
    let is_for_workers = listed.disposition().is_worker_run() || listed.abandon_request.is_some();
    if is_for_workers { NextStep::Claim } else { NextStep::Leave }
}

pub fn after_claim(
    answer: &Result<ProcessLeaseClaimOutcome, RegistryError>,
    was_reclaim: bool,
    is_dead: Probe<'_>,
) -> NextStep {
    match answer {
        Ok(ProcessLeaseClaimOutcome::Acquired(_)) => NextStep::Read,
        // Try a reclaim once. If the registry does not see what this probe sees, a second try changes nothing.
        Ok(ProcessLeaseClaimOutcome::Busy { holder }) if !was_reclaim && is_dead(&holder.owner) => {
            NextStep::Reclaim { holder: holder.clone() }
        }
        // An unknown claim may have been granted: only a claim by the same incarnation finds out, by re-entry.
        Err(error) if error.outcome_is_unknown() => NextStep::Again,
        _ => NextStep::Leave,
    }
}

/// Everything about the row is decided on this reading: the list, and the claim's wait, are older than the lease.
pub fn after_read(
    answer: &Reading,
    _last_holder: Option<&LeaseOwnerIdentity>,
    is_dead: Probe<'_>,
) -> NextStep {
    let record = match answer {
        Ok(Some(record)) if !record.is_terminal() => record,
        Ok(_) => return NextStep::Leave,
        Err(error) if is_loss(error) => return NextStep::Leave,
        // A read that failed is not "not terminal".
        Err(_) => return NextStep::Release,
    };
    let is_requested = record.abandon_request.is_some();
    match (record.disposition(), &record.first_started) {
        (RecoveryDisposition::Rerunnable, _) | (RecoveryDisposition::OwnerBound, None) => NextStep::Start,
        // The starter's death proves that no body runs; a later holder's proves nothing.
        (RecoveryDisposition::OwnerBound, Some(started)) if is_dead(&started.owner) => {
            NextStep::Settle { writer: AbandonWriter::Sweep }
        }
        (RecoveryDisposition::OwnerBound | RecoveryDisposition::ExternallyOwned, _) if is_requested => {
            NextStep::Settle { writer: AbandonWriter::ReconciledRequest }
        }
        _ => NextStep::Release,
    }
}

/// A start that failed used up nothing, and the row is anybody's; but one that may have been recorded, now or before,
/// is asked about until that is known, or an owner-bound process would be used up by nobody.
pub fn after_start(
    answer: &Result<FirstStart, RegistryError>,
    disposition: RecoveryDisposition,
    was_unknown: bool,
) -> NextStep {
    match (answer, disposition) {
        (Ok(FirstStart::AlreadyStarted(_)), RecoveryDisposition::OwnerBound) => NextStep::Release,
        (Ok(_), _) => NextStep::Run,
        (Err(error), _) if is_loss(error) => NextStep::Leave,
        (Err(error), _) if error.is_refusal() => NextStep::Release,
        (Err(error), _) if was_unknown || error.outcome_is_unknown() => NextStep::Again,
        (Err(_), _) => NextStep::Release,
    }
}

pub fn after_renewal(
    answer: &Result<ProcessLease, RegistryError>,
    held: &ProcessLease,
    timings: &LeaseTimings,
) -> Renewal {
    match answer {
        Ok(renewed) if is_same_grant(renewed, held) => {
            Renewal::Believed { next_in_ms: timings.renew_interval_ms() }
        }
        Err(error) if is_loss(error) => Renewal::Lost,
        // One missed renewal is no reason to wait a whole interval for the next.
        _ => Renewal::NotBelieved { next_in_ms: (timings.renew_interval_ms() / 4).max(1) },
    }
}

/// Asked in the same poll that starts an effect or a call.
pub fn may_act(now: Duration, deadline: Duration, is_lost: bool) -> bool {
    !is_lost && now < deadline
}

pub fn after_body(end: BodyEnd) -> NextStep {
    match end {
        BodyEnd::LeaseLost => NextStep::Leave,
        BodyEnd::InfrastructureFailed => NextStep::Release,
        BodyEnd::Drained => NextStep::Settle { writer: AbandonWriter::OwnerDrain },
        BodyEnd::Panicked { message } => NextStep::End { output: failure("panic", message) },
        // Giving up is for those who have a licence; a body has an outcome or none.
        BodyEnd::Output(ProcessAwaitOutput::Abandoned { .. }) => {
            NextStep::End { output: failure("abandoned_by_body", "the body called itself abandoned".into()) }
        }
        BodyEnd::Output(output) => NextStep::End { output },
    }
}

pub fn after_completion(answer: &Result<ProcessRecord, RegistryError>) -> NextStep {
    match answer {
        Ok(_) => NextStep::Leave,
        // An outcome that cannot be stored is an outcome all the same.
        Err(RegistryError::InvalidArgument { argument, why }) if argument.starts_with("output.") => {
            NextStep::End { output: failure("invalid_output", format!("{argument}: {why}")) }
        }
        Err(error) if error.is_refusal() => NextStep::Leave,
        Err(_) => NextStep::Again,
    }
}

/// Answers that say that the grant, or what it was for, is gone.
pub fn is_loss(error: &RegistryError) -> bool {
    matches!(
        error,
        RegistryError::LeaseSuperseded { .. }
            | RegistryError::LeaseExpired { .. }
            | RegistryError::LeaseLost { .. }
            | RegistryError::UnknownProcess { .. }
            | RegistryError::AlreadyTerminal { .. }
    )
}

pub fn is_same_grant(a: &ProcessLease, b: &ProcessLease) -> bool {
    a.process_id == b.process_id
        && a.fencing_token == b.fencing_token
        && a.lease_token == b.lease_token
        && same_incarnation(&a.owner, &b.owner)
}

fn failure(class: &str, message: String) -> ProcessAwaitOutput {
    ProcessAwaitOutput::Failure { class: class.to_owned(), code: None, message, raw: None }
}
