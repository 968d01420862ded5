//! The reference protocol of 31 methods: each fenced write is a renewal, believed, and then an unfenced write.

use std::sync::Arc;

use async_trait::async_trait;
use fencepost::model::process::DurabilityTier;
use fencepost::registry::calls::{Answer, Call, Submit};

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
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let Some(lease) = presented_by(&call).cloned() else {
            return self.client.submit(call).await;
        };
        let process_id = lease.process_id.clone();
        let unfenced = match Arc::unwrap_or_clone(call) {
            Call::CompleteProcessWithLease { await_output, .. } => {
                Call::CompleteProcess { process_id, await_output }
            }
            Call::AppendEventWithLease { request, .. } => Call::AppendEvent { process_id, request },
            Call::SetProcessWaitWithLease { wait, .. } => Call::SetProcessWait { process_id, wait },
            Call::ClearProcessWaitWithLease { .. } => Call::ClearProcessWait { process_id },
            // The registry itself looks at the lease of a first start.
            other => return self.client.submit(other.into()).await,
        };
        self.client.submit(Call::RenewProcessLease { lease, lease_ttl_ms: self.ttl_ms }.into()).await?;
        self.client.submit(unfenced.into()).await
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.client.durability_tier()
    }
}
