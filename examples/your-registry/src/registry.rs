//! A process registry on an ordered map behind a mutex. Each call is one step: its arguments, then the lock, then one
//! reading of the clock it was handed, then a decision that nothing interrupts. It keeps no promise beyond the life of
//! its process, and says so by leaving `durability_tier` alone. Read next: `row.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use fencepost::environment::Environment;
use fencepost::model::event::{ProcessEvent, ProcessEventAppendRequest, ProcessEventAppendResult};
use fencepost::model::handle::{
    ProcessHandleDescriptor, ProcessHandleGrant, ProcessHandleGrantEntry, SessionScope,
};
use fencepost::model::lease::{
    LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome, ProcessLeaseCompletion, same_incarnation,
};
use fencepost::model::process::{
    AbandonRequest, FirstStart, ProcessAwaitOutput, ProcessExternalRef, ProcessListFilter,
    ProcessPruneReport, ProcessRecord, ProcessRegistration, ProcessSessionDeleteReport, ProcessStarted,
    WaitState,
};
use fencepost::{ProcessRegistry, RegistryError};

use crate::arguments;
use crate::row::{Answer, EndNeeds, Reached, Row};

pub struct MapRegistry {
    environment: Arc<dyn Environment>,
    table: Mutex<Table>,
    end_needs: EndNeeds,
}

#[derive(Default)]
struct Table {
    rows: BTreeMap<String, Row>,
    /// How far pruned ids came. Never deleted: a fence that came again would let an old writer in.
    pruned: BTreeMap<String, Reached>,
    handles: BTreeMap<(SessionScope, String), ProcessHandleDescriptor>,
}

impl MapRegistry {
    /// Time, chance and the proof of a holder's death come from `environment` alone.
    pub fn open(environment: Arc<dyn Environment>) -> Self {
        Self { environment, table: Mutex::default(), end_needs: EndNeeds::LiveGrant }
    }

    /// The same with one bug: the write that ends a process looks at its fence, and not at its expiry.
    pub fn open_broken(environment: Arc<dyn Environment>) -> Self {
        Self { end_needs: EndNeeds::StoredGrant, ..Self::open(environment) }
    }

    /// The clock is read under the lock: a reading from before the wait would revive what expired during it.
    fn step<T>(&self, decide: impl FnOnce(&mut Table, u64) -> Answer<T>) -> Answer<T> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        decide(&mut table, self.environment.now_epoch_ms())
    }

    fn on_row<T>(&self, process_id: &str, decide: impl FnOnce(&mut Row, u64) -> Answer<T>) -> Answer<T> {
        arguments::name("process_id", process_id)?;
        self.step(|table, now_ms| decide(table.row(process_id)?, now_ms))
    }

    fn end(
        &self,
        process_id: &str,
        by: Option<&ProcessLease>,
        output: ProcessAwaitOutput,
    ) -> Answer<ProcessRecord> {
        arguments::output(&output)?;
        self.on_row(process_id, |row, now_ms| row.end(by, output, self.end_needs, now_ms))
    }

    fn append(
        &self,
        process_id: &str,
        by: Option<&ProcessLease>,
        request: ProcessEventAppendRequest,
    ) -> Answer<ProcessEventAppendResult> {
        arguments::append(&request)?;
        self.on_row(process_id, |row, now_ms| row.append(by, request, now_ms))
    }

    fn wait(
        &self,
        process_id: &str,
        by: Option<&ProcessLease>,
        wanted: Option<WaitState>,
    ) -> Answer<ProcessRecord> {
        wanted.iter().try_for_each(arguments::wait)?;
        self.on_row(process_id, |row, now_ms| row.wait(by, wanted, now_ms))
    }
}

impl Table {
    fn row(&mut self, process_id: &str) -> Answer<&mut Row> {
        self.rows.get_mut(process_id).ok_or_else(|| RegistryError::unknown(process_id))
    }

    /// Each handle, with the process it is on.
    fn handles_of(&self, scope: &SessionScope) -> impl Iterator<Item = ProcessHandleGrantEntry> {
        let from = (scope.clone(), String::new());
        let of_scope = self.handles.range(from..).take_while(move |((of, _), _)| of == scope);
        of_scope.filter_map(|((scope, id), descriptor)| {
            let record = self.rows.get(id)?.record.clone();
            Some((ProcessHandleGrant::new(scope, id, descriptor.clone()), record))
        })
    }
}

#[async_trait]
impl ProcessRegistry for MapRegistry {
    async fn register_process(&self, registration: ProcessRegistration) -> Answer<ProcessRecord> {
        arguments::registration(&registration)?;
        let hash = registration.content_hash();
        self.step(|table, now_ms| {
            let id = registration.id.clone();
            if let Some(stored) = table.rows.get(&id).map(|row| &row.record) {
                if stored.registration_hash == hash {
                    return Ok(stored.clone());
                }
                let stored_hash = stored.registration_hash.clone();
                return Err(RegistryError::RegistrationConflict {
                    process_id: id,
                    stored_hash,
                    offered_hash: hash,
                });
            }
            let reached = table.pruned.get(&id).copied().unwrap_or_default();
            let row = Row::new(registration, hash, reached, now_ms);
            let record = row.record.clone();
            table.rows.insert(id, row);
            Ok(record)
        })
    }

    async fn set_external_ref(&self, process_id: &str, wanted: ProcessExternalRef) -> Answer<ProcessRecord> {
        arguments::external_ref(&wanted)?;
        self.on_row(process_id, |row, now_ms| row.refer_to(wanted, now_ms))
    }

    // ---- handles

    async fn grant_handle(
        &self,
        scope: &SessionScope,
        process_id: &str,
        descriptor: ProcessHandleDescriptor,
    ) -> Answer<ProcessHandleGrant> {
        arguments::scope(scope)?;
        arguments::name("process_id", process_id)?;
        arguments::name("descriptor.kind", &descriptor.kind)?;
        self.step(|table, _| {
            table.row(process_id)?;
            table.handles.insert((scope.clone(), process_id.to_owned()), descriptor.clone());
            Ok(ProcessHandleGrant::new(scope, process_id, descriptor))
        })
    }

    async fn revoke_handle(&self, scope: &SessionScope, process_id: &str) -> Answer<()> {
        arguments::scope(scope)?;
        arguments::name("process_id", process_id)?;
        self.step(|table, _| {
            table.handles.remove(&(scope.clone(), process_id.to_owned()));
            Ok(())
        })
    }

    async fn transfer_handle_grants(
        &self,
        from: &SessionScope,
        to: &SessionScope,
        process_ids: &[String],
    ) -> Answer<()> {
        arguments::scope(from)?;
        arguments::scope(to)?;
        process_ids.iter().try_for_each(|id| arguments::name("process_ids", id))?;
        let distinct: BTreeSet<&String> = process_ids.iter().collect();
        self.step(|table, _| {
            for id in &distinct {
                table.row(id)?;
            }
            let missing =
                distinct.iter().find(|id| !table.handles.contains_key(&(from.clone(), id.to_string())));
            if let Some(missing) = missing {
                let (scope_id, process_id) = (from.id(), missing.to_string());
                return Err(RegistryError::HandleMissing { scope_id, process_id });
            }
            for id in distinct {
                if let Some(moved) = table.handles.remove(&(from.clone(), id.clone())) {
                    table.handles.insert((to.clone(), id.clone()), moved);
                }
            }
            Ok(())
        })
    }

    async fn list_handle_grants(&self, scope: &SessionScope) -> Answer<Vec<ProcessHandleGrantEntry>> {
        arguments::scope(scope)?;
        self.step(|table, _| Ok(table.handles_of(scope).collect()))
    }

    async fn has_handle_grant(&self, scope: &SessionScope, process_id: &str) -> Answer<bool> {
        arguments::scope(scope)?;
        arguments::name("process_id", process_id)?;
        self.step(|table, _| Ok(table.handles.contains_key(&(scope.clone(), process_id.to_owned()))))
    }

    async fn handle_grants_for_process(&self, process_id: &str) -> Answer<Vec<ProcessHandleGrant>> {
        arguments::name("process_id", process_id)?;
        self.step(|table, _| {
            table.row(process_id)?;
            let on_it = table.handles.iter().filter(|((_, id), _)| id == process_id);
            let grants = on_it.map(|((scope, id), of)| ProcessHandleGrant::new(scope, id, of.clone()));
            Ok(grants.collect())
        })
    }

    async fn delete_session_process_state(&self, session_id: &str) -> Answer<ProcessSessionDeleteReport> {
        arguments::name("session_id", session_id)?;
        self.step(|table, now_ms| {
            let is_its = |scope: &SessionScope| scope.session_id == session_id;
            let mut report =
                ProcessSessionDeleteReport { session_id: session_id.to_owned(), ..Default::default() };
            let mut touched = BTreeSet::new();
            table.handles.retain(|(scope, id), _| {
                if is_its(scope) {
                    report.revoked_handle_count += 1;
                    touched.insert(id.clone());
                }
                !is_its(scope)
            });
            for record in table.rows.values_mut().map(|row| &mut row.record) {
                if record.registration.wake_target.as_ref().is_some_and(is_its) {
                    Arc::make_mut(&mut record.registration).wake_target = None;
                    record.updated_at_ms = now_ms;
                    report.deleted_wake_count += 1;
                }
            }
            touched.retain(|id| table.rows.get(id).is_some_and(|row| !row.record.is_terminal()));
            let still_held = |id: &String| table.handles.keys().any(|(_, held)| held == id);
            (report.preserved_process_ids, report.orphaned_process_ids) =
                touched.into_iter().partition(still_held);
            Ok(report)
        })
    }

    // ---- events

    async fn append_event(
        &self,
        process_id: &str,
        request: ProcessEventAppendRequest,
    ) -> Answer<ProcessEventAppendResult> {
        self.append(process_id, None, request)
    }

    async fn append_event_with_lease(
        &self,
        lease: &ProcessLease,
        request: ProcessEventAppendRequest,
    ) -> Answer<ProcessEventAppendResult> {
        self.append(&lease.process_id, Some(lease), request)
    }

    async fn events_after(&self, process_id: &str, after_sequence: u64) -> Answer<Vec<ProcessEvent>> {
        self.on_row(process_id, |row, _| Ok(row.events_after(after_sequence).cloned().collect()))
    }

    async fn wake_events_after(&self, process_id: &str, after_sequence: u64) -> Answer<Vec<ProcessEvent>> {
        self.on_row(process_id, |row, _| {
            let is_due = |event: &&ProcessEvent| event.wake.is_some() && !row.acked.contains(&event.sequence);
            Ok(row.events_after(after_sequence).filter(is_due).cloned().collect())
        })
    }

    async fn count_events_through(&self, process_id: &str, event_type: &str, through: u64) -> Answer<u64> {
        arguments::name("event_type", event_type)?;
        self.on_row(process_id, |row, _| {
            let counts = |event: &&ProcessEvent| event.sequence <= through && event.event_type == event_type;
            Ok(row.log.iter().filter(counts).count() as u64)
        })
    }

    async fn ack_wake(&self, process_id: &str, sequence: u64) -> Answer<()> {
        self.on_row(process_id, |row, _| row.ack_wake(sequence))
    }

    // ---- lifecycle

    async fn complete_process(&self, process_id: &str, output: ProcessAwaitOutput) -> Answer<ProcessRecord> {
        self.end(process_id, None, output)
    }

    async fn complete_process_with_lease(
        &self,
        lease: &ProcessLease,
        output: ProcessAwaitOutput,
    ) -> Answer<ProcessRecord> {
        self.end(&lease.process_id, Some(lease), output)
    }

    async fn record_first_started(&self, process_id: &str, started: ProcessStarted) -> Answer<ProcessRecord> {
        arguments::owner(&started.owner)?;
        self.on_row(process_id, |row, now_ms| row.start(None, started, now_ms).map(FirstStart::into_record))
    }

    async fn record_first_started_with_lease(
        &self,
        lease: &ProcessLease,
        started: ProcessStarted,
    ) -> Answer<FirstStart> {
        arguments::owner(&started.owner)?;
        if !same_incarnation(&started.owner, &lease.owner) {
            return Err(RegistryError::invalid("started.owner", "must be whom the lease was granted to"));
        }
        self.on_row(&lease.process_id, |row, now_ms| row.start(Some(lease), started, now_ms))
    }

    async fn request_process_abandon(
        &self,
        process_id: &str,
        request: AbandonRequest,
    ) -> Answer<ProcessRecord> {
        arguments::name("request.requested_by", &request.requested_by)?;
        self.on_row(process_id, |row, now_ms| row.request_abandon(request, now_ms))
    }

    async fn set_process_wait(&self, process_id: &str, wait: WaitState) -> Answer<ProcessRecord> {
        self.wait(process_id, None, Some(wait))
    }

    async fn set_process_wait_with_lease(
        &self,
        lease: &ProcessLease,
        wait: WaitState,
    ) -> Answer<ProcessRecord> {
        self.wait(&lease.process_id, Some(lease), Some(wait))
    }

    async fn clear_process_wait(&self, process_id: &str) -> Answer<ProcessRecord> {
        self.wait(process_id, None, None)
    }

    async fn clear_process_wait_with_lease(&self, lease: &ProcessLease) -> Answer<ProcessRecord> {
        self.wait(&lease.process_id, Some(lease), None)
    }

    async fn get_process(&self, process_id: &str) -> Option<ProcessRecord> {
        self.read_process(process_id).await.ok().flatten()
    }

    async fn read_process(&self, process_id: &str) -> Answer<Option<ProcessRecord>> {
        arguments::name("process_id", process_id)?;
        self.step(|table, _| Ok(table.rows.get(process_id).map(|row| row.record.clone())))
    }

    async fn list_processes(&self, filter: &ProcessListFilter) -> Answer<Vec<ProcessRecord>> {
        let is_listed = |record: &&ProcessRecord| {
            filter.status.is_none_or(|status| record.status.kind() == status)
                && filter.waiting.is_none_or(|waiting| record.wait.is_some() == waiting)
                && filter.disposition.is_none_or(|disposition| record.disposition() == disposition)
                && (filter.definition.is_none()
                    || record.registration.identity.definition == filter.definition)
        };
        self.step(|table, _| {
            let after = filter.after.clone().map_or(Unbounded, Excluded);
            let records = table.rows.range((after, Unbounded)).map(|(_, row)| &row.record);
            Ok(records.filter(is_listed).take(filter.limit.unwrap_or(usize::MAX)).cloned().collect())
        })
    }

    async fn list_non_terminal(&self) -> Answer<Vec<ProcessRecord>> {
        self.list_processes(&ProcessListFilter::default()).await
    }

    // ---- leases

    async fn claim_process_lease(
        &self,
        process_id: &str,
        owner: &LeaseOwnerIdentity,
        ttl_ms: u64,
    ) -> Answer<ProcessLeaseClaimOutcome> {
        arguments::name("process_id", process_id)?;
        arguments::owner(owner)?;
        self.step(|table, now_ms| {
            let until_ms = arguments::until(now_ms, ttl_ms)?;
            table.row(process_id)?.claim(owner, (now_ms, until_ms), self.environment.as_ref())
        })
    }

    async fn reclaim_process_lease(
        &self,
        process_id: &str,
        owner: &LeaseOwnerIdentity,
        observed_holder: &ProcessLease,
        ttl_ms: u64,
    ) -> Answer<ProcessLeaseClaimOutcome> {
        arguments::name("process_id", process_id)?;
        arguments::owner(owner)?;
        self.step(|table, now_ms| {
            let until_ms = arguments::until(now_ms, ttl_ms)?;
            let row = table.row(process_id)?;
            row.reclaim(owner, observed_holder, (now_ms, until_ms), self.environment.as_ref())
        })
    }

    async fn renew_process_lease(&self, lease: &ProcessLease, ttl_ms: u64) -> Answer<ProcessLease> {
        arguments::name("process_id", &lease.process_id)?;
        self.step(|table, now_ms| {
            let until_ms = arguments::until(now_ms, ttl_ms)?;
            table.row(&lease.process_id)?.renew(lease, now_ms, until_ms)
        })
    }

    async fn get_process_lease(&self, process_id: &str) -> Answer<Option<ProcessLease>> {
        arguments::name("process_id", process_id)?;
        self.step(|table, _| Ok(table.rows.get(process_id).and_then(|row| row.lease.clone())))
    }

    async fn complete_process_lease(&self, completion: &ProcessLeaseCompletion) -> Answer<()> {
        arguments::name("process_id", &completion.process_id)?;
        self.step(|table, _| {
            if let Some(row) = table.rows.get_mut(&completion.process_id) {
                row.release(&completion.lease_token);
            }
            Ok(())
        })
    }

    // ---- retention

    async fn prune_terminal_processes(&self, cutoff_ms: u64) -> Answer<ProcessPruneReport> {
        self.step(|table, _| {
            // The largest cutoff is everything.
            let is_old = |at_ms| at_ms < cutoff_ms || cutoff_ms == u64::MAX;
            let mut report = ProcessPruneReport::default();
            let old =
                |_: &String, row: &mut Row| row.record.is_terminal() && is_old(row.record.updated_at_ms);
            for (id, row) in table.rows.extract_if(.., old) {
                report.pruned_processes += 1;
                report.pruned_events += row.log.len() as u64;
                table.handles.retain(|(_, held), _| *held != id);
                table.pruned.insert(id, row.reached);
            }
            Ok(report)
        })
    }
}
