//! A lease service as a registry. A claim is an acquisition, every write of an execution a guarded write, the last one is
//! followed by a release. A reclaim is a claim of a key whose deadline has passed: nobody is taken from because he is dead.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use fencepost::RegistryError;
use fencepost::environment::Environment;
use fencepost::model::error::RegistryResult;
use fencepost::model::lease::{
    LEASE_SCHEMA_VERSION, LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome, ProcessLeaseCompletion,
};
use fencepost::model::process::DurabilityTier;
use fencepost::registry::calls::{Answer, Call, Reply, Submit};

use super::book::{GrantBook, Granted, NewGrant};
use super::call_clock::CallClock;
use super::key_rows::KeyRows;
use super::place::LeasePlace;
use super::service::{Acquired, LeaseError, LeaseService, Renewed, Wrote};

/// Makes a registry of a service. It is used through `Facade`.
pub struct LeaseRegistry<S: LeaseService> {
    service: S,
    clock: Arc<CallClock>,
    environment: Arc<dyn Environment>,
    rows: KeyRows,
    book: Mutex<GrantBook<S::Grant>>,
    /// A grant without a fence is entered as fence 0, and so breaks the promise that fences grow.
    has_fences: bool,
    writes: Mutex<u64>,
}

/// A grant, and the answer of the service to the question whether it holds its key now.
#[derive(Debug, Clone)]
pub struct KeyBelief {
    pub lease: ProcessLease,
    pub holds: bool,
}

/// A service that can be asked who holds a key.
pub trait Beliefs: Send + Sync {
    /// The answers of all grants that were ever given for the key; empty, if the service cannot be asked.
    fn beliefs_about(&self, key: &str) -> Vec<KeyBelief>;
}

impl<S: LeaseService> LeaseRegistry<S> {
    pub fn open(place: LeasePlace, claims_fences: bool, open_service: impl FnOnce(LeasePlace) -> S) -> Self {
        let environment = Arc::clone(&place.environment);
        let clock = Arc::new(CallClock::new(Arc::clone(&environment)));
        let service = open_service(place.in_environment(Arc::clone(&clock) as _));
        Self {
            service,
            clock,
            rows: KeyRows::new(Arc::clone(&environment)),
            environment,
            book: Mutex::default(),
            has_fences: claims_fences,
            writes: Mutex::default(),
        }
    }

    fn book(&self) -> MutexGuard<'_, GrantBook<S::Grant>> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn presented(&self, lease: &ProcessLease) -> Option<Granted<S::Grant>> {
        let known = self.book().by_token(&lease.process_id, &lease.lease_token).cloned();
        known.filter(|granted| !granted.is_given_up)
    }

    async fn claim(
        &self,
        key: &str,
        owner: &LeaseOwnerIdentity,
        ttl_ms: u64,
    ) -> RegistryResult<ProcessLeaseClaimOutcome> {
        self.rows.check_open(key)?;
        let name = format!("{}/{}", owner.owner_id, owner.incarnation_id);
        let ttl = Duration::from_millis(ttl_ms);
        let (answer, at_ms) = self.clock.timed(self.service.acquire(key, &name, ttl)).await;
        let grant = match answer.map_err(|error| failed("acquire", error))? {
            Acquired::Granted(grant) => grant,
            Acquired::HeldByAnother => return Ok(self.busy(key)),
        };
        let fence = self.service.fence(&grant).or(self.has_fences.then_some(0));
        let until_ms = at_ms.saturating_add(ttl_ms);
        let lease = self.book().enter(NewGrant { key, owner, grant, fence, at_ms, until_ms });
        self.rows.put_lease(key, Some(lease.clone()))?;
        Ok(ProcessLeaseClaimOutcome::Acquired(lease))
    }

    /// Nobody's death makes a key free before its deadline.
    async fn reclaim(
        &self,
        key: &str,
        owner: &LeaseOwnerIdentity,
        observed: ProcessLease,
        ttl_ms: u64,
    ) -> RegistryResult<ProcessLeaseClaimOutcome> {
        self.rows.check_open(key)?;
        let known = self.rows.tenure(key)?.lease;
        let now_ms = self.environment.now_epoch_ms();
        match known.filter(|known| now_ms < known.expires_at_epoch_ms) {
            Some(known) => Ok(ProcessLeaseClaimOutcome::Busy { holder: Arc::unwrap_or_clone(known) }),
            None => match self.claim(key, owner, ttl_ms).await? {
                ProcessLeaseClaimOutcome::Busy { .. } => {
                    Ok(ProcessLeaseClaimOutcome::Busy { holder: observed })
                }
                acquired => Ok(acquired),
            },
        }
    }

    /// The service does not say by whom a key is held: it is the last grant that was answered, as far as anybody knows.
    fn busy(&self, key: &str) -> ProcessLeaseClaimOutcome {
        let known = self.book().of(key).last().map(|granted| granted.lease.clone());
        let holder = known.unwrap_or_else(|| ProcessLease {
            schema_version: LEASE_SCHEMA_VERSION,
            process_id: key.to_owned(),
            owner: LeaseOwnerIdentity::opaque("somebody", "unknown"),
            lease_token: format!("{key}#0"),
            fencing_token: 0,
            claimed_at_epoch_ms: 0,
            expires_at_epoch_ms: 0,
        });
        ProcessLeaseClaimOutcome::Busy { holder }
    }

    async fn renew(&self, lease: &ProcessLease, ttl_ms: u64) -> RegistryResult<ProcessLease> {
        let key = lease.process_id.as_str();
        self.rows.check_open(key)?;
        let Some(Granted { grant, .. }) = self.presented(lease) else { return Err(self.lost(lease, 0)) };
        let ttl = Duration::from_millis(ttl_ms);
        let (answer, at_ms) = self.clock.timed(self.service.renew(&grant, ttl)).await;
        let kept = match answer.map_err(|error| failed("renew", error))? {
            Renewed::Kept(kept) => kept,
            Renewed::Lost => return Err(self.lost(lease, at_ms)),
        };
        let until_ms = at_ms.saturating_add(ttl_ms);
        let renewed = match self.book().by_token(key, &lease.lease_token) {
            Some(known) => {
                known.grant = kept;
                known.lease.expires_at_epoch_ms = known.lease.expires_at_epoch_ms.max(until_ms);
                known.lease.clone()
            }
            None => return Err(self.lost(lease, at_ms)),
        };
        if self.is_known_holder(lease)? {
            self.rows.put_lease(key, Some(renewed.clone()))?;
        }
        Ok(renewed)
    }

    /// True, if the service's last answer names this grant as the one that has the key, expired or not.
    fn is_known_holder(&self, lease: &ProcessLease) -> RegistryResult<bool> {
        let known = self.rows.tenure(&lease.process_id)?.lease;
        Ok(known.is_some_and(|known| known.lease_token == lease.lease_token))
    }

    /// Why the service says that the grant is gone, as far as its earlier answers tell.
    fn lost(&self, lease: &ProcessLease, at_ms: u64) -> RegistryError {
        let process_id = lease.process_id.clone();
        let tenure = self.rows.tenure(&process_id).unwrap_or_default();
        let own = tenure.lease.filter(|known| known.lease_token == lease.lease_token);
        match own {
            Some(known) if known.expires_at_epoch_ms <= at_ms => RegistryError::LeaseExpired {
                process_id,
                fence: lease.fencing_token,
                expires_at_epoch_ms: known.expires_at_epoch_ms,
                now_epoch_ms: at_ms,
            },
            _ => RegistryError::LeaseSuperseded {
                process_id,
                presented_fence: lease.fencing_token,
                current_fence: tenure.highest_fence,
            },
        }
    }

    async fn release(&self, completion: &ProcessLeaseCompletion) -> RegistryResult<()> {
        let ProcessLeaseCompletion { process_id, lease_token } = completion;
        let Some(Granted { grant, lease, .. }) = self.book().by_token(process_id, lease_token).cloned()
        else {
            return Ok(());
        };
        let (answer, _) = self.clock.timed(self.service.release(&grant)).await;
        answer.map_err(|error| failed("release", error))?;
        if self.is_known_holder(&lease)? {
            self.rows.put_lease(process_id, None)?;
        }
        Ok(())
    }

    /// A write of an execution: the service lets it pass, or it does not happen.
    async fn write(&self, lease: &ProcessLease, call: &Call) -> Answer {
        if let Err(why) = self.rows.check_open(&lease.process_id) {
            // An end that is repeated by its own grant is answered as before.
            return if matches!(why, RegistryError::AlreadyTerminal { .. }) {
                self.rows.decide(call)
            } else {
                Err(why)
            };
        }
        let Some(Granted { grant, .. }) = self.presented(lease) else { return Err(self.lost(lease, 0)) };
        let (answer, at_ms) = self.clock.timed(self.service.write(&grant, self.next_value())).await;
        if answer.map_err(|error| failed("write", error))? == Wrote::Refused {
            return Err(self.lost(lease, at_ms));
        }
        let is_end = matches!(call, Call::CompleteProcessWithLease { .. });
        let reply = self.rows.decide_under(lease, at_ms, call)?;
        if is_end {
            // A release that fails leaves the key to its deadline.
            let is_given_up = self.service.release(&grant).await.is_err();
            if let Some(granted) = self.book().by_token(&lease.process_id, &lease.lease_token) {
                granted.is_given_up = is_given_up;
            }
        }
        Ok(reply)
    }

    fn next_value(&self) -> u64 {
        let mut writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        *writes += 1;
        *writes
    }

    /// The lease that is stored, by the word of the service where it can be asked, else by its answers.
    fn stored(&self, key: &str) -> RegistryResult<Option<ProcessLease>> {
        let known = self.rows.tenure(key)?.lease.map(Arc::unwrap_or_clone);
        let beliefs = self.beliefs_about(key);
        let is_known = |belief: &&KeyBelief| {
            known.as_ref().is_some_and(|known| known.lease_token == belief.lease.lease_token)
        };
        if beliefs.iter().find(is_known).is_some_and(|belief| belief.holds) {
            return Ok(known);
        }
        if let Some(other) = beliefs.iter().rev().find(|belief| belief.holds) {
            return Ok(Some(other.lease.clone()));
        }
        let was_asked = beliefs.iter().any(|belief| is_known(&belief));
        // The service need not know whether an expired lease is still stored.
        let is_gone =
            |known: &ProcessLease| was_asked && self.environment.now_epoch_ms() < known.expires_at_epoch_ms;
        Ok(known.filter(|known| !is_gone(known)))
    }
}

impl<S: LeaseService> Beliefs for LeaseRegistry<S> {
    fn beliefs_about(&self, key: &str) -> Vec<KeyBelief> {
        let granted = self.book().of(key).to_vec();
        let belief = |Granted { grant, lease, .. }: Granted<S::Grant>| {
            self.service.believes(&grant).map(|holds| KeyBelief { lease, holds })
        };
        granted.into_iter().filter_map(belief).collect()
    }
}

fn failed(call: &'static str, LeaseError(why): LeaseError) -> RegistryError {
    RegistryError::backend(call, why)
}

#[async_trait]
impl<S: LeaseService> Submit for LeaseRegistry<S> {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        match &*call {
            Call::ClaimProcessLease { process_id, owner, lease_ttl_ms } => self
                .claim(process_id, owner, *lease_ttl_ms)
                .await
                .map(|outcome| Box::new(Reply::Claim(outcome))),
            Call::ReclaimProcessLease { process_id, owner, observed_holder, lease_ttl_ms } => {
                let claimed = self.reclaim(process_id, owner, observed_holder.clone(), *lease_ttl_ms).await;
                claimed.map(|outcome| Box::new(Reply::Claim(outcome)))
            }
            Call::RenewProcessLease { lease, lease_ttl_ms } => {
                self.renew(lease, *lease_ttl_ms).await.map(|lease| Box::new(Reply::Lease(lease)))
            }
            Call::GetProcessLease { process_id } => {
                self.stored(process_id).map(|lease| Box::new(Reply::MaybeLease(lease)))
            }
            Call::CompleteProcessLease { completion } => {
                self.release(completion).await.map(|()| Box::new(Reply::Done(())))
            }
            Call::RecordFirstStartedWithLease { lease, .. }
            | Call::AppendEventWithLease { lease, .. }
            | Call::SetProcessWaitWithLease { lease, .. }
            | Call::ClearProcessWaitWithLease { lease }
            | Call::CompleteProcessWithLease { lease, .. } => self.write(lease, &call).await,
            // Rows that the service knows nothing of.
            Call::RegisterProcess { .. }
            | Call::SetExternalRef { .. }
            | Call::GrantHandle { .. }
            | Call::RevokeHandle { .. }
            | Call::TransferHandleGrants { .. }
            | Call::DeleteSessionProcessState { .. }
            | Call::AppendEvent { .. }
            | Call::AckWake { .. }
            | Call::CompleteProcess { .. }
            | Call::RecordFirstStarted { .. }
            | Call::RequestProcessAbandon { .. }
            | Call::SetProcessWait { .. }
            | Call::ClearProcessWait { .. }
            | Call::PruneTerminalProcesses { .. }
            | Call::GetProcess { .. }
            | Call::ReadProcess { .. }
            | Call::ListProcesses { .. }
            | Call::ListNonTerminal { .. }
            | Call::ListHandleGrants { .. }
            | Call::ListLiveHandleGrants { .. }
            | Call::HasHandleGrant { .. }
            | Call::HandleGrantsForProcess { .. }
            | Call::EventsAfter { .. }
            | Call::WakeEventsAfter { .. }
            | Call::CountEventsThrough { .. }
            | Call::RecentEvents { .. } => self.rows.decide(&call),
        }
    }

    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Inline
    }
}
