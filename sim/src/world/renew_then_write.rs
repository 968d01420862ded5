//! The reference protocol of 31 methods: each fenced write is a renewal, believed, and then an unfenced write.

use async_trait::async_trait;
use fencepost::RegistryError;
use fencepost::model::process::DurabilityTier;
use fencepost::registry::calls::{Call, Reply, Submit};

use crate::world::calls::presented_by;
use crate::world::observed_client::ObservedClient;

pub struct RenewThenWrite(pub ObservedClient);

#[async_trait]
impl Submit for RenewThenWrite {
    async fn submit(&self, call: Call) -> Result<Reply, RegistryError> {
        let Some(lease) = presented_by(&call).cloned() else {
            return self.0.submit(call).await;
        };
        let process_id = lease.process_id.clone();
        let unfenced = match call {
            Call::CompleteProcessWithLease { await_output, .. } => {
                Call::CompleteProcess { process_id, await_output }
            }
            Call::AppendEventWithLease { request, .. } => Call::AppendEvent { process_id, request },
            Call::SetProcessWaitWithLease { wait, .. } => Call::SetProcessWait { process_id, wait },
            Call::ClearProcessWaitWithLease { .. } => Call::ClearProcessWait { process_id },
            // The registry itself looks at the lease of a first start.
            other => return self.0.submit(other).await,
        };
        self.0.submit(Call::RenewProcessLease { lease, lease_ttl_ms: 1 }).await?;
        self.0.submit(unfenced).await
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.0.durability_tier()
    }
}
