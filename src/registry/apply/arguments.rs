//! Which rule checks which argument of a call. An invalid argument is refused before any row is read.

use crate::model::error::RegistryResult;
use crate::registry::calls::Call;
use crate::rules::arguments;

/// Refuses a call whose arguments are invalid whatever is stored. Invalid arguments come first in the order of checks: before
/// any row is looked at. An adapter in front of another registry, whose limits are others, asks this first.
pub fn check_arguments(call: &Call) -> RegistryResult<()> {
    if let Some(process_id) = call.process_id() {
        arguments::name("process_id", process_id)?;
    }
    match call {
        Call::RegisterProcess { registration } => arguments::registration(registration),
        Call::SetExternalRef { external_ref, .. } => arguments::external_ref(external_ref),
        Call::GrantHandle { session_scope, descriptor, .. } => {
            arguments::scope(session_scope)?;
            arguments::descriptor(descriptor)
        }
        Call::RevokeHandle { session_scope, .. }
        | Call::HasHandleGrant { session_scope, .. }
        | Call::ListHandleGrants { session_scope }
        | Call::ListLiveHandleGrants { session_scope } => arguments::scope(session_scope),
        Call::TransferHandleGrants { from_scope, to_scope, process_ids } => {
            arguments::scope(from_scope)?;
            arguments::scope(to_scope)?;
            process_ids.iter().try_for_each(|id| arguments::name("process_ids", id))
        }
        Call::DeleteSessionProcessState { session_id } => arguments::name("session_id", session_id),
        Call::AppendEvent { request, .. } | Call::AppendEventWithLease { request, .. } => {
            arguments::append(request)
        }
        Call::CountEventsThrough { event_type, .. } => arguments::name("event_type", event_type),
        Call::CompleteProcess { await_output, .. } | Call::CompleteProcessWithLease { await_output, .. } => {
            arguments::output(await_output)
        }
        Call::RecordFirstStarted { started, .. } => arguments::started(started),
        Call::RecordFirstStartedWithLease { lease, started } => arguments::start_under(lease, started),
        Call::SetProcessWait { wait, .. } | Call::SetProcessWaitWithLease { wait, .. } => {
            arguments::wait(wait)
        }
        Call::RequestProcessAbandon { request, .. } => arguments::abandon_request(request),
        Call::ClaimProcessLease { owner, .. } | Call::ReclaimProcessLease { owner, .. } => {
            arguments::owner(owner)
        }
        // Nothing to check beyond the process id.
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
