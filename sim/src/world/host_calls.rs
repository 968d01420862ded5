//! The calls that a plan has hosts make, with usual and unusual arguments: ends of ranges, unknown names, empty lists, words
//! that are none.

use fencepost::model::event::{CANCEL_REQUESTED, ProcessEventAppendRequest, lifecycle};
use fencepost::model::handle::{ProcessHandleDescriptor, SessionScope};
use fencepost::model::lease::LeaseOwnerIdentity;
use fencepost::model::process::{
    AbandonEvidence, AbandonRequest, AbandonWriter, ProcessAwaitOutput, ProcessExternalRef,
    ProcessListFilter, ProcessStarted, ProcessStatusKind, RecoveryDisposition, WaitKind, WaitState,
};
use fencepost::registry::calls::Call;
use serde_json::json;

use crate::plan::host_call::HostCall;
use crate::plan::{Process, Scope};

pub fn scope(scope: Scope) -> SessionScope {
    SessionScope::session(scope.to_string())
}

/// The call of a host whose clock stands at `now_ms`.
pub fn call_with(call: HostCall, process: Process, number: u64, now_ms: u64) -> Call {
    let process_id = process.to_string();
    let session_scope = scope_with(number);
    match call {
        HostCall::GetProcess => Call::GetProcess { process_id },
        HostCall::ReadProcess => Call::ReadProcess { process_id },
        HostCall::ListProcesses => Call::ListProcesses { filter: filter_with(process, number) },
        HostCall::ListNonTerminal => Call::ListNonTerminal {},
        HostCall::GetProcessLease => Call::GetProcessLease { process_id },
        HostCall::EventsAfter => Call::EventsAfter { process_id, after_sequence: number },
        HostCall::WakeEventsAfter => Call::WakeEventsAfter { process_id, after_sequence: number },
        HostCall::CountEventsThrough => {
            let event_type = if process.0.is_multiple_of(2) { "progress" } else { lifecycle::STARTED };
            Call::CountEventsThrough { process_id, event_type: event_type.into(), up_to_sequence: number }
        }
        HostCall::RecentEvents => Call::RecentEvents { process_id, limit: limit(number) },
        HostCall::HasHandleGrant => Call::HasHandleGrant { session_scope, process_id },
        HostCall::HandleGrantsForProcess => Call::HandleGrantsForProcess { process_id },
        HostCall::ListHandleGrants => Call::ListHandleGrants { session_scope },
        HostCall::ListLiveHandleGrants => Call::ListLiveHandleGrants { session_scope },
        HostCall::GrantHandle => {
            let descriptor = ProcessHandleDescriptor { kind: "steer".into(), label: Some("asked".into()) };
            Call::GrantHandle { session_scope, process_id, descriptor }
        }
        HostCall::RevokeHandle => Call::RevokeHandle { session_scope, process_id },
        HostCall::TransferHandleGrants => {
            let from_scope = if number == 3 { scope(Scope(2)) } else { scope(Scope(1)) };
            let to_scope = if number == 4 { from_scope.clone() } else { scope(Scope(2)) };
            let process_ids = match number {
                0 => Vec::new(),
                1 => vec![process_id],
                u64::MAX => vec![process_id, "nobody".into()],
                _ => vec![process_id.clone(), process_id],
            };
            Call::TransferHandleGrants { from_scope, to_scope, process_ids }
        }
        HostCall::DeleteSession => Call::DeleteSessionProcessState { session_id: session_scope.session_id },
        HostCall::AppendEvent => Call::AppendEvent { process_id, request: append_with(number) },
        HostCall::AckWake => Call::AckWake { process_id, sequence: number },
        HostCall::SetExternalRef => {
            let id = if number == 0 { String::new() } else { number.to_string() };
            let external_ref = ProcessExternalRef { backend: "queue".into(), id, metadata: json!(number) };
            Call::SetExternalRef { process_id, external_ref }
        }
        HostCall::RecordFirstStarted => {
            let owner = LeaseOwnerIdentity::opaque("host", number.to_string());
            Call::RecordFirstStarted { process_id, started: ProcessStarted { owner, started_at_ms: number } }
        }
        HostCall::SetProcessWait => Call::SetProcessWait { process_id, wait: wait_with(number) },
        HostCall::ClearProcessWait => Call::ClearProcessWait { process_id },
        HostCall::CompleteProcess => Call::CompleteProcess { process_id, await_output: output_with(number) },
        HostCall::RequestAbandon => {
            let requested_by = if number == 0 { String::new() } else { "host".into() };
            let reason = Some(number.to_string());
            Call::RequestProcessAbandon {
                process_id,
                request: AbandonRequest { requested_by, requested_at_ms: number, reason },
            }
        }
        HostCall::Prune => Call::PruneTerminalProcesses { cutoff_epoch_ms: cutoff_with(number, now_ms) },
    }
}

fn limit(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Two sessions, a frame of the first, no session at all, and one that nobody uses.
fn scope_with(number: u64) -> SessionScope {
    match number {
        0 => SessionScope::session(""),
        1 => scope(Scope(1)),
        2 => scope(Scope(2)),
        3 => SessionScope::frame(Scope(1).to_string(), "frame"),
        _ => SessionScope::session("s1/frame"),
    }
}

fn filter_with(process: Process, number: u64) -> ProcessListFilter {
    let any = ProcessListFilter::any();
    let after = Some(process.to_string());
    match number {
        0 => ProcessListFilter { limit: Some(0), ..any },
        1 => any,
        2 => ProcessListFilter { status: Some(ProcessStatusKind::Completed), ..any },
        3 => ProcessListFilter { waiting: Some(true), ..any },
        4 => ProcessListFilter { disposition: Some(RecoveryDisposition::ExternallyOwned), ..any },
        5 => ProcessListFilter { waiting: Some(false), limit: Some(2), ..any },
        6 => ProcessListFilter { limit: Some(1), after, ..any },
        7 => ProcessListFilter { definition: Some("none".into()), ..any },
        8 => ProcessListFilter { status: Some(ProcessStatusKind::Failed), limit: Some(1), ..any },
        _ => ProcessListFilter { limit: Some(usize::MAX), after, ..any },
    }
}

fn append_with(number: u64) -> ProcessEventAppendRequest {
    let request = |event_type: &str| ProcessEventAppendRequest::new(event_type, json!({ "asked": true }));
    match number {
        0 => request(CANCEL_REQUESTED),
        1 => request("progress"),
        2 => request("signal.go").with_replay("go"),
        3 => ProcessEventAppendRequest { payload: json!(null), ..request("signal.go") }.with_replay("go"),
        4 => request("undeclared"),
        5 => request(lifecycle::STARTED),
        6 => request(CANCEL_REQUESTED).with_replay("cancel"),
        7 => request("signal.no name"),
        _ => ProcessEventAppendRequest {
            wake_target_scope: Some(scope(Scope(2))),
            ..request("progress").with_replay("progress")
        },
    }
}

fn wait_with(number: u64) -> WaitState {
    let name = if number == 0 { "" } else { "go" };
    let (name, event_type) = (name.to_owned(), "signal.go".to_owned());
    let kind = WaitKind::Signal { name, event_type, key: "key".into(), ordinal: number };
    WaitState { kind, since_ms: number }
}

/// An outcome; an owner's drain is never licensed where no lease is needed.
fn output_with(number: u64) -> ProcessAwaitOutput {
    let failure = |class: &str| ProcessAwaitOutput::Failure {
        class: class.to_owned(),
        code: Some("7".into()),
        message: "it failed elsewhere".into(),
        raw: None,
    };
    match number {
        0 => failure(""),
        1 => ProcessAwaitOutput::Success { value: json!(1) },
        2 => failure("elsewhere"),
        3 => ProcessAwaitOutput::Cancelled { message: "asked".into(), raw: Some(json!([])) },
        4 => ProcessAwaitOutput::Abandoned {
            evidence: AbandonEvidence { writer: AbandonWriter::OwnerDrain, owner: None, epoch_ms: 0 },
        },
        number => ProcessAwaitOutput::Success { value: json!(number) },
    }
}

fn cutoff_with(number: u64, now_ms: u64) -> u64 {
    match number {
        0 | u64::MAX => number,
        number => now_ms.saturating_sub((number - 1) * 500),
    }
}
