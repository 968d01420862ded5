//! Claims, renewals and releases, as `rules/leases.rs` decides them.

use std::sync::Arc;

use crate::model::error::RegistryResult;
use crate::model::lease::{
    LEASE_SCHEMA_VERSION, LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome, ProcessLeaseCompletion,
};
use crate::model::row::Tenure;
use crate::registry::apply::step::AtomicStep;
use crate::rules::leases::{Claim, ClaimDecision, Observation, TOKEN_BYTES, until};

impl AtomicStep<'_> {
    /// A claim, or with an observed holder a reclaim.
    pub(super) fn claim(
        &mut self,
        process_id: &str,
        owner: &LeaseOwnerIdentity,
        observed_holder: Option<&ProcessLease>,
        ttl_ms: u64,
    ) -> RegistryResult<ProcessLeaseClaimOutcome> {
        let until_ms = until(self.now_ms, ttl_ms)?;
        let row = self.rows.lease_row(process_id)?;
        (self.rules.admit_holder)(process_id, row.status.as_ref())?;
        let tenure = row.tenure;
        let claim = Claim { process_id, tenure: &tenure, owner, now_ms: self.now_ms, until_ms };
        let decision = match observed_holder {
            None => (self.rules.claim)(self.rules, &claim)?,
            Some(observed_holder) => {
                let is_definitely_dead =
                    |owner: &LeaseOwnerIdentity| self.environment.is_definitely_dead(owner);
                let observation = Observation { observed_holder, is_definitely_dead: &is_definitely_dead };
                (self.rules.reclaim)(self.rules, &claim, &observation)?
            }
        };
        match (decision, &tenure.lease) {
            (ClaimDecision::NewGrant { fence }, _) => {
                let lease = self.new_lease(process_id, owner, fence, until_ms);
                self.store_lease(&tenure, lease).map(ProcessLeaseClaimOutcome::Acquired)
            }
            (ClaimDecision::Reenter { until_ms }, Some(held)) => {
                let lease = ProcessLease { expires_at_epoch_ms: until_ms, ..ProcessLease::clone(held) };
                self.store_lease(&tenure, lease).map(ProcessLeaseClaimOutcome::Acquired)
            }
            (ClaimDecision::Busy, Some(held)) => {
                Ok(ProcessLeaseClaimOutcome::Busy { holder: ProcessLease::clone(held) })
            }
            (ClaimDecision::Reenter { .. } | ClaimDecision::Busy, None) => {
                unreachable!("a rule called a free lease held")
            }
        }
    }

    pub(super) fn renew(&mut self, presented: &ProcessLease, ttl_ms: u64) -> RegistryResult<ProcessLease> {
        let until_ms = until(self.now_ms, ttl_ms)?;
        let row = self.rows.lease_row(&presented.process_id)?;
        (self.rules.admit_holder)(&presented.process_id, row.status.as_ref())?;
        let renewed = (self.rules.renew)(self.rules, &row.tenure, presented, self.now_ms, until_ms)?;
        self.store_lease(&row.tenure, renewed)
    }

    pub(super) fn release(&mut self, completion: &ProcessLeaseCompletion) -> RegistryResult<()> {
        let tenure = self.rows.lease_row(&completion.process_id)?.tenure;
        if (self.rules.releases)(&tenure, completion) {
            self.rows.put_tenure(&completion.process_id, &Tenure { lease: None, ..tenure })?;
        }
        Ok(())
    }

    pub(super) fn stored_lease(&mut self, process_id: &str) -> RegistryResult<Option<ProcessLease>> {
        let row = self.rows.lease_row(process_id)?;
        Ok(row.status.and(row.tenure.lease).map(Arc::unwrap_or_clone))
    }

    fn new_lease(
        &self,
        process_id: &str,
        owner: &LeaseOwnerIdentity,
        fence: u64,
        until_ms: u64,
    ) -> ProcessLease {
        let mut entropy = [0; TOKEN_BYTES];
        self.environment.fill_entropy(&mut entropy);
        ProcessLease {
            schema_version: LEASE_SCHEMA_VERSION,
            process_id: process_id.to_owned(),
            owner: owner.clone(),
            lease_token: (self.rules.token)(entropy),
            fencing_token: fence,
            claimed_at_epoch_ms: self.now_ms,
            expires_at_epoch_ms: until_ms,
        }
    }

    fn store_lease(&mut self, before: &Tenure, lease: ProcessLease) -> RegistryResult<ProcessLease> {
        let tenure = Tenure {
            highest_fence: before.highest_fence.max(lease.fencing_token),
            lease: Some(Arc::new(lease.clone())),
        };
        self.rows.put_tenure(&lease.process_id, &tenure)?;
        Ok(lease)
    }
}
