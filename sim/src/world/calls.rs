//! The vocabulary of calls: the kind of a call, its process, the lease it presents, and its result.

use fencepost::RegistryError;
use fencepost::model::event::{CANCEL_REQUESTED, SIGNAL_PREFIX};
use fencepost::model::lease::{ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::ProcessStatus;
use fencepost::registry::calls::{AnswerRef, Call, Reply};

use crate::history::event::{CallKind, CallResult, GrantNo, NO_PROCESS, Status, Write};
use crate::plan::step::Method;
use crate::world::state::grants::Grants;
use crate::world::state::nodes::Caller;

/// The facts of a call that the recorder needs, kept while the call itself is given away.
#[derive(Clone)]
pub struct CallInfo {
    pub caller: Caller,
    pub kind: CallKind,
    pub process: u16,
    /// The grant it presents, or stands on.
    pub presented: GrantNo,
    /// The host's request that it is, if it is one.
    pub request: Option<Write>,
    /// The hash of its outcome or of its replay key, or 0.
    pub hash: u64,
    /// The cursor of a read of the log.
    pub cursor: Option<u64>,
    /// The length of the lease it asks for, or 0.
    pub asked_ms: u64,
    /// It lists the processes that have not ended.
    pub is_work_list: bool,
}

impl CallInfo {
    /// A look of the world itself at a process.
    pub fn of_the_world(process: u16) -> Self {
        Self {
            caller: Caller::WORLD,
            kind: CallKind::Read,
            process,
            presented: GrantNo::NONE,
            request: None,
            hash: 0,
            cursor: None,
            asked_ms: 0,
            is_work_list: false,
        }
    }

    /// It is about one process, and may change it.
    pub fn changes_a_process(&self) -> bool {
        self.kind != CallKind::Read && self.process != NO_PROCESS
    }
}

/// The owner and incarnation that a claim is for.
pub fn claimed_for(call: &Call) -> Option<(String, String)> {
    match call {
        Call::ClaimProcessLease { owner, .. } | Call::ReclaimProcessLease { owner, .. } => {
            Some((owner.owner_id.clone(), owner.incarnation_id.clone()))
        }
        _ => None,
    }
}

pub fn kind_of(call: &Call) -> CallKind {
    match call {
        Call::ClaimProcessLease { .. } => CallKind::Claim,
        Call::ReclaimProcessLease { .. } => CallKind::Reclaim,
        Call::RenewProcessLease { .. } => CallKind::Renew,
        Call::CompleteProcessLease { .. } => CallKind::Release,
        Call::RecordFirstStartedWithLease { .. } => CallKind::Start,
        Call::AppendEventWithLease { .. } => CallKind::Emit,
        Call::SetProcessWaitWithLease { .. } => CallKind::SetWait,
        Call::ClearProcessWaitWithLease { .. } => CallKind::ClearWait,
        Call::CompleteProcessWithLease { .. } => CallKind::Complete,
        Call::RecordFirstStarted { .. } => CallKind::UnfencedStart,
        Call::AppendEvent { .. } => CallKind::UnfencedEmit,
        Call::SetProcessWait { .. } => CallKind::UnfencedSetWait,
        Call::ClearProcessWait { .. } => CallKind::UnfencedClearWait,
        Call::CompleteProcess { .. } => CallKind::UnfencedComplete,
        Call::RegisterProcess { .. } => CallKind::Register,
        Call::RequestProcessAbandon { .. } => CallKind::Abandon,
        Call::PruneTerminalProcesses { .. } => CallKind::Prune,
        Call::GrantHandle { .. } => CallKind::GrantHandle,
        Call::TransferHandleGrants { .. } => CallKind::Transfer,
        Call::AckWake { .. } => CallKind::Ack,
        Call::GetProcess { .. }
        | Call::ReadProcess { .. }
        | Call::ListProcesses { .. }
        | Call::ListNonTerminal { .. }
        | Call::ListHandleGrants { .. }
        | Call::ListLiveHandleGrants { .. }
        | Call::HasHandleGrant { .. }
        | Call::HandleGrantsForProcess { .. }
        | Call::EventsAfter { .. }
        | Call::WakeEventsAfter { .. }
        | Call::CountEventsThrough { .. }
        | Call::RecentEvents { .. }
        | Call::GetProcessLease { .. } => CallKind::Read,
        Call::SetExternalRef { .. } | Call::RevokeHandle { .. } | Call::DeleteSessionProcessState { .. } => {
            CallKind::Other
        }
    }
}

/// An execution's write that presents no lease.
pub fn is_unfenced_execution(kind: CallKind) -> bool {
    matches!(
        kind,
        CallKind::UnfencedStart
            | CallKind::UnfencedEmit
            | CallKind::UnfencedSetWait
            | CallKind::UnfencedClearWait
            | CallKind::UnfencedComplete
    )
}

/// The lease a call presents as its own.
pub fn presented_by(call: &Call) -> Option<&ProcessLease> {
    match call {
        Call::RenewProcessLease { lease, .. }
        | Call::RecordFirstStartedWithLease { lease, .. }
        | Call::AppendEventWithLease { lease, .. }
        | Call::SetProcessWaitWithLease { lease, .. }
        | Call::ClearProcessWaitWithLease { lease }
        | Call::CompleteProcessWithLease { lease, .. } => Some(lease),
        Call::RegisterProcess { .. }
        | Call::SetExternalRef { .. }
        | Call::GrantHandle { .. }
        | Call::RevokeHandle { .. }
        | Call::TransferHandleGrants { .. }
        | Call::DeleteSessionProcessState { .. }
        | Call::AppendEvent { .. }
        | Call::AckWake { .. }
        | Call::CompleteProcess { .. }
        | Call::RecordFirstStarted { .. }
        | Call::RequestProcessAbandon { .. }
        | Call::SetProcessWait { .. }
        | Call::ClearProcessWait { .. }
        | Call::ClaimProcessLease { .. }
        | Call::ReclaimProcessLease { .. }
        | Call::CompleteProcessLease { .. }
        | Call::PruneTerminalProcesses { .. }
        | Call::GetProcess { .. }
        | Call::ReadProcess { .. }
        | Call::ListProcesses { .. }
        | Call::ListNonTerminal { .. }
        | Call::ListHandleGrants { .. }
        | Call::ListLiveHandleGrants { .. }
        | Call::HasHandleGrant { .. }
        | Call::HandleGrantsForProcess { .. }
        | Call::EventsAfter { .. }
        | Call::WakeEventsAfter { .. }
        | Call::CountEventsThrough { .. }
        | Call::RecentEvents { .. }
        | Call::GetProcessLease { .. } => None,
    }
}

/// The grant that a call presents: by its lease, or by the token of a release.
pub fn grant_presented_by(call: &Call, process: u16, grants: &mut Grants) -> GrantNo {
    match (presented_by(call), call) {
        (Some(lease), _) => grants.of_lease(process, lease),
        (None, Call::CompleteProcessLease { completion }) => {
            grants.of_token(process, &completion.lease_token)
        }
        _ => GrantNo::NONE,
    }
}

/// The request of a host that a call is, if it is one of those that laws tell apart.
pub fn request_in(call: &Call) -> Option<Write> {
    match call {
        Call::AppendEvent { request, .. } if request.event_type == CANCEL_REQUESTED => {
            Some(Write::CancelRequest)
        }
        Call::AppendEvent { request, .. } if request.event_type.starts_with(SIGNAL_PREFIX) => {
            Some(Write::Signal)
        }
        Call::RequestProcessAbandon { .. } => Some(Write::AbandonRequest),
        _ => None,
    }
}

/// The kind of call that a plan can hold back.
pub fn method_of(call: &Call) -> Option<Method> {
    match call {
        Call::ClaimProcessLease { .. } => Some(Method::Claim),
        Call::RenewProcessLease { .. } => Some(Method::Renew),
        Call::RecordFirstStartedWithLease { .. } => Some(Method::Start),
        Call::AppendEventWithLease { .. } => Some(Method::Emit),
        Call::AppendEvent { request, .. } if request.event_type == "progress" => Some(Method::Emit),
        Call::CompleteProcessWithLease { .. } | Call::CompleteProcess { .. } => Some(Method::Complete),
        Call::CompleteProcessLease { .. } => Some(Method::Release),
        _ => None,
    }
}

/// The number in a process's id.
pub fn process_of(id: &str) -> Option<u16> {
    id.strip_prefix('p')?.parse().ok()
}

/// The process that a call is about, or [`NO_PROCESS`].
pub fn process_in(call: &Call) -> u16 {
    let id = match call {
        Call::RegisterProcess { registration } => Some(registration.id.as_str()),
        other => other.process_id(),
    };
    id.and_then(process_of).unwrap_or(NO_PROCESS)
}

/// The result of a call as its caller hears it.
pub fn result_of(answer: AnswerRef<'_>) -> CallResult {
    match answer {
        Ok(Reply::Claim(ProcessLeaseClaimOutcome::Busy { .. })) => CallResult::Busy,
        Ok(_) => CallResult::Done,
        Err(error) => refusal_of(error),
    }
}

pub fn refusal_of(error: &RegistryError) -> CallResult {
    match error {
        RegistryError::UnknownProcess { .. } => CallResult::UnknownProcess,
        RegistryError::InvalidArgument { .. } => CallResult::InvalidArgument,
        RegistryError::AlreadyTerminal { .. } => CallResult::AlreadyTerminal,
        RegistryError::LeaseRequired { .. } => CallResult::LeaseRequired,
        RegistryError::LeaseSuperseded { .. } => CallResult::Superseded,
        RegistryError::LeaseExpired { .. } => CallResult::Expired,
        RegistryError::LeaseLost { .. } => CallResult::LeaseLost,
        RegistryError::FenceExhausted { .. } => CallResult::FenceExhausted,
        RegistryError::Backend { .. } => CallResult::Failed,
        RegistryError::Unavailable { .. } => CallResult::OutcomeUnknown,
        RegistryError::RegistrationConflict { .. }
        | RegistryError::UndeclaredEventType { .. }
        | RegistryError::ReplayConflict { .. }
        | RegistryError::ExternalRefConflict { .. }
        | RegistryError::HandleMissing { .. } => CallResult::OtherRefusal,
    }
}

pub fn status_of(status: &ProcessStatus) -> Status {
    match status {
        ProcessStatus::Running => Status::Running,
        ProcessStatus::Completed { .. } => Status::Completed,
        ProcessStatus::Failed { .. } => Status::Failed,
        ProcessStatus::Cancelled { .. } => Status::Cancelled,
        ProcessStatus::Abandoned { .. } => Status::Abandoned,
    }
}
