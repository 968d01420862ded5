//! The trait that users hold: everything a caller can ask of a process registry. Every method is one atomic step, and a
//! refused call changes nothing. Waiting is not here: it lives on the work driver. Ours is
//! [`crate::registry::apply::Registry`] behind [`crate::registry::calls::Facade`]; anyone's can be tested against
//! [`crate::testing::conformance`].

use async_trait::async_trait;

use crate::model::error::RegistryResult;
use crate::model::event::{ProcessEvent, ProcessEventAppendRequest, ProcessEventAppendResult};
use crate::model::handle::{
    ProcessHandleDescriptor, ProcessHandleGrant, ProcessHandleGrantEntry, SessionScope,
};
use crate::model::lease::{
    LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome, ProcessLeaseCompletion, same_incarnation,
};
use crate::model::process::{
    AbandonRequest, DurabilityTier, FirstStart, ProcessAwaitOutput, ProcessExternalRef, ProcessListFilter,
    ProcessPruneReport, ProcessRecord, ProcessRegistration, ProcessSessionDeleteReport, ProcessStarted,
    WaitState,
};

/// A durable table of processes and the leases on them.
///
/// The five methods that end in `_with_lease` are how a worker writes. Their default bodies are **unsafe**: they can
/// only renew and then write, in two steps, and a worker that sleeps between the two writes under a lease it no longer
/// holds. A registry must override all five.
///
/// ```
/// use std::sync::Arc;
///
/// use fencepost::model::lease::LeaseOwnerIdentity;
/// use fencepost::store::MemoryStore;
/// use fencepost::{ProcessRegistry, Registry, System};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = Registry::new(MemoryStore::new(), Arc::new(System::new()?)).inline();
/// let ann = LeaseOwnerIdentity::opaque("ann", "ann's first start");
/// // There is no lease on a process that was never registered.
/// assert!(registry.claim_process_lease("report", &ann, 30_000).await.is_err());
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait ProcessRegistry: Send + Sync {
    /// How much an acknowledged write survives.
    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Inline
    }

    // ---- registration

    /// Stores a process, or answers the stored record if the same content stands, ended or not. Other content under
    /// the same id is a conflict. After a prune the id starts a new life, so retention must outlive retries: a
    /// retried registration of a pruned process would run it again.
    async fn register_process(&self, registration: ProcessRegistration) -> RegistryResult<ProcessRecord>;

    /// Assigns a reference once; the same again changes nothing, another is a conflict. Allowed on ended processes.
    async fn set_external_ref(
        &self,
        process_id: &str,
        external_ref: ProcessExternalRef,
    ) -> RegistryResult<ProcessRecord>;

    // ---- handles

    /// Gives a scope a handle, or replaces the one it has. Allowed on ended processes.
    async fn grant_handle(
        &self,
        session_scope: &SessionScope,
        process_id: &str,
        descriptor: ProcessHandleDescriptor,
    ) -> RegistryResult<ProcessHandleGrant>;

    /// Takes a handle away; a missing one is fine.
    async fn revoke_handle(&self, session_scope: &SessionScope, process_id: &str) -> RegistryResult<()>;

    /// Moves handles, all or none. Repeated ids collapse, handles at `to_scope` are replaced.
    async fn transfer_handle_grants(
        &self,
        from_scope: &SessionScope,
        to_scope: &SessionScope,
        process_ids: &[String],
    ) -> RegistryResult<()>;

    /// The handles of exactly this scope, by process id.
    async fn list_handle_grants(
        &self,
        session_scope: &SessionScope,
    ) -> RegistryResult<Vec<ProcessHandleGrantEntry>>;

    /// As [`ProcessRegistry::list_handle_grants`], of processes that have not ended.
    async fn list_live_handle_grants(
        &self,
        session_scope: &SessionScope,
    ) -> RegistryResult<Vec<ProcessHandleGrantEntry>> {
        let mut entries = self.list_handle_grants(session_scope).await?;
        entries.retain(|(_, record)| !record.is_terminal());
        Ok(entries)
    }

    async fn has_handle_grant(&self, session_scope: &SessionScope, process_id: &str) -> RegistryResult<bool> {
        let entries = self.list_handle_grants(session_scope).await?;
        Ok(entries.iter().any(|(grant, _)| grant.process_id == process_id))
    }

    /// Every handle on a process, by session id, then scope id.
    async fn handle_grants_for_process(&self, process_id: &str) -> RegistryResult<Vec<ProcessHandleGrant>>;

    /// Revokes the handles of every frame of the session and clears the wake targets that point at it. Cancels
    /// nothing.
    async fn delete_session_process_state(
        &self,
        session_id: &str,
    ) -> RegistryResult<ProcessSessionDeleteReport>;

    // ---- events

    /// Appends for a host: signals and cancel requests, and anything declared on an externally owned process. The
    /// progress of a process that workers run needs [`ProcessRegistry::append_event_with_lease`].
    async fn append_event(
        &self,
        process_id: &str,
        request: ProcessEventAppendRequest,
    ) -> RegistryResult<ProcessEventAppendResult>;

    /// Events above `after_sequence`, ascending.
    async fn events_after(&self, process_id: &str, after_sequence: u64) -> RegistryResult<Vec<ProcessEvent>>;

    /// Events above `after_sequence` that carry a wake nobody acked, ascending.
    async fn wake_events_after(
        &self,
        process_id: &str,
        after_sequence: u64,
    ) -> RegistryResult<Vec<ProcessEvent>>;

    /// How many events of this type stand at or below `up_to_sequence`.
    async fn count_events_through(
        &self,
        process_id: &str,
        event_type: &str,
        up_to_sequence: u64,
    ) -> RegistryResult<u64> {
        let events = self.events_after(process_id, 0).await?;
        let counted =
            events.iter().filter(|event| event.sequence <= up_to_sequence && event.event_type == event_type);
        Ok(counted.count() as u64)
    }

    /// The last `limit` events, ascending.
    async fn recent_events(&self, process_id: &str, limit: usize) -> RegistryResult<Vec<ProcessEvent>> {
        let mut events = self.events_after(process_id, 0).await?;
        events.drain(..events.len().saturating_sub(limit));
        Ok(events)
    }

    /// Marks a wake as delivered; again is fine.
    async fn ack_wake(&self, process_id: &str, sequence: u64) -> RegistryResult<()>;

    // ---- lifecycle

    /// Ends an externally owned process. On one that workers run it answers "lease required".
    async fn complete_process(
        &self,
        process_id: &str,
        await_output: ProcessAwaitOutput,
    ) -> RegistryResult<ProcessRecord>;

    /// Records the first start; the first writer wins and the fact never changes. The starter must hold the live lease.
    async fn record_first_started(
        &self,
        process_id: &str,
        started: ProcessStarted,
    ) -> RegistryResult<ProcessRecord>;

    /// Records a wish to abandon; the first one stands. It ends nothing by itself.
    async fn request_process_abandon(
        &self,
        process_id: &str,
        request: AbandonRequest,
    ) -> RegistryResult<ProcessRecord>;

    async fn set_process_wait(&self, process_id: &str, wait: WaitState) -> RegistryResult<ProcessRecord>;

    async fn clear_process_wait(&self, process_id: &str) -> RegistryResult<ProcessRecord>;

    /// The record, or `None` when it is unknown **or could not be read**. Whoever acts on an absence wants
    /// [`ProcessRegistry::read_process`].
    async fn get_process(&self, process_id: &str) -> Option<ProcessRecord>;

    /// The record, or `None` when it is unknown; a read that failed is an error. The default cannot tell the two apart
    /// and must be overridden by a registry whose reads can fail.
    async fn read_process(&self, process_id: &str) -> RegistryResult<Option<ProcessRecord>> {
        Ok(self.get_process(process_id).await)
    }

    /// By process id, in byte order.
    async fn list_processes(&self, filter: &ProcessListFilter) -> RegistryResult<Vec<ProcessRecord>>;

    /// The sweep's work list, by process id; waiting processes are in it.
    async fn list_non_terminal(&self) -> RegistryResult<Vec<ProcessRecord>>;

    // ---- leases

    /// Takes a process that nobody holds live: a new grant with a higher fence and a fresh token. The same incarnation
    /// re-enters its own live lease and keeps its grant; a release by either user then ends it for both, so use a
    /// fresh incarnation per attempt.
    async fn claim_process_lease(
        &self,
        process_id: &str,
        owner: &LeaseOwnerIdentity,
        lease_ttl_ms: u64,
    ) -> RegistryResult<ProcessLeaseClaimOutcome>;

    /// As a claim; a live lease too is taken, if it is exactly `observed_holder` and that holder is definitely dead.
    async fn reclaim_process_lease(
        &self,
        process_id: &str,
        owner: &LeaseOwnerIdentity,
        observed_holder: &ProcessLease,
        lease_ttl_ms: u64,
    ) -> RegistryResult<ProcessLeaseClaimOutcome>;

    /// Extends the presented grant, if it is the live one. Never shortens it.
    async fn renew_process_lease(
        &self,
        lease: &ProcessLease,
        lease_ttl_ms: u64,
    ) -> RegistryResult<ProcessLease>;

    /// The stored lease, expired or not; `None` when free, released or unknown.
    async fn get_process_lease(&self, process_id: &str) -> RegistryResult<Option<ProcessLease>>;

    /// Releases the grant that the token names, if it is still stored; otherwise succeeds and does nothing.
    async fn complete_process_lease(&self, completion: &ProcessLeaseCompletion) -> RegistryResult<()>;

    // ---- retention

    /// Deletes ended processes last changed before the cutoff, with everything about them but their highest fence and
    /// sequence. Choose a window longer than any waiter and any retry lives.
    async fn prune_terminal_processes(&self, cutoff_epoch_ms: u64) -> RegistryResult<ProcessPruneReport>;

    // ---- the fenced writes

    /// Ends the process and releases its lease, if the presented grant is the live one. A retry of an applied
    /// completion by the same grant with the same output succeeds, expired or not.
    ///
    /// The default body is **unsafe**: see the trait.
    async fn complete_process_with_lease(
        &self,
        lease: &ProcessLease,
        await_output: ProcessAwaitOutput,
    ) -> RegistryResult<ProcessRecord> {
        check_by_renewal(self, lease).await?;
        let record = self.complete_process(&lease.process_id, await_output).await?;
        self.complete_process_lease(&lease.completion()).await?;
        Ok(record)
    }

    /// The default body is **unsafe**: see the trait.
    async fn append_event_with_lease(
        &self,
        lease: &ProcessLease,
        request: ProcessEventAppendRequest,
    ) -> RegistryResult<ProcessEventAppendResult> {
        check_by_renewal(self, lease).await?;
        self.append_event(&lease.process_id, request).await
    }

    /// The default body is **unsafe**: see the trait. It also knows no grants, so it calls any start by the same
    /// incarnation "already yours".
    async fn record_first_started_with_lease(
        &self,
        lease: &ProcessLease,
        started: ProcessStarted,
    ) -> RegistryResult<FirstStart> {
        check_by_renewal(self, lease).await?;
        let before = self.read_process(&lease.process_id).await?;
        let was_started = before.is_some_and(|record| record.first_started.is_some());
        let record = self.record_first_started(&lease.process_id, started).await?;
        let is_ours = record
            .first_started
            .as_ref()
            .is_some_and(|recorded| same_incarnation(&recorded.owner, &lease.owner));
        Ok(match (was_started, is_ours) {
            (false, true) => FirstStart::Started(record),
            (true, true) => FirstStart::AlreadyYours(record),
            (_, false) => FirstStart::AlreadyStarted(record),
        })
    }

    /// The default body is **unsafe**: see the trait.
    async fn set_process_wait_with_lease(
        &self,
        lease: &ProcessLease,
        wait: WaitState,
    ) -> RegistryResult<ProcessRecord> {
        check_by_renewal(self, lease).await?;
        self.set_process_wait(&lease.process_id, wait).await
    }

    /// The default body is **unsafe**: see the trait.
    async fn clear_process_wait_with_lease(&self, lease: &ProcessLease) -> RegistryResult<ProcessRecord> {
        check_by_renewal(self, lease).await?;
        self.clear_process_wait(&lease.process_id).await
    }
}

/// All that the 31 methods allow: a renewal that fails when the lease is lost. What it says is old when the write
/// comes. Renewals never shorten, so 1 ms asks for the check alone.
async fn check_by_renewal<R: ProcessRegistry + ?Sized>(
    registry: &R,
    lease: &ProcessLease,
) -> RegistryResult<()> {
    registry.renew_process_lease(lease, 1).await.map(drop)
}
