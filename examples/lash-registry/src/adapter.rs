//! A release as a `Submit` of fencepost: one arm a method. Where its trait has no such method, promise or refusal, what is
//! missing is put together here from reads and calls of its own, in one poll: nothing comes between. What a release does with
//! leases, completions, handles, registrations and prunes is its own. Read next: `gates.rs`, `shapes.rs`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fencepost::RegistryError;
use fencepost::environment::Environment;
use fencepost::model::event::{ProcessEventAppendRequest, ProcessEventAppendResult, lifecycle};
use fencepost::model::handle::SessionScope;
use fencepost::model::lease::{Grant, ProcessLease, same_incarnation};
use fencepost::model::process::{
    DurabilityTier, FirstStart, ProcessAwaitOutput, ProcessListFilter, ProcessPruneReport, ProcessRecord,
    ProcessStarted, WaitState,
};
use fencepost::registry::apply::check_arguments;
use fencepost::registry::calls::{Call, Reply, Submit};
use lash_core as theirs;
use serde_json::{Value, json};

use crate::gates::is_refusal;
use crate::shapes::{
    Answer, our_claim, our_event, our_lease, our_record, same, their_append, their_lease, their_output,
    their_owner, their_registration,
};

pub struct Lash {
    pub registry: Arc<dyn theirs::ProcessRegistry>,
    pub environment: Arc<dyn Environment>,
    pub settings: Settings,
}

#[derive(Clone, Copy)]
pub struct Settings {
    /// Upstream's store has signed numbers: larger arguments are handed on as its largest. Otherwise as they are.
    pub caps_numbers: bool,
    /// A write of a lease waits so long for the store, as for its thread and its lock.
    pub lease_writes_wait: Option<Duration>,
}

#[async_trait]
impl Submit for Lash {
    async fn submit(&self, call: Arc<Call>) -> Answer<Box<Reply>> {
        check_arguments(&call)?;
        let call = Arc::unwrap_or_clone(call);
        // The clock of a release that takes one is ours; what else asks for the time asks the machine.
        if cfg!(feature = "clock") && !matches!(call, Call::DeleteSessionProcessState { .. }) {
            return self.decide(call).await.map(Box::new);
        }
        fencepost_sim::with_std_clock(self.environment.as_ref(), self.decide(call)).await.map(Box::new)
    }

    fn durability_tier(&self) -> DurabilityTier {
        match self.registry.durability_tier() {
            theirs::DurabilityTier::Inline => DurabilityTier::Inline,
            theirs::DurabilityTier::Durable => DurabilityTier::Durable,
        }
    }
}

impl Lash {
    async fn decide(&self, call: Call) -> Answer<Reply> {
        let (theirs, is_last) = (&self.registry, |number: u64| self.number(number));
        match call {
            Call::RegisterProcess { registration } => {
                let registered = theirs.register_process(their_registration(&registration)?).await;
                let record = self.or_refused(&registration.id, registered).await?;
                our_record(record).map(Reply::Record)
            }
            Call::SetExternalRef { process_id, external_ref } => {
                let set = theirs.set_external_ref(&process_id, same(external_ref)?).await;
                self.or_refused(&process_id, set).await.and_then(our_record).map(Reply::Record)
            }

            Call::GrantHandle { session_scope, process_id, descriptor } => {
                let granted =
                    theirs.grant_handle(&same(session_scope)?, &process_id, same(descriptor)?).await;
                same(self.or_refused(&process_id, granted).await?).map(Reply::Handle)
            }
            Call::RevokeHandle { session_scope, process_id } => {
                let revoked = theirs.revoke_handle(&same(session_scope)?, &process_id).await;
                self.or_refused(&process_id, revoked).await.map(Reply::Done)
            }
            Call::TransferHandleGrants { from_scope, to_scope, mut process_ids } => {
                process_ids.sort();
                process_ids.dedup();
                for process_id in &process_ids {
                    self.row(process_id).await?;
                }
                let (from, to) = (same(&from_scope)?, same(to_scope)?);
                let moved = theirs.transfer_handle_grants(&from, &to, &process_ids).await;
                moved.map(Reply::Done).map_err(|error| missing_handle(&from_scope, &error))
            }
            Call::ListHandleGrants { session_scope } => {
                self.handles(theirs.list_handle_grants(&same(session_scope)?).await).await
            }
            Call::ListLiveHandleGrants { session_scope } => {
                self.handles(theirs.list_live_handle_grants(&same(session_scope)?).await).await
            }
            Call::HasHandleGrant { session_scope, process_id } => {
                let has = theirs.has_handle_grant(&same(session_scope)?, &process_id).await;
                self.or_refused(&process_id, has).await.map(Reply::Truth)
            }
            Call::HandleGrantsForProcess { process_id } => {
                let grants = theirs.handle_grants_for_process(&process_id).await;
                let grants = self.or_refused(&process_id, grants).await?;
                grants.into_iter().map(same).collect::<Answer<_>>().map(Reply::Handles)
            }
            Call::DeleteSessionProcessState { session_id } => {
                let report = theirs.delete_session_process_state(&session_id).await;
                let report = self.or_refused(&session_id, report).await?;
                same(report).map(Reply::SessionDeleted)
            }

            Call::AppendEvent { process_id, request } => self.append(&process_id, None, request).await,
            Call::AppendEventWithLease { lease, request } => {
                self.append(&lease.process_id, Some(&lease), request).await
            }
            Call::EventsAfter { process_id, after_sequence } => {
                self.events(&process_id, theirs.events_after(&process_id, is_last(after_sequence)).await)
                    .await
            }
            Call::WakeEventsAfter { process_id, after_sequence } => {
                let after = is_last(after_sequence);
                self.events(&process_id, theirs.wake_events_after(&process_id, after).await).await
            }
            Call::CountEventsThrough { process_id, event_type, up_to_sequence } => {
                let through = is_last(up_to_sequence);
                let counted = theirs.count_events_through(&process_id, &event_type, through).await;
                self.or_refused(&process_id, counted).await.map(Reply::Count)
            }
            Call::RecentEvents { process_id, limit } => {
                let limit = usize::try_from(is_last(limit as u64)).unwrap_or(usize::MAX);
                self.events(&process_id, theirs.recent_events(&process_id, limit).await).await
            }
            Call::AckWake { process_id, sequence } => {
                self.must_be_a_wake(&process_id, sequence).await?;
                let acked = theirs.ack_wake(&process_id, sequence).await;
                self.or_refused(&process_id, acked).await.map(Reply::Done)
            }

            Call::CompleteProcess { process_id, await_output } => {
                self.complete(&process_id, await_output).await.map(Reply::Record)
            }
            Call::CompleteProcessWithLease { lease, await_output } => {
                self.complete_under(&lease, await_output).await.map(Reply::Record)
            }
            Call::RecordFirstStarted { process_id, started } => {
                let start = self.start(&process_id, None, started).await?;
                Ok(Reply::Record(start.into_record()))
            }
            Call::RecordFirstStartedWithLease { lease, started } => {
                self.start(&lease.process_id, Some(&lease), started).await.map(Reply::FirstStart)
            }
            Call::RequestProcessAbandon { process_id, request } => {
                self.must_run(&process_id).await?;
                let requested = theirs.request_process_abandon(&process_id, same(request)?).await;
                self.or_refused(&process_id, requested).await.and_then(our_record).map(Reply::Record)
            }
            Call::SetProcessWait { process_id, wait } => self.wait(&process_id, None, Some(wait)).await,
            Call::SetProcessWaitWithLease { lease, wait } => {
                self.wait(&lease.process_id, Some(&lease), Some(wait)).await
            }
            Call::ClearProcessWait { process_id } => self.wait(&process_id, None, None).await,
            Call::ClearProcessWaitWithLease { lease } => {
                self.wait(&lease.process_id, Some(&lease), None).await
            }

            Call::GetProcess { process_id } | Call::ReadProcess { process_id } => {
                self.read(&process_id).await.map(Reply::MaybeRecord)
            }
            Call::ListProcesses { filter } => self.list(&filter).await,
            Call::ListNonTerminal {} => {
                let records = self.or_refused("", theirs.list_non_terminal().await).await?;
                records.into_iter().map(our_record).collect::<Answer<_>>().map(Reply::Records)
            }

            Call::ClaimProcessLease { process_id, owner, lease_ttl_ms } => {
                self.ttl(lease_ttl_ms)?;
                self.must_not_have_ended(&process_id).await?;
                let claimed =
                    theirs.claim_process_lease(&process_id, &their_owner(&owner)?, lease_ttl_ms).await;
                our_claim(self.or_refused(&process_id, claimed).await?).map(Reply::Claim)
            }
            Call::ReclaimProcessLease { process_id, owner, observed_holder, lease_ttl_ms } => {
                self.ttl(lease_ttl_ms)?;
                self.must_not_have_ended(&process_id).await?;
                let mut observed = their_lease(&observed_holder)?;
                if !self.environment.is_definitely_dead(&observed_holder.owner) {
                    // Its process is alive: nobody was observed that may be taken from.
                    observed.fencing_token = 0;
                }
                let owner = their_owner(&owner)?;
                let claimed =
                    theirs.reclaim_process_lease(&process_id, &owner, &observed, lease_ttl_ms).await;
                our_claim(self.or_refused(&process_id, claimed).await?).map(Reply::Claim)
            }
            Call::RenewProcessLease { lease, lease_ttl_ms } => {
                self.ttl(lease_ttl_ms)?;
                let presented = their_lease(&lease)?;
                self.lease_write_waits();
                match theirs.renew_process_lease(&presented, lease_ttl_ms).await {
                    Ok(renewed) => our_lease(renewed).map(Reply::Lease),
                    Err(error) => Err(self.lost(&lease, &error).await),
                }
            }
            Call::GetProcessLease { process_id } => {
                let lease = self.or_refused(&process_id, theirs.get_process_lease(&process_id).await).await?;
                lease.map(our_lease).transpose().map(Reply::MaybeLease)
            }
            Call::CompleteProcessLease { completion } => {
                let released = theirs.complete_process_lease(&same(&completion)?).await;
                self.or_refused(&completion.process_id, released).await.map(Reply::Done)
            }
            Call::PruneTerminalProcesses { cutoff_epoch_ms } => {
                #[cfg(feature = "fenced")]
                let pruned = theirs.prune_terminal_processes(is_last(cutoff_epoch_ms), None, None).await;
                #[cfg(not(feature = "fenced"))]
                let pruned = theirs.prune_terminal_processes(is_last(cutoff_epoch_ms)).await;
                let pruned = self.or_refused("", pruned).await?;
                Ok(Reply::Pruned(ProcessPruneReport {
                    pruned_processes: pruned.pruned_processes as u64,
                    pruned_events: pruned.pruned_events as u64,
                }))
            }
        }
    }

    fn number(&self, number: u64) -> u64 {
        if self.settings.caps_numbers { number.min(i64::MAX as u64) } else { number }
    }

    fn lease_write_waits(&self) {
        if let Some(wait) = self.settings.lease_writes_wait {
            tokio_rusqlite::next_call_waits(self.environment.sleep(wait));
        }
    }

    /// Upstream completes without a lease under an authority, and keeps a lease that a settling worker holds.
    async fn complete(&self, process_id: &str, output: ProcessAwaitOutput) -> Answer<ProcessRecord> {
        let row = self.row(process_id).await?;
        self.must_be_addressed_rightly(&row, None)?;
        if !row.is_terminal() {
            self.must_be_licensed(&row, &output)?;
        }
        let output = their_output(&output, None)?;
        #[cfg(feature = "fenced")]
        let ended = {
            let authority = theirs::ProcessCompletionAuthority::external_owner("host");
            self.registry.complete_process(process_id, output, authority).await
        };
        #[cfg(not(feature = "fenced"))]
        let ended = self.registry.complete_process(process_id, output).await;
        let record = self.or_refused(process_id, ended).await.and_then(our_record)?;
        if let Some(held) = self.stored(process_id).await? {
            let released = self.registry.complete_process_lease(&same(held.completion())?).await;
            self.or_refused(process_id, released).await?;
        }
        Ok(record)
    }

    #[cfg(feature = "fenced")]
    async fn complete_under(
        &self,
        lease: &ProcessLease,
        output: ProcessAwaitOutput,
    ) -> Answer<ProcessRecord> {
        let row = self.row(&lease.process_id).await?;
        let is_settlement = matches!(&output, ProcessAwaitOutput::Abandoned { evidence }
            if evidence.writer == fencepost::model::process::AbandonWriter::ReconciledRequest);
        if !is_settlement {
            self.must_be_addressed_rightly(&row, Some(lease))?;
        }
        if !row.is_terminal() && self.must_hold(lease).await.is_ok() {
            self.must_be_licensed(&row, &output)?;
        }
        let output = their_output(&output, Some(&lease.grant()))?;
        let presented = their_lease(lease)?;
        self.lease_write_waits();
        match self.registry.complete_process_with_lease(&presented, output).await {
            Ok(record) => our_record(record),
            Err(error) => Err(self.lost(lease, &error).await),
        }
    }

    /// As upstream's own worker of that release writes an outcome: a renewal, and then the write.
    #[cfg(not(feature = "fenced"))]
    async fn complete_under(
        &self,
        lease: &ProcessLease,
        output: ProcessAwaitOutput,
    ) -> Answer<ProcessRecord> {
        self.must_run(&lease.process_id).await?;
        self.must_hold(lease).await?;
        self.complete(&lease.process_id, output).await
    }

    /// Upstream takes a first start from anybody, and writes no event of it. The event keeps the grant.
    async fn start(
        &self,
        process_id: &str,
        by: Option<&ProcessLease>,
        started: ProcessStarted,
    ) -> Answer<FirstStart> {
        let row = self.row(process_id).await?;
        let held = self
            .stored(process_id)
            .await?
            .filter(|held| same_incarnation(&held.owner, &started.owner) && self.is_unexpired(held));
        if by.is_some() || held.is_none() {
            self.must_be_addressed_rightly(&row, by)?;
        }
        self.must_run(process_id).await?;
        if let Some(presented) = by {
            self.must_hold(presented).await?;
        }
        let grant = by.or(held.as_ref()).map(ProcessLease::grant);
        if row.first_started.is_some() {
            let log = self.or_refused(process_id, self.registry.events_after(process_id, 0).await).await?;
            let event = log.into_iter().find(|event| event.event_type == lifecycle::STARTED);
            let starter: Option<Grant> = event.map_or(Ok(None), |event| same(event.payload))?;
            let is_same = grant.is_some() && grant == starter;
            return Ok(if is_same { FirstStart::AlreadyYours(row) } else { FirstStart::AlreadyStarted(row) });
        }
        let recorded = self.registry.record_first_started(process_id, same(started)?).await;
        self.or_refused(process_id, recorded).await?;
        self.say(process_id, lifecycle::STARTED, json!(grant)).await.map(FirstStart::Started)
    }

    /// Upstream leaves the event of a wait to whoever sets it.
    async fn wait(
        &self,
        process_id: &str,
        by: Option<&ProcessLease>,
        wanted: Option<WaitState>,
    ) -> Answer<Reply> {
        let row = self.row(process_id).await?;
        self.must_be_addressed_rightly(&row, by)?;
        self.must_run(process_id).await?;
        if let Some(presented) = by {
            self.must_hold(presented).await?;
        }
        if row.wait == wanted {
            return Ok(Reply::Record(row));
        }
        let (changed, event_type) = match &wanted {
            Some(wait) => (self.registry.set_process_wait(process_id, same(wait)?).await, lifecycle::WAITING),
            None => (self.registry.clear_process_wait(process_id).await, lifecycle::RESUMED),
        };
        self.or_refused(process_id, changed).await?;
        self.say(process_id, event_type, json!(wanted)).await.map(Reply::Record)
    }

    /// Upstream takes a declared event from anybody, after the end too, and does not say whether it stood already.
    async fn append(
        &self,
        process_id: &str,
        by: Option<&ProcessLease>,
        request: ProcessEventAppendRequest,
    ) -> Answer<Reply> {
        let row = self.row(process_id).await?;
        let is_declared =
            row.registration.event_types.iter().any(|declared| declared.name == request.event_type);
        if is_declared || by.is_some() {
            self.must_be_addressed_rightly(&row, by)?;
        }
        if let Some(presented) = by {
            self.must_run(process_id).await?;
            self.must_hold(presented).await?;
        }
        let log = self.or_refused(process_id, self.registry.events_after(process_id, 0).await).await?;
        let has_key =
            |event: &theirs::ProcessEvent| event.invocation.replay_key() == request.replay.as_deref();
        if request.replay.is_none() || !log.iter().any(has_key) {
            self.must_run(process_id).await?;
        }
        let appended = self.registry.append_event(process_id, their_append(request.clone())?).await;
        let appended = appended.map_err(|error| refused_append(&row, &request, &error))?;
        let event = our_event(appended.event);
        let replayed = log.iter().any(|stood| stood.sequence == event.sequence);
        Ok(Reply::Appended(ProcessEventAppendResult { event, replayed, wake_delivery: None }))
    }

    /// Writes an event of the lifecycle, and shows the record that it leaves.
    async fn say(&self, process_id: &str, event_type: &str, payload: Value) -> Answer<ProcessRecord> {
        let event = theirs::ProcessEventAppendRequest::new(event_type, payload);
        let said = self.registry.append_event(process_id, event).await;
        self.or_refused(process_id, said).await?;
        self.row(process_id).await
    }

    async fn list(&self, filter: &ProcessListFilter) -> Answer<Reply> {
        let any = theirs::ProcessListFilter {
            status: theirs::ProcessStatusFilter::Any,
            waiting: filter.waiting,
            ..Default::default()
        };
        let records = self.or_refused("", self.registry.list_processes(&any).await).await?;
        let records: Vec<ProcessRecord> = records.into_iter().map(our_record).collect::<Answer<_>>()?;
        let is_listed = |record: &ProcessRecord| {
            filter.status.is_none_or(|status| record.status.kind() == status)
                && filter.disposition.is_none_or(|disposition| record.disposition() == disposition)
                && filter
                    .definition
                    .as_ref()
                    .is_none_or(|wanted| record.registration.identity.definition.as_ref() == Some(wanted))
                && filter.after.as_ref().is_none_or(|after| record.id() > after.as_str())
        };
        let listed = records.into_iter().filter(is_listed).take(filter.limit.unwrap_or(usize::MAX));
        Ok(Reply::Records(listed.collect()))
    }

    async fn handles(
        &self,
        listed: Theirs<Vec<(theirs::ProcessHandleGrant, theirs::ProcessRecord)>>,
    ) -> Answer<Reply> {
        let entries = self.or_refused("", listed).await?;
        let entry = |(grant, record)| Ok((same::<_>(grant)?, our_record(record)?));
        entries.into_iter().map(entry).collect::<Answer<_>>().map(Reply::HandleEntries)
    }

    async fn events(&self, process_id: &str, listed: Theirs<Vec<theirs::ProcessEvent>>) -> Answer<Reply> {
        let events = self.or_refused(process_id, listed).await?;
        Ok(Reply::Events(events.into_iter().map(our_event).collect()))
    }
}

pub type Theirs<T> = Result<T, theirs::PluginError>;

/// Upstream says everything in words.
fn missing_handle(from: &SessionScope, error: &theirs::PluginError) -> RegistryError {
    let said = error.to_string();
    match said.split('`').nth(1) {
        Some(process_id) if said.contains("is not granted") => {
            RegistryError::HandleMissing { scope_id: from.id(), process_id: process_id.to_owned() }
        }
        _ => RegistryError::unavailable("transfer_handle_grants", said),
    }
}

fn refused_append(
    row: &ProcessRecord,
    request: &ProcessEventAppendRequest,
    error: &theirs::PluginError,
) -> RegistryError {
    let (said, process_id) = (error.to_string(), row.id().to_owned());
    if said.contains("conflicts with an existing event") {
        let replay_key = request.replay.clone().unwrap_or_default();
        return RegistryError::ReplayConflict { process_id, replay_key, sequence: 0 };
    }
    if said.contains("undeclared event type") {
        return RegistryError::UndeclaredEventType { process_id, event_type: request.event_type.clone() };
    }
    match is_refusal(&said) {
        true => RegistryError::invalid("request", said),
        false => RegistryError::unavailable("append_event", said),
    }
}
