//! Which arguments are invalid, whatever is stored. Depth of values and form of pointers are left to tests of their own.

use crate::model::error::{RegistryError, RegistryResult};
use crate::model::event::ProcessEventAppendRequest;
use crate::model::handle::SessionScope;
use crate::model::lease::{LeaseOwnerIdentity, LeaseOwnerLiveness};
use crate::model::process::{
    ProcessAwaitOutput, ProcessInput, ProcessOriginator, ProcessRegistration, RecoveryDisposition, WaitKind,
};
use crate::registry::calls::Call;

/// Types that the methods write which own the fact.
pub(super) const LIFECYCLE: [&str; 7] = [
    "process.started",
    "process.waiting",
    "process.resumed",
    "process.completed",
    "process.failed",
    "process.cancelled",
    "process.abandoned",
];

pub(super) fn check(call: &Call) -> RegistryResult<()> {
    if let Some(process_id) = call.process_id() {
        name(process_id)?;
    }
    match call {
        Call::RegisterProcess { registration } => check_registration(registration),
        Call::SetExternalRef { external_ref, .. } => {
            name(&external_ref.backend)?;
            name(&external_ref.id)
        }
        Call::GrantHandle { session_scope, descriptor, .. } => {
            scope(session_scope)?;
            name(&descriptor.kind)
        }
        Call::RevokeHandle { session_scope, .. }
        | Call::HasHandleGrant { session_scope, .. }
        | Call::ListHandleGrants { session_scope }
        | Call::ListLiveHandleGrants { session_scope } => scope(session_scope),
        Call::TransferHandleGrants { from_scope, to_scope, process_ids } => {
            scope(from_scope)?;
            scope(to_scope)?;
            process_ids.iter().try_for_each(|id| name(id))
        }
        Call::DeleteSessionProcessState { session_id } => name(session_id),
        Call::AppendEvent { request, .. } | Call::AppendEventWithLease { request, .. } => append(request),
        Call::CountEventsThrough { event_type, .. } => name(event_type),
        Call::CompleteProcess { await_output, .. } | Call::CompleteProcessWithLease { await_output, .. } => {
            output(await_output)
        }
        Call::RecordFirstStarted { started, .. } => owner(&started.owner),
        Call::RecordFirstStartedWithLease { lease, started } => {
            owner(&started.owner)?;
            let (of_lease, of_start) = (&lease.owner, &started.owner);
            let is_theirs =
                of_lease.owner_id == of_start.owner_id && of_lease.incarnation_id == of_start.incarnation_id;
            if is_theirs { Ok(()) } else { Err(invalid()) }
        }
        Call::SetProcessWait { wait, .. } | Call::SetProcessWaitWithLease { wait, .. } => {
            let WaitKind::Signal { name: signal, event_type, key, .. } = &wait.kind;
            [signal, event_type, key].into_iter().try_for_each(|word| name(word))
        }
        Call::RequestProcessAbandon { request, .. } => name(&request.requested_by),
        Call::ClaimProcessLease { owner: claimer, .. } | Call::ReclaimProcessLease { owner: claimer, .. } => {
            owner(claimer)
        }
        // Nothing to check beyond the process id; a ttl is compared with the clock.
        Call::GetProcess { .. }
        | Call::ReadProcess { .. }
        | Call::ListProcesses { .. }
        | Call::ListNonTerminal {}
        | Call::HandleGrantsForProcess { .. }
        | Call::EventsAfter { .. }
        | Call::WakeEventsAfter { .. }
        | Call::RecentEvents { .. }
        | Call::AckWake { .. }
        | Call::ClearProcessWait { .. }
        | Call::ClearProcessWaitWithLease { .. }
        | Call::RenewProcessLease { .. }
        | Call::GetProcessLease { .. }
        | Call::CompleteProcessLease { .. }
        | Call::PruneTerminalProcesses { .. } => Ok(()),
    }
}

/// The refusal; which argument it names, and why, is not compared.
pub(super) fn invalid() -> RegistryError {
    RegistryError::invalid("", "")
}

fn name(text: &str) -> RegistryResult<()> {
    if text.trim().is_empty() || text.len() > 512 { Err(invalid()) } else { Ok(()) }
}

fn optional(text: Option<&String>) -> RegistryResult<()> {
    text.map_or(Ok(()), |text| name(text))
}

fn scope(scope: &SessionScope) -> RegistryResult<()> {
    name(&scope.session_id)?;
    if scope.agent_frame_id.is_empty() { Ok(()) } else { name(&scope.agent_frame_id) }
}

fn owner(owner: &LeaseOwnerIdentity) -> RegistryResult<()> {
    name(&owner.owner_id)?;
    name(&owner.incarnation_id)?;
    match &*owner.liveness {
        LeaseOwnerLiveness::Opaque => Ok(()),
        LeaseOwnerLiveness::LocalProcess { host_id, boot_id, process_start, .. } => {
            [host_id, boot_id, process_start].into_iter().try_for_each(|word| name(word))
        }
    }
}

fn check_registration(registration: &ProcessRegistration) -> RegistryResult<()> {
    name(&registration.id)?;
    match &registration.input {
        ProcessInput::ToolCall { tool, .. } => name(tool)?,
        ProcessInput::Engine { kind, .. } => name(kind)?,
        ProcessInput::SessionTurn { session_id, .. } => name(session_id)?,
        ProcessInput::External { .. } => {
            if registration.disposition != RecoveryDisposition::ExternallyOwned {
                return Err(invalid());
            }
        }
    }
    name(&registration.identity.kind)?;
    optional(registration.identity.definition.as_ref())?;
    optional(registration.provenance.caused_by.as_ref())?;
    if let ProcessOriginator::Session { scope: originator } = &registration.provenance.originator {
        scope(originator)?;
    }
    registration.wake_target.as_ref().map_or(Ok(()), scope)?;
    for (place, declared) in registration.event_types.iter().enumerate() {
        name(&declared.name)?;
        let is_repeated = registration.event_types[..place].iter().any(|other| other.name == declared.name);
        if is_repeated || declared.name.starts_with("process.") || declared.name.starts_with("signal.") {
            return Err(invalid());
        }
    }
    Ok(())
}

fn append(request: &ProcessEventAppendRequest) -> RegistryResult<()> {
    name(&request.event_type)?;
    optional(request.replay.as_ref())?;
    request.wake_target_scope.as_ref().map_or(Ok(()), scope)?;
    let is_keyless_cancel = request.event_type == "process.cancel_requested" && request.replay.is_none();
    if is_keyless_cancel || LIFECYCLE.contains(&request.event_type.as_str()) {
        return Err(invalid());
    }
    Ok(())
}

fn output(output: &ProcessAwaitOutput) -> RegistryResult<()> {
    match output {
        ProcessAwaitOutput::Failure { class, code, .. } => {
            name(class)?;
            optional(code.as_ref())
        }
        ProcessAwaitOutput::Abandoned { evidence } => evidence.owner.as_ref().map_or(Ok(()), owner),
        ProcessAwaitOutput::Success { .. } | ProcessAwaitOutput::Cancelled { .. } => Ok(()),
    }
}
