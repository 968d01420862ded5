//! The footprint of each call: the processes it may change and the rows it will ask for.

use std::collections::BTreeSet;

use crate::model::handle::SessionScope;
use crate::model::process::{ProcessId, ProcessListFilter};
use crate::registry::calls::Call;
use crate::rules::Rules;
use crate::store::{Footprint, RowsRead, Subjects};

/// A call that only reads has no subjects: it changes none.
pub(super) fn footprint(call: &Call, rules: &Rules) -> Footprint {
    let about =
        |process_id: &ProcessId, reads| Footprint::of(Subjects::Known(vec![process_id.clone()]), reads);
    let stored =
        |process_id: &ProcessId| about(process_id, vec![RowsRead::StoredProcess(process_id.clone())]);
    let leased = |process_id: &ProcessId| about(process_id, vec![RowsRead::LeaseRow(process_id.clone())]);
    match call {
        Call::RegisterProcess { registration } => {
            let id = registration.id.clone();
            Footprint {
                joined_sessions: registration.wake_target.iter().map(session).collect(),
                ..Footprint::of(Subjects::New(id.clone()), vec![RowsRead::StoredProcess(id)])
            }
        }
        Call::AppendEvent { process_id, request } => appended(process_id, request.replay.as_ref()),
        Call::AppendEventWithLease { lease, request } => appended(&lease.process_id, request.replay.as_ref()),
        Call::AckWake { process_id, sequence } => {
            let event = RowsRead::Event { process_id: process_id.clone(), sequence: *sequence };
            about(process_id, vec![RowsRead::Exists(process_id.clone()), event])
        }
        Call::SetExternalRef { process_id, .. }
        | Call::CompleteProcess { process_id, .. }
        | Call::RecordFirstStarted { process_id, .. }
        | Call::SetProcessWait { process_id, .. }
        | Call::ClearProcessWait { process_id }
        | Call::RequestProcessAbandon { process_id, .. } => stored(process_id),
        Call::CompleteProcessWithLease { lease, .. }
        | Call::RecordFirstStartedWithLease { lease, .. }
        | Call::SetProcessWaitWithLease { lease, .. }
        | Call::ClearProcessWaitWithLease { lease } => stored(&lease.process_id),
        Call::ClaimProcessLease { process_id, .. } | Call::ReclaimProcessLease { process_id, .. } => {
            leased(process_id)
        }
        Call::RenewProcessLease { lease, .. } => leased(&lease.process_id),
        Call::CompleteProcessLease { completion } => leased(&completion.process_id),

        Call::GrantHandle { session_scope, process_id, .. } => Footprint {
            joined_sessions: vec![session(session_scope)],
            ..about(process_id, vec![RowsRead::Exists(process_id.clone())])
        },
        Call::RevokeHandle { process_id, .. } => about(process_id, Vec::new()),
        Call::TransferHandleGrants { from_scope, to_scope, process_ids } => {
            transferred(from_scope, to_scope, process_ids)
        }
        Call::DeleteSessionProcessState { session_id } => of_session(session_id),
        Call::PruneTerminalProcesses { cutoff_epoch_ms } => pruned((rules.prune_through)(*cutoff_epoch_ms)),

        Call::GetProcess { .. }
        | Call::ReadProcess { .. }
        | Call::ListProcesses { .. }
        | Call::ListNonTerminal {}
        | Call::ListHandleGrants { .. }
        | Call::ListLiveHandleGrants { .. }
        | Call::HasHandleGrant { .. }
        | Call::HandleGrantsForProcess { .. }
        | Call::EventsAfter { .. }
        | Call::WakeEventsAfter { .. }
        | Call::CountEventsThrough { .. }
        | Call::RecentEvents { .. }
        | Call::GetProcessLease { .. } => Footprint::of(Subjects::Known(Vec::new()), rows_of_a_read(call)),
    }
}

/// The rows of a call that changes nothing; a call that writes has none here.
fn rows_of_a_read(call: &Call) -> Vec<RowsRead> {
    let of_log = |process_id: &ProcessId, read| vec![RowsRead::Exists(process_id.clone()), read];
    match call {
        Call::GetProcess { process_id } | Call::ReadProcess { process_id } => {
            vec![RowsRead::StoredProcess(process_id.clone())]
        }
        Call::GetProcessLease { process_id } => vec![RowsRead::LeaseRow(process_id.clone())],
        Call::ListProcesses { filter } => vec![RowsRead::Processes(filter.clone())],
        Call::ListNonTerminal {} => vec![RowsRead::Processes(ProcessListFilter::default())],
        Call::ListHandleGrants { session_scope } | Call::ListLiveHandleGrants { session_scope } => {
            vec![RowsRead::HandlesOfScope(session_scope.clone())]
        }
        Call::HasHandleGrant { session_scope: scope, process_id } => {
            vec![RowsRead::Handle { scope: scope.clone(), process_id: process_id.clone() }]
        }
        Call::HandleGrantsForProcess { process_id } => {
            of_log(process_id, RowsRead::HandlesOn(process_id.clone()))
        }
        Call::EventsAfter { process_id, after_sequence: after } => {
            of_log(process_id, RowsRead::EventsAfter { process_id: process_id.clone(), after: *after })
        }
        Call::WakeEventsAfter { process_id, after_sequence: after } => {
            of_log(process_id, RowsRead::UnackedWakesAfter { process_id: process_id.clone(), after: *after })
        }
        Call::RecentEvents { process_id, limit } => {
            of_log(process_id, RowsRead::RecentEvents { process_id: process_id.clone(), limit: *limit })
        }
        Call::CountEventsThrough { process_id, event_type, up_to_sequence } => of_log(
            process_id,
            RowsRead::CountEvents {
                process_id: process_id.clone(),
                event_type: event_type.clone(),
                through: *up_to_sequence,
            },
        ),
        Call::RegisterProcess { .. }
        | Call::SetExternalRef { .. }
        | Call::GrantHandle { .. }
        | Call::RevokeHandle { .. }
        | Call::TransferHandleGrants { .. }
        | Call::DeleteSessionProcessState { .. }
        | Call::AppendEvent { .. }
        | Call::AppendEventWithLease { .. }
        | Call::AckWake { .. }
        | Call::CompleteProcess { .. }
        | Call::CompleteProcessWithLease { .. }
        | Call::RecordFirstStarted { .. }
        | Call::RecordFirstStartedWithLease { .. }
        | Call::RequestProcessAbandon { .. }
        | Call::SetProcessWait { .. }
        | Call::SetProcessWaitWithLease { .. }
        | Call::ClearProcessWait { .. }
        | Call::ClearProcessWaitWithLease { .. }
        | Call::ClaimProcessLease { .. }
        | Call::ReclaimProcessLease { .. }
        | Call::RenewProcessLease { .. }
        | Call::CompleteProcessLease { .. }
        | Call::PruneTerminalProcesses { .. } => Vec::new(),
    }
}

fn session(scope: &SessionScope) -> String {
    scope.session_id.clone()
}

fn appended(process_id: &ProcessId, replay: Option<&String>) -> Footprint {
    let mut reads = vec![RowsRead::StoredProcess(process_id.clone())];
    if let Some(key) = replay {
        reads.push(RowsRead::EventByReplayKey { process_id: process_id.clone(), key: key.clone() });
    }
    Footprint::of(Subjects::Known(vec![process_id.clone()]), reads)
}

fn of_session(session_id: &str) -> Footprint {
    let reads =
        [RowsRead::HandlesOfSession, RowsRead::ProcessesWaking].map(|read| read(session_id.to_owned()));
    Footprint::of(Subjects::OfSession(session_id.to_owned()), reads.into())
}

/// `None`: the cutoff is before all instants, and nothing is pruned.
fn pruned(through_ms: Option<u64>) -> Footprint {
    match through_ms {
        Some(instant) => {
            Footprint::of(Subjects::EndedThrough(instant), vec![RowsRead::EndedThrough(instant)])
        }
        None => Footprint::of(Subjects::Known(Vec::new()), Vec::new()),
    }
}

fn transferred(from: &SessionScope, to: &SessionScope, process_ids: &[ProcessId]) -> Footprint {
    let distinct: BTreeSet<&ProcessId> = process_ids.iter().collect();
    let reads = distinct.iter().flat_map(|id| {
        let process_id = (*id).clone();
        [RowsRead::Exists(process_id.clone()), RowsRead::Handle { scope: from.clone(), process_id }]
    });
    Footprint {
        joined_sessions: vec![session(from), session(to)],
        reads: reads.collect(),
        subjects: Subjects::Known(distinct.iter().map(|id| (*id).clone()).collect()),
    }
}
