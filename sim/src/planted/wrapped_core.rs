//! Wrappers that stand between the recorder and our registry, and spoil what passes through them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fencepost::RegistryError;
use fencepost::environment::Environment;
use fencepost::model::lease::{LEASE_SCHEMA_VERSION, ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::DurabilityTier;
use fencepost::registry::calls::{Answer, Call, Reply, Submit};
use fencepost::rules::leases;

use crate::subject::Core;

/// Judges the stored expiry by the clock of whoever claims.
pub struct CallersClock {
    pub core: Core,
    pub callers_clock_ms: fn() -> u64,
}

#[async_trait]
impl Submit for CallersClock {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        if let Call::ClaimProcessLease { process_id, .. } = &*call {
            let stored = stored_lease(&self.core, process_id).await?;
            if let Some(lease) = stored.filter(|lease| lease.expires_at_epoch_ms <= (self.callers_clock_ms)())
            {
                self.core
                    .submit(Call::CompleteProcessLease { completion: lease.completion() }.into())
                    .await?;
            }
        }
        self.core.submit(call).await
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.core.durability_tier()
    }
}

/// Looks whether the lease is free, waits, and takes it then.
pub struct DecidesEarly {
    pub core: Core,
    pub environment: Arc<dyn Environment>,
}

#[async_trait]
impl Submit for DecidesEarly {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        if let Call::ClaimProcessLease { process_id, .. } = &*call {
            let now_ms = self.environment.now_epoch_ms();
            let stored = stored_lease(&self.core, process_id).await?;
            let is_free = stored.is_none_or(|lease| lease.expires_at_epoch_ms <= now_ms);
            self.environment.sleep(Duration::from_millis(3)).await;
            if let (true, Some(lease)) = (is_free, stored_lease(&self.core, process_id).await?) {
                self.core
                    .submit(Call::CompleteProcessLease { completion: lease.completion() }.into())
                    .await?;
            }
        }
        self.core.submit(call).await
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.core.durability_tier()
    }
}

/// Has a lease for every id.
pub struct LeasesAnything {
    pub core: Core,
    pub environment: Arc<dyn Environment>,
}

#[async_trait]
impl Submit for LeasesAnything {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let answer = self.core.submit(Arc::clone(&call)).await;
        let (Call::ClaimProcessLease { process_id, owner, lease_ttl_ms }, true) =
            (&*call, matches!(answer, Err(RegistryError::UnknownProcess { .. })))
        else {
            return answer;
        };
        let mut entropy = [0; leases::TOKEN_BYTES];
        self.environment.fill_entropy(&mut entropy);
        let now_ms = self.environment.now_epoch_ms();
        Ok(Box::new(Reply::Claim(ProcessLeaseClaimOutcome::Acquired(ProcessLease {
            schema_version: LEASE_SCHEMA_VERSION,
            process_id: process_id.clone(),
            owner: owner.clone(),
            lease_token: leases::token(entropy),
            fencing_token: 1,
            claimed_at_epoch_ms: now_ms,
            expires_at_epoch_ms: now_ms + lease_ttl_ms,
        }))))
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.core.durability_tier()
    }
}

/// Moves handles one by one, for as long as it goes well.
pub struct MovesOneByOne(pub Core);

#[async_trait]
impl Submit for MovesOneByOne {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let Call::TransferHandleGrants { from_scope, to_scope, process_ids } = &*call else {
            return self.0.submit(call).await;
        };
        for process_id in process_ids {
            let (from_scope, to_scope) = (from_scope.clone(), to_scope.clone());
            let one =
                Call::TransferHandleGrants { from_scope, to_scope, process_ids: vec![process_id.clone()] };
            self.0.submit(one.into()).await?;
        }
        Ok(Box::new(Reply::Done(())))
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.0.durability_tier()
    }
}

/// Answers renewals from what they present.
pub struct SaysYes {
    pub core: Core,
    pub environment: Arc<dyn Environment>,
}

#[async_trait]
impl Submit for SaysYes {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        match &*call {
            Call::RenewProcessLease { lease, lease_ttl_ms } => {
                let expires_at_epoch_ms = self.environment.now_epoch_ms() + lease_ttl_ms;
                Ok(Box::new(Reply::Lease(ProcessLease { expires_at_epoch_ms, ..lease.clone() })))
            }
            _ => self.core.submit(call).await,
        }
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.core.durability_tier()
    }
}

async fn stored_lease(core: &Core, process_id: &str) -> Result<Option<ProcessLease>, RegistryError> {
    match *core.submit(Call::GetProcessLease { process_id: process_id.to_owned() }.into()).await? {
        Reply::MaybeLease(lease) => Ok(lease),
        _ => Ok(None),
    }
}
