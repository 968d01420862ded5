//! The opposite adapter: fencepost's registry as upstream's trait, so that upstream's own conformance suite can be run against it.
//! A registration and each event are kept whole, as values of ours; upstream's own functions make events of requests.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fencepost::ProcessRegistry;
use fencepost::RegistryError;
use fencepost::model::event::{
    CANCEL_REQUESTED, ProcessEvent, ProcessEventAppendRequest, ProcessEventType, ProcessWakeInput,
    ProcessWakeSpec, SIGNAL_PREFIX, lifecycle,
};
use fencepost::model::handle::{ProcessHandleDescriptor, ProcessHandleGrant};
use fencepost::model::lease::{ProcessLease, ProcessLeaseClaimOutcome, ProcessLeaseCompletion};
use fencepost::model::process::{
    ProcessAwaitOutput, ProcessIdentity, ProcessInput, ProcessListFilter, ProcessOriginator,
    ProcessProvenance, ProcessRecord, ProcessRegistration,
};
use lash_core as theirs;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use theirs::ProcessEventAppendPlan as Plan;

type Said<T> = Result<T, theirs::PluginError>;

pub struct Opposite(pub Arc<dyn ProcessRegistry>);

fn said(error: impl ToString) -> theirs::PluginError {
    theirs::PluginError::Session(error.to_string())
}

/// Upstream has one word for a lease that is lost, and its suite looks for it.
fn refused(error: RegistryError) -> theirs::PluginError {
    match error {
        RegistryError::LeaseSuperseded { process_id, .. }
        | RegistryError::LeaseExpired { process_id, .. } => {
            said(format!("process lease for `{process_id}` is missing or expired"))
        }
        other => said(other),
    }
}

/// Ours keeps names that begin with `process.` for itself.
fn our_type(theirs: &str) -> String {
    match theirs == CANCEL_REQUESTED || theirs.starts_with(SIGNAL_PREFIX) {
        true => theirs.to_owned(),
        false => format!("lash.{theirs}"),
    }
}

fn same<T: DeserializeOwned>(shape: impl Serialize) -> Said<T> {
    crate::shapes::same(shape).map_err(said)
}

fn our_registration(registration: &theirs::ProcessRegistration) -> Said<ProcessRegistration> {
    let is_ours = |name: &str| name == CANCEL_REQUESTED || name.starts_with(SIGNAL_PREFIX);
    let wake = || {
        let input = ProcessWakeInput::Pointer("/semantics/wake/input".to_owned());
        Some(ProcessWakeSpec { when: Some("/semantics/wake".to_owned()), input })
    };
    let declared = registration.event_types.iter().filter(|declared| !is_ours(&declared.name));
    Ok(ProcessRegistration {
        id: registration.id.clone(),
        input: ProcessInput::Engine { kind: "lash".to_owned(), payload: same(registration)? },
        disposition: same(registration.disposition)?,
        identity: ProcessIdentity { kind: "lash".to_owned(), label: None, definition: None },
        event_types: declared.map(|of| ProcessEventType { name: our_type(&of.name), wake: wake() }).collect(),
        provenance: ProcessProvenance { originator: ProcessOriginator::Host, caused_by: None },
        wake_target: registration.wake_target.as_ref().map(same).transpose()?,
    })
}

fn their_record(ours: ProcessRecord) -> Said<theirs::ProcessRecord> {
    let ProcessInput::Engine { payload, .. } = &ours.registration.input else {
        return Err(said("not registered by this adapter"));
    };
    let registration: theirs::ProcessRegistration = same(payload)?;
    let (registration, hash) = theirs::runtime::prepare_process_registration(registration)?;
    let mut record =
        theirs::ProcessRecord::from_prepared_registration(registration, hash, ours.created_at_ms);
    record.updated_at_ms = ours.updated_at_ms;
    record.wake_target = ours.registration.wake_target.as_ref().map(same).transpose()?;
    record.external_ref = ours.external_ref.map(same).transpose()?;
    record.first_started = ours.first_started.map(same).transpose()?;
    record.abandon_request = ours.abandon_request.map(same).transpose()?;
    record.wait = ours.wait.map(same).transpose()?;
    if let Some(output) = ours.status.output() {
        let event = their_end(ours.registration.id.as_str(), output)?;
        let terminal = event.semantics.terminal.ok_or_else(|| said("an end without its terminal state"))?;
        record.status = theirs::ProcessStatus::from_terminal(terminal);
    }
    Ok(record)
}

/// Our outcome, which keeps their whole terminal event.
fn our_end(event: &theirs::ProcessEvent) -> Said<ProcessAwaitOutput> {
    let terminal = event.semantics.terminal.as_ref().ok_or_else(|| said("no terminal event"))?;
    let (kept, message) = (Some(same(event)?), "see raw".to_owned());
    Ok(match &terminal.await_output {
        theirs::ProcessAwaitOutput::Success { .. } => ProcessAwaitOutput::Success { value: same(event)? },
        theirs::ProcessAwaitOutput::Failure { .. } => {
            ProcessAwaitOutput::Failure { class: "lash".to_owned(), code: None, message, raw: kept }
        }
        theirs::ProcessAwaitOutput::Cancelled { .. } => ProcessAwaitOutput::Cancelled { message, raw: kept },
        theirs::ProcessAwaitOutput::Abandoned { evidence, .. } => {
            ProcessAwaitOutput::Abandoned { evidence: same(evidence)? }
        }
    })
}

/// The event that an outcome keeps. An abandonment keeps its evidence alone: its event is made again.
fn their_end(process_id: &str, output: &ProcessAwaitOutput) -> Said<theirs::ProcessEvent> {
    match output {
        ProcessAwaitOutput::Success { value } => same(value),
        ProcessAwaitOutput::Failure { raw, .. } | ProcessAwaitOutput::Cancelled { raw, .. } => same(raw),
        ProcessAwaitOutput::Abandoned { evidence } => {
            let output =
                theirs::ProcessAwaitOutput::Abandoned { evidence: Box::new(same(evidence)?), control: None };
            let request = theirs::terminal_append_request(process_id, &output, None);
            let terminal = json!({ "state": "abandoned", "await_output": output });
            same(json!({
                "process_id": process_id, "sequence": 0, "event_type": request.event_type,
                "payload": request.payload, "semantics": { "terminal": terminal },
                "invocation": theirs::runtime::process_event_invocation(process_id, 0, "process.abandoned", request.replay),
                "occurred_at": { "secs_since_epoch": 0, "nanos_since_epoch": 0 },
            }))
        }
    }
}

/// Upstream writes no event of a first start.
fn their_event(ours: ProcessEvent) -> Said<Option<theirs::ProcessEvent>> {
    let is_end = lifecycle::TERMINAL.contains(&ours.event_type.as_str());
    if !is_end && lifecycle::ALL.contains(&ours.event_type.as_str()) {
        return Ok(None);
    }
    let mut event: theirs::ProcessEvent = match is_end {
        true => their_end(&ours.process_id, &same(&ours.payload)?)?,
        false => same(&ours.payload)?,
    };
    event.sequence = ours.sequence;
    Ok(Some(event))
}

fn our_lease(lease: &theirs::ProcessLease) -> Said<ProcessLease> {
    same(lease)
}

fn their_lease(lease: ProcessLease) -> Said<theirs::ProcessLease> {
    Ok(theirs::ProcessLease {
        schema_version: lease.schema_version,
        process_id: lease.process_id,
        owner: same(lease.owner)?,
        lease_token: lease.lease_token,
        fencing_token: lease.fencing_token,
        claimed_at_epoch_ms: lease.claimed_at_epoch_ms,
        expires_at_epoch_ms: lease.expires_at_epoch_ms,
    })
}

fn their_claim(outcome: ProcessLeaseClaimOutcome) -> Said<theirs::ProcessLeaseClaimOutcome> {
    Ok(match outcome {
        ProcessLeaseClaimOutcome::Acquired(lease) => {
            theirs::ProcessLeaseClaimOutcome::Acquired(their_lease(lease)?)
        }
        ProcessLeaseClaimOutcome::Busy { holder } => {
            theirs::ProcessLeaseClaimOutcome::Busy { holder: their_lease(holder)? }
        }
    })
}

/// Theirs may have no kind: the whole descriptor is the kind of ours.
fn their_grant(ours: ProcessHandleGrant) -> Said<theirs::ProcessHandleGrant> {
    Ok(theirs::ProcessHandleGrant {
        session_id: ours.session_id,
        process_id: ours.process_id,
        descriptor: serde_json::from_str(&ours.descriptor.kind).map_err(said)?,
    })
}

impl Opposite {
    /// Ours refuses a lease of no time: the shortest that it grants is waited out.
    #[expect(clippy::disallowed_methods, reason = "upstream's suite runs on tokio, and in no simulation")]
    async fn wait_out(&self, lease_ttl_ms: u64) {
        if lease_ttl_ms == 0 {
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    }

    async fn record(&self, process_id: &str) -> Said<theirs::ProcessRecord> {
        let record = self.0.read_process(process_id).await.map_err(refused)?;
        their_record(record.ok_or_else(|| said(RegistryError::unknown(process_id)))?)
    }

    async fn log(&self, process_id: &str, after: u64) -> Said<Vec<theirs::ProcessEvent>> {
        let events = self.0.events_after(process_id, after).await.map_err(refused)?;
        events.into_iter().filter_map(|event| their_event(event).transpose()).collect()
    }

    /// The event that upstream would store for this request.
    async fn plan(&self, process_id: &str, request: theirs::ProcessEventAppendRequest) -> Said<Plan> {
        let (record, log) = (self.record(process_id).await?, self.log(process_id, 0).await?);
        let key = request.replay.as_ref().map(|replay| replay.key.clone());
        let stood = log.iter().find(|event| key.is_some() && event.invocation.replay_key() == key.as_deref());
        let hash = |event: &theirs::ProcessEvent| {
            theirs::runtime::process_event_payload_hash(&event.event_type, &event.payload)
        };
        let lookup =
            stood.map(|event| Ok::<_, theirs::PluginError>((hash(event)?, event.clone()))).transpose()?;
        let last = self.0.recent_events(process_id, 1).await.map_err(refused)?;
        let sequence = last.last().map_or(0, |event| event.sequence) + 1;
        theirs::runtime::prepare_process_event_append(
            &record,
            request,
            sequence,
            lookup,
            theirs::current_epoch_ms(),
        )
    }
}

#[async_trait]
impl theirs::ProcessRegistry for Opposite {
    fn durability_tier(&self) -> theirs::DurabilityTier {
        match self.0.durability_tier() {
            fencepost::model::process::DurabilityTier::Inline => theirs::DurabilityTier::Inline,
            fencepost::model::process::DurabilityTier::Durable => theirs::DurabilityTier::Durable,
        }
    }

    async fn register_process(
        &self,
        registration: theirs::ProcessRegistration,
    ) -> Said<theirs::ProcessRecord> {
        let (registration, _) = theirs::runtime::prepare_process_registration(registration)?;
        their_record(self.0.register_process(our_registration(&registration)?).await.map_err(refused)?)
    }

    async fn set_external_ref(
        &self,
        process_id: &str,
        external_ref: theirs::ProcessExternalRef,
    ) -> Said<theirs::ProcessRecord> {
        their_record(self.0.set_external_ref(process_id, same(external_ref)?).await.map_err(refused)?)
    }

    async fn grant_handle(
        &self,
        scope: &theirs::SessionScope,
        process_id: &str,
        descriptor: theirs::ProcessHandleDescriptor,
    ) -> Said<theirs::ProcessHandleGrant> {
        let kind = serde_json::to_string(&descriptor).map_err(said)?;
        let descriptor = ProcessHandleDescriptor { kind, label: None };
        their_grant(self.0.grant_handle(&same(scope)?, process_id, descriptor).await.map_err(refused)?)
    }

    async fn revoke_handle(&self, scope: &theirs::SessionScope, process_id: &str) -> Said<()> {
        self.0.revoke_handle(&same(scope)?, process_id).await.map_err(refused)
    }

    async fn transfer_handle_grants(
        &self,
        from: &theirs::SessionScope,
        to: &theirs::SessionScope,
        process_ids: &[String],
    ) -> Said<()> {
        self.0.transfer_handle_grants(&same(from)?, &same(to)?, process_ids).await.map_err(refused)
    }

    async fn list_handle_grants(
        &self,
        scope: &theirs::SessionScope,
    ) -> Said<Vec<(theirs::ProcessHandleGrant, theirs::ProcessRecord)>> {
        let entries = self.0.list_handle_grants(&same(scope)?).await.map_err(refused)?;
        entries.into_iter().map(|(grant, record)| Ok((their_grant(grant)?, their_record(record)?))).collect()
    }

    async fn handle_grants_for_process(&self, process_id: &str) -> Said<Vec<theirs::ProcessHandleGrant>> {
        let grants = self.0.handle_grants_for_process(process_id).await.map_err(refused)?;
        grants.into_iter().map(their_grant).collect()
    }

    async fn delete_session_process_state(
        &self,
        session_id: &str,
    ) -> Said<theirs::ProcessSessionDeleteReport> {
        same(self.0.delete_session_process_state(session_id).await.map_err(refused)?)
    }

    async fn append_event(
        &self,
        process_id: &str,
        request: theirs::ProcessEventAppendRequest,
    ) -> Said<theirs::ProcessEventAppendResult> {
        let (event, wake_delivery) = match self.plan(process_id, request).await? {
            Plan::Replay { event, wake_delivery, .. } => {
                return Ok(theirs::ProcessEventAppendResult { event, wake_delivery });
            }
            Plan::Insert { event, wake_delivery, .. } => (event, wake_delivery),
        };
        if event.semantics.terminal.is_some() {
            self.0.complete_process(process_id, our_end(&event)?).await.map_err(refused)?;
        } else {
            let mut request =
                ProcessEventAppendRequest::new(our_type(&event.event_type), same::<Value>(&event)?);
            request.replay = event.invocation.replay_key().map(str::to_owned);
            self.0.append_event(process_id, request).await.map_err(refused)?;
        }
        Ok(theirs::ProcessEventAppendResult { event, wake_delivery })
    }

    async fn events_after(&self, process_id: &str, after: u64) -> Said<Vec<theirs::ProcessEvent>> {
        self.log(process_id, after).await
    }

    async fn wake_events_after(&self, process_id: &str, after: u64) -> Said<Vec<theirs::ProcessEvent>> {
        let events = self.0.wake_events_after(process_id, after).await.map_err(refused)?;
        events.into_iter().filter_map(|event| their_event(event).transpose()).collect()
    }

    async fn complete_process(
        &self,
        process_id: &str,
        output: theirs::ProcessAwaitOutput,
        authority: theirs::ProcessCompletionAuthority,
    ) -> Said<theirs::ProcessRecord> {
        authority.validate(process_id, self.record(process_id).await?.disposition, &output)?;
        self.append_event(process_id, theirs::terminal_append_request(process_id, &output, Some(&authority)))
            .await?;
        self.record(process_id).await
    }

    async fn complete_process_with_lease(
        &self,
        lease: &theirs::ProcessLease,
        output: theirs::ProcessAwaitOutput,
    ) -> Said<theirs::ProcessRecord> {
        let process_id = lease.process_id.as_str();
        let request = theirs::terminal_append_request(process_id, &output, None);
        match self.plan(process_id, request).await? {
            Plan::Replay { .. } => self.record(process_id).await,
            Plan::Insert { event, .. } => {
                let ended = self.0.complete_process_with_lease(&our_lease(lease)?, our_end(&event)?).await;
                their_record(ended.map_err(refused)?)
            }
        }
    }

    async fn record_first_started(
        &self,
        process_id: &str,
        started: theirs::ProcessStarted,
    ) -> Said<theirs::ProcessRecord> {
        their_record(self.0.record_first_started(process_id, same(started)?).await.map_err(refused)?)
    }

    async fn request_process_abandon(
        &self,
        process_id: &str,
        request: theirs::AbandonRequest,
    ) -> Said<theirs::ProcessRecord> {
        their_record(self.0.request_process_abandon(process_id, same(request)?).await.map_err(refused)?)
    }

    async fn set_process_wait(
        &self,
        process_id: &str,
        wait: theirs::WaitState,
    ) -> Said<theirs::ProcessRecord> {
        their_record(self.0.set_process_wait(process_id, same(wait)?).await.map_err(refused)?)
    }

    async fn clear_process_wait(&self, process_id: &str) -> Said<theirs::ProcessRecord> {
        their_record(self.0.clear_process_wait(process_id).await.map_err(refused)?)
    }

    async fn get_process(&self, process_id: &str) -> Option<theirs::ProcessRecord> {
        self.record(process_id).await.ok()
    }

    async fn list_processes(&self, filter: &theirs::ProcessListFilter) -> Said<Vec<theirs::ProcessRecord>> {
        let records = self.0.list_processes(&ProcessListFilter::any()).await.map_err(refused)?;
        let records: Vec<_> = records.into_iter().map(their_record).collect::<Said<_>>()?;
        Ok(records.into_iter().filter(|record| filter.matches_record(record)).collect())
    }

    async fn processes_changed_since(
        &self,
        _: theirs::ProcessChangeCursor,
        _: usize,
    ) -> Said<(Vec<theirs::ProcessRecord>, theirs::ProcessChangeCursor)> {
        Err(said("fencepost keeps no feed of changes over all processes"))
    }

    async fn ack_wake(&self, process_id: &str, sequence: u64) -> Said<()> {
        self.0.ack_wake(process_id, sequence).await.map_err(refused)
    }

    async fn list_non_terminal(&self) -> Said<Vec<theirs::ProcessRecord>> {
        self.0.list_non_terminal().await.map_err(refused)?.into_iter().map(their_record).collect()
    }

    async fn live_reference_summary(&self) -> Said<Vec<theirs::ProcessLiveReferenceSummary>> {
        Ok(theirs::ProcessLiveReferenceSummary::from_records(self.list_non_terminal().await?.iter()))
    }

    async fn claim_process_lease(
        &self,
        process_id: &str,
        owner: &theirs::LeaseOwnerIdentity,
        lease_ttl_ms: u64,
    ) -> Said<theirs::ProcessLeaseClaimOutcome> {
        let claimed = self.0.claim_process_lease(process_id, &same(owner)?, lease_ttl_ms.max(1)).await;
        self.wait_out(lease_ttl_ms).await;
        their_claim(claimed.map_err(refused)?)
    }

    async fn reclaim_process_lease(
        &self,
        process_id: &str,
        owner: &theirs::LeaseOwnerIdentity,
        observed: &theirs::ProcessLease,
        lease_ttl_ms: u64,
    ) -> Said<theirs::ProcessLeaseClaimOutcome> {
        let (owner, observed) = (same(owner)?, our_lease(observed)?);
        let claimed = self.0.reclaim_process_lease(process_id, &owner, &observed, lease_ttl_ms.max(1)).await;
        self.wait_out(lease_ttl_ms).await;
        their_claim(claimed.map_err(refused)?)
    }

    async fn renew_process_lease(
        &self,
        lease: &theirs::ProcessLease,
        lease_ttl_ms: u64,
    ) -> Said<theirs::ProcessLease> {
        their_lease(
            self.0.renew_process_lease(&our_lease(lease)?, lease_ttl_ms.max(1)).await.map_err(refused)?,
        )
    }

    async fn get_process_lease(&self, process_id: &str) -> Said<Option<theirs::ProcessLease>> {
        self.0.get_process_lease(process_id).await.map_err(refused)?.map(their_lease).transpose()
    }

    async fn complete_process_lease(&self, completion: &theirs::ProcessLeaseCompletion) -> Said<()> {
        let completion: ProcessLeaseCompletion = same(completion)?;
        self.0.complete_process_lease(&completion).await.map_err(refused)
    }

    async fn prune_terminal_processes(
        &self,
        cutoff_epoch_ms: u64,
        filter: Option<theirs::ProcessListFilter>,
        up_to: Option<theirs::ProcessChangeCursor>,
    ) -> Said<theirs::ProcessPruneReport> {
        if filter.is_some() || up_to.is_some() {
            return Err(said("fencepost prunes by age alone"));
        }
        let report = self.0.prune_terminal_processes(cutoff_epoch_ms).await.map_err(refused)?;
        let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Ok(theirs::ProcessPruneReport {
            pruned_processes: count(report.pruned_processes),
            pruned_events: count(report.pruned_events),
        })
    }
}
