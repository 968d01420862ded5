//! The reference protocol of 31 methods: each fenced write is a renewal, believed, and then an unfenced write.

use async_trait::async_trait;
use fencepost::RegistryError;
use fencepost::model::process::DurabilityTier;
use fencepost::registry::calls::{Call, Reply, Submit};

use crate::world::calls::presented_by;
use crate::world::observed_client::ObservedClient;

pub struct RenewThenWrite {
    pub client: ObservedClient,
    /// The length that the worker asks for in every renewal. The check asks for the same length. With less, a registry could
    /// make the lease shorter than the worker believes.
    pub ttl_ms: u64,
}

#[async_trait]
impl Submit for RenewThenWrite {
    async fn submit(&self, call: Call) -> Result<Reply, RegistryError> {
        let Some(lease) = presented_by(&call).cloned() else {
            return self.client.submit(call).await;
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
            other => return self.client.submit(other).await,
        };
        self.client.submit(Call::RenewProcessLease { lease, lease_ttl_ms: self.ttl_ms }).await?;
        self.client.submit(unfenced).await
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.client.durability_tier()
    }
}
