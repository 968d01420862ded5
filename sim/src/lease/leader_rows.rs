//! The keys that leaders are wanted for, as rows of our own registry. It decides no lease here: whoever takes itself for the
//! leader may end a row.

use std::sync::Arc;

use async_trait::async_trait;
use fencepost::environment::Environment;
use fencepost::model::error::RegistryResult;
use fencepost::model::lease::{LEASE_SCHEMA_VERSION, LeaseOwnerIdentity, ProcessLease};
use fencepost::model::process::DurabilityTier;
use fencepost::registry::calls::{Answer, Call, Submit};

use super::key_rows::KeyRows;

pub struct LeaderRows {
    rows: KeyRows,
    environment: Arc<dyn Environment>,
}

impl LeaderRows {
    pub fn open(environment: Arc<dyn Environment>) -> Self {
        Self { rows: KeyRows::new(Arc::clone(&environment)), environment }
    }

    /// A grant that lets one call pass.
    fn pass(&self, key: &str) -> RegistryResult<ProcessLease> {
        let now_ms = self.environment.now_epoch_ms();
        Ok(ProcessLease {
            schema_version: LEASE_SCHEMA_VERSION,
            process_id: key.to_owned(),
            owner: LeaseOwnerIdentity::opaque("leader", "unknown"),
            lease_token: format!("{key}#end"),
            fencing_token: self.rows.tenure(key)?.highest_fence + 1,
            claimed_at_epoch_ms: now_ms,
            expires_at_epoch_ms: u64::MAX,
        })
    }
}

#[async_trait]
impl Submit for LeaderRows {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let Call::CompleteProcess { process_id, await_output } = &*call else {
            return self.rows.decide(&call);
        };
        self.rows.check_open(process_id)?;
        let lease = self.pass(process_id)?;
        let now_ms = self.environment.now_epoch_ms();
        let ends =
            Call::CompleteProcessWithLease { lease: lease.clone(), await_output: await_output.clone() };
        self.rows.decide_under(&lease, now_ms, &ends)
    }

    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Inline
    }
}
