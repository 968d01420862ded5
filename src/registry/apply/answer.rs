//! Each kind of call, and what answers it: one arm a call.

use crate::model::error::RegistryResult;
use crate::model::process::ProcessListFilter;
use crate::registry::apply::step::AtomicStep;
use crate::registry::calls::{Call, Reply};
use crate::rules::writes::Authority;

impl AtomicStep<'_> {
    pub(super) fn answer(&mut self, call: &Call) -> RegistryResult<Reply> {
        use Authority::{Fenced, Unfenced};
        Ok(match call {
            Call::RegisterProcess { registration } => Reply::Record(self.register(registration.clone())?),
            Call::SetExternalRef { process_id, external_ref } => {
                Reply::Record(self.set_external_ref(process_id, external_ref.clone())?)
            }
            Call::GetProcess { process_id } | Call::ReadProcess { process_id } => Reply::MaybeRecord(
                self.rows.stored_process(process_id)?.map(|process| process.row.record.clone()),
            ),
            Call::ListProcesses { filter } => Reply::Records(self.rows.processes(filter)?),
            Call::ListNonTerminal {} => Reply::Records(self.rows.processes(&ProcessListFilter::default())?),
            Call::PruneTerminalProcesses { cutoff_epoch_ms } => Reply::Pruned(self.prune(*cutoff_epoch_ms)?),

            Call::GrantHandle { session_scope, process_id, descriptor } => {
                Reply::Handle(self.grant_handle(session_scope, process_id, descriptor.clone())?)
            }
            Call::RevokeHandle { session_scope, process_id } => {
                Reply::Done(self.rows.remove_handle(session_scope, process_id)?)
            }
            Call::TransferHandleGrants { from_scope, to_scope, process_ids } => {
                Reply::Done(self.transfer_handles(from_scope, to_scope, process_ids)?)
            }
            Call::ListHandleGrants { session_scope } => {
                Reply::HandleEntries(self.rows.handles_of_scope(session_scope)?)
            }
            Call::ListLiveHandleGrants { session_scope } => {
                let mut entries = self.rows.handles_of_scope(session_scope)?;
                entries.retain(|(_, record)| !record.is_terminal());
                Reply::HandleEntries(entries)
            }
            Call::HasHandleGrant { session_scope, process_id } => {
                Reply::Truth(self.rows.handle(session_scope, process_id)?.is_some())
            }
            Call::HandleGrantsForProcess { process_id } => {
                self.must_exist(process_id)?;
                Reply::Handles(self.rows.handles_on(process_id)?)
            }
            Call::DeleteSessionProcessState { session_id } => {
                Reply::SessionDeleted(self.delete_session(session_id)?)
            }

            Call::AppendEvent { process_id, request } => {
                Reply::Appended(self.append(process_id, Unfenced, request)?)
            }
            Call::AppendEventWithLease { lease, request } => {
                Reply::Appended(self.append(&lease.process_id, Fenced(lease), request)?)
            }
            Call::EventsAfter { process_id, after_sequence } => {
                self.must_exist(process_id)?;
                Reply::Events(self.rows.events_after(process_id, *after_sequence)?)
            }
            Call::WakeEventsAfter { process_id, after_sequence } => {
                self.must_exist(process_id)?;
                Reply::Events(self.rows.unacked_wakes_after(process_id, *after_sequence)?)
            }
            Call::CountEventsThrough { process_id, event_type, up_to_sequence } => {
                self.must_exist(process_id)?;
                Reply::Count(self.rows.count_events(process_id, event_type, *up_to_sequence)?)
            }
            Call::RecentEvents { process_id, limit } => {
                self.must_exist(process_id)?;
                Reply::Events(self.rows.recent_events(process_id, *limit)?)
            }
            Call::AckWake { process_id, sequence } => Reply::Done(self.ack_wake(process_id, *sequence)?),

            Call::CompleteProcess { process_id, await_output } => {
                Reply::Record(self.complete(process_id, Unfenced, await_output.clone())?)
            }
            Call::CompleteProcessWithLease { lease, await_output } => {
                Reply::Record(self.complete(&lease.process_id, Fenced(lease), await_output.clone())?)
            }
            Call::RecordFirstStarted { process_id, started } => {
                Reply::Record(self.first_start(process_id, Unfenced, started.clone())?.into_record())
            }
            Call::RecordFirstStartedWithLease { lease, started } => {
                Reply::FirstStart(self.first_start(&lease.process_id, Fenced(lease), started.clone())?)
            }
            Call::SetProcessWait { process_id, wait } => {
                Reply::Record(self.change_wait(process_id, Unfenced, Some(wait.clone()))?)
            }
            Call::SetProcessWaitWithLease { lease, wait } => {
                Reply::Record(self.change_wait(&lease.process_id, Fenced(lease), Some(wait.clone()))?)
            }
            Call::ClearProcessWait { process_id } => {
                Reply::Record(self.change_wait(process_id, Unfenced, None)?)
            }
            Call::ClearProcessWaitWithLease { lease } => {
                Reply::Record(self.change_wait(&lease.process_id, Fenced(lease), None)?)
            }
            Call::RequestProcessAbandon { process_id, request } => {
                Reply::Record(self.request_abandon(process_id, request.clone())?)
            }

            Call::ClaimProcessLease { process_id, owner, lease_ttl_ms } => {
                Reply::Claim(self.claim(process_id, owner, None, *lease_ttl_ms)?)
            }
            Call::ReclaimProcessLease { process_id, owner, observed_holder, lease_ttl_ms } => {
                Reply::Claim(self.claim(process_id, owner, Some(observed_holder), *lease_ttl_ms)?)
            }
            Call::RenewProcessLease { lease, lease_ttl_ms } => {
                Reply::Lease(self.renew(lease, *lease_ttl_ms)?)
            }
            Call::GetProcessLease { process_id } => Reply::MaybeLease(self.stored_lease(process_id)?),
            Call::CompleteProcessLease { completion } => Reply::Done(self.release(completion)?),
        })
    }
}
