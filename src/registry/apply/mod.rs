//! [`Registry`] joins the rules to a store: it checks a call's arguments, opens one atomic step, reads the clock once
//! inside it, loads what the rule must see, and carries out what the rule decided. It decides nothing itself. A step
//! that has begun to write no longer refuses.

mod events;
mod handles;
mod leases;
mod writes;

use std::sync::Arc;

use crate::environment::Environment;
use crate::model::error::RegistryError;
use crate::model::process::{DurabilityTier, ProcessListFilter};
use crate::model::row::Life;
use crate::registry::calls::{Call, Reply};
use crate::rules::writes::Authority;
use crate::rules::{Rules, arguments};
use crate::store::{Access, Rows, Store};

type Answer<T> = Result<T, RegistryError>;

/// The whole registry, synchronous. Put it behind a door (`inline`, `threaded`) to use it.
pub struct Registry<S> {
    store: S,
    environment: Arc<dyn Environment>,
    rules: Rules,
}

impl<S: Store> Registry<S> {
    pub fn new(store: S, environment: Arc<dyn Environment>) -> Self {
        Self { store, environment, rules: Rules::LAWFUL }
    }

    /// The same registry under other rules: how the harness plants a bug.
    pub fn with_rules(self, rules: Rules) -> Self {
        Self { rules, ..self }
    }

    pub fn durability_tier(&self) -> DurabilityTier {
        self.store.durability_tier()
    }

    pub fn store(&mut self) -> &mut S {
        &mut self.store
    }

    /// Answers one call, in one atomic step.
    pub fn apply(&mut self, call: Call) -> Answer<Reply> {
        check_arguments(&call)?;
        let Self { store, environment, rules } = self;
        store.atomically(access(&call), |rows| {
            // After every wait for a lock: a reading from before the wait would revive what expired during it.
            let now_ms = environment.now_epoch_ms();
            Step { rows, rules, environment: environment.as_ref(), now_ms }.answer(call)
        })
    }
}

/// One call inside its atomic step.
struct Step<'a> {
    rows: &'a mut dyn Rows,
    rules: &'a Rules,
    environment: &'a dyn Environment,
    now_ms: u64,
}

impl Step<'_> {
    fn answer(&mut self, call: Call) -> Answer<Reply> {
        use Authority::{Fenced, Unfenced};
        Ok(match call {
            Call::RegisterProcess { registration } => Reply::Record(self.register(registration)?),
            Call::SetExternalRef { process_id, external_ref } => {
                Reply::Record(self.set_external_ref(&process_id, external_ref)?)
            }
            Call::GetProcess { process_id } | Call::ReadProcess { process_id } => {
                Reply::MaybeRecord(self.rows.life(&process_id)?.map(|life| life.row.record.clone()))
            }
            Call::ListProcesses { filter } => Reply::Records(self.rows.processes(&filter)?),
            Call::ListNonTerminal {} => Reply::Records(self.rows.processes(&ProcessListFilter::default())?),
            Call::PruneTerminalProcesses { cutoff_epoch_ms } => Reply::Pruned(self.prune(cutoff_epoch_ms)?),

            Call::GrantHandle { session_scope, process_id, descriptor } => {
                Reply::Handle(self.grant_handle(&session_scope, &process_id, descriptor)?)
            }
            Call::RevokeHandle { session_scope, process_id } => {
                Reply::Done(self.rows.remove_handle(&session_scope, &process_id)?)
            }
            Call::TransferHandleGrants { from_scope, to_scope, process_ids } => {
                Reply::Done(self.transfer_handles(&from_scope, &to_scope, process_ids)?)
            }
            Call::ListHandleGrants { session_scope } => {
                Reply::HandleEntries(self.rows.handles_of_scope(&session_scope)?)
            }
            Call::ListLiveHandleGrants { session_scope } => {
                let mut entries = self.rows.handles_of_scope(&session_scope)?;
                entries.retain(|(_, record)| !record.is_terminal());
                Reply::HandleEntries(entries)
            }
            Call::HasHandleGrant { session_scope, process_id } => {
                Reply::Truth(self.rows.handle(&session_scope, &process_id)?.is_some())
            }
            Call::HandleGrantsForProcess { process_id } => {
                self.must_exist(&process_id)?;
                Reply::Handles(self.rows.handles_on(&process_id)?)
            }
            Call::DeleteSessionProcessState { session_id } => {
                Reply::SessionDeleted(self.delete_session(session_id)?)
            }

            Call::AppendEvent { process_id, request } => {
                Reply::Appended(self.append(&process_id, Unfenced, request)?)
            }
            Call::AppendEventWithLease { lease, request } => {
                Reply::Appended(self.append(&lease.process_id, Fenced(&lease), request)?)
            }
            Call::EventsAfter { process_id, after_sequence } => {
                self.must_exist(&process_id)?;
                Reply::Events(self.rows.events_after(&process_id, after_sequence)?)
            }
            Call::WakeEventsAfter { process_id, after_sequence } => {
                self.must_exist(&process_id)?;
                Reply::Events(self.rows.unacked_wakes_after(&process_id, after_sequence)?)
            }
            Call::CountEventsThrough { process_id, event_type, up_to_sequence } => {
                self.must_exist(&process_id)?;
                Reply::Count(self.rows.count_events(&process_id, &event_type, up_to_sequence)?)
            }
            Call::RecentEvents { process_id, limit } => {
                self.must_exist(&process_id)?;
                Reply::Events(self.rows.recent_events(&process_id, limit)?)
            }
            Call::AckWake { process_id, sequence } => Reply::Done(self.ack_wake(&process_id, sequence)?),

            Call::CompleteProcess { process_id, await_output } => {
                Reply::Record(self.complete(&process_id, Unfenced, await_output)?)
            }
            Call::CompleteProcessWithLease { lease, await_output } => {
                Reply::Record(self.complete(&lease.process_id, Fenced(&lease), await_output)?)
            }
            Call::RecordFirstStarted { process_id, started } => {
                Reply::Record(self.first_start(&process_id, Unfenced, started)?.into_record())
            }
            Call::RecordFirstStartedWithLease { lease, started } => {
                Reply::FirstStart(self.first_start(&lease.process_id, Fenced(&lease), started)?)
            }
            Call::SetProcessWait { process_id, wait } => {
                Reply::Record(self.change_wait(&process_id, Unfenced, Some(wait))?)
            }
            Call::SetProcessWaitWithLease { lease, wait } => {
                Reply::Record(self.change_wait(&lease.process_id, Fenced(&lease), Some(wait))?)
            }
            Call::ClearProcessWait { process_id } => {
                Reply::Record(self.change_wait(&process_id, Unfenced, None)?)
            }
            Call::ClearProcessWaitWithLease { lease } => {
                Reply::Record(self.change_wait(&lease.process_id, Fenced(&lease), None)?)
            }
            Call::RequestProcessAbandon { process_id, request } => {
                Reply::Record(self.request_abandon(&process_id, request)?)
            }

            Call::ClaimProcessLease { process_id, owner, lease_ttl_ms } => {
                Reply::Claim(self.claim(&process_id, owner, None, lease_ttl_ms)?)
            }
            Call::ReclaimProcessLease { process_id, owner, observed_holder, lease_ttl_ms } => {
                Reply::Claim(self.claim(&process_id, owner, Some(&observed_holder), lease_ttl_ms)?)
            }
            Call::RenewProcessLease { lease, lease_ttl_ms } => {
                Reply::Lease(self.renew(&lease, lease_ttl_ms)?)
            }
            Call::GetProcessLease { process_id } => Reply::MaybeLease(self.stored_lease(&process_id)?),
            Call::CompleteProcessLease { completion } => Reply::Done(self.release(&completion)?),
        })
    }

    fn life(&mut self, process_id: &str) -> Answer<Life> {
        self.rows.life(process_id)?.ok_or_else(|| RegistryError::unknown(process_id))
    }

    fn must_exist(&mut self, process_id: &str) -> Answer<()> {
        if self.rows.exists(process_id)? { Ok(()) } else { Err(RegistryError::unknown(process_id)) }
    }
}

/// A call that may write takes the write lock at once, so that what it read cannot change before it writes.
fn access(call: &Call) -> Access {
    if call.is_read() { Access::Read } else { Access::Write }
}

/// Invalid arguments come first in the order of checks: before any row is looked at.
pub(crate) fn check_arguments(call: &Call) -> Answer<()> {
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
        _ => Ok(()),
    }
}
