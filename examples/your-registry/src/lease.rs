//! Whose a process is: the fence check that every write under a lease asks first, and the four calls that move a lease.
//! "Now" is the one reading of the clock that the call is decided on; nothing here asks for another.

use fencepost::RegistryError;
use fencepost::environment::Environment;
use fencepost::model::lease::{
    Grant, LEASE_SCHEMA_VERSION, LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome, same_incarnation,
};

use crate::row::{Answer, Row};

impl Row {
    /// The fence check: the presented grant is the stored one, and its time is not over. When the presented lease says
    /// it ends is its bearer's claim and is not looked at.
    pub fn must_hold(&self, presented: &ProcessLease, now_ms: u64) -> Answer<()> {
        let held = self.must_be_stored(presented)?;
        if held.expires_at_epoch_ms > now_ms {
            return Ok(());
        }
        Err(RegistryError::LeaseExpired {
            process_id: self.record.id().to_owned(),
            fence: held.fencing_token,
            expires_at_epoch_ms: held.expires_at_epoch_ms,
            now_epoch_ms: now_ms,
        })
    }

    /// Half of the fence check: nobody else was granted the process since, and nobody released it.
    pub fn must_be_stored(&self, presented: &ProcessLease) -> Answer<&ProcessLease> {
        let held = self.lease.as_ref().filter(|held| held.grant() == presented.grant());
        held.ok_or_else(|| RegistryError::LeaseSuperseded {
            process_id: self.record.id().to_owned(),
            presented_fence: presented.fencing_token,
            current_fence: self.reached.fence,
        })
    }

    /// The grant that counts now, if there is one. A clock that steps back brings an expired one back to life.
    pub fn live_lease(&self, now_ms: u64) -> Option<&ProcessLease> {
        self.lease.as_ref().filter(|held| held.expires_at_epoch_ms > now_ms)
    }

    pub fn claim(
        &mut self,
        owner: &LeaseOwnerIdentity,
        (now_ms, until_ms): (u64, u64),
        environment: &dyn Environment,
    ) -> Answer<ProcessLeaseClaimOutcome> {
        self.must_run()?;
        let holder = match self.live_lease(now_ms).cloned() {
            None => return self.grant(owner, (now_ms, until_ms), environment),
            Some(holder) => holder,
        };
        if !same_incarnation(&holder.owner, owner) {
            return Ok(ProcessLeaseClaimOutcome::Busy { holder });
        }
        // Its own claim again: an answer was lost. The same grant, and never a shorter one.
        Ok(ProcessLeaseClaimOutcome::Acquired(self.extend(holder, until_ms)))
    }

    /// As a claim; but of a live lease only the one that was seen is taken, and only from a holder that is dead.
    pub fn reclaim(
        &mut self,
        owner: &LeaseOwnerIdentity,
        observed: &ProcessLease,
        (now_ms, until_ms): (u64, u64),
        environment: &dyn Environment,
    ) -> Answer<ProcessLeaseClaimOutcome> {
        self.must_run()?;
        let seen: (&str, Grant) = (&observed.process_id, observed.grant());
        match self.live_lease(now_ms) {
            Some(holder)
                if seen != (self.record.id(), holder.grant())
                    || !environment.is_definitely_dead(&holder.owner) =>
            {
                Ok(ProcessLeaseClaimOutcome::Busy { holder: holder.clone() })
            }
            _ => self.grant(owner, (now_ms, until_ms), environment),
        }
    }

    pub fn renew(&mut self, presented: &ProcessLease, now_ms: u64, until_ms: u64) -> Answer<ProcessLease> {
        self.must_run()?;
        self.must_hold(presented, now_ms)?;
        let held = self.must_be_stored(presented)?.clone();
        Ok(self.extend(held, until_ms))
    }

    /// By its token: a stale release must not free a successor's lease.
    pub fn release(&mut self, lease_token: &str) {
        self.lease.take_if(|held| held.lease_token == lease_token);
    }

    fn grant(
        &mut self,
        owner: &LeaseOwnerIdentity,
        (now_ms, until_ms): (u64, u64),
        environment: &dyn Environment,
    ) -> Answer<ProcessLeaseClaimOutcome> {
        let process_id = self.record.id().to_owned();
        let Some(fence) = self.reached.fence.checked_add(1) else {
            return Err(RegistryError::FenceExhausted { process_id });
        };
        let mut entropy = [0; 16];
        environment.fill_entropy(&mut entropy);
        let lease = ProcessLease {
            schema_version: LEASE_SCHEMA_VERSION,
            process_id,
            owner: owner.clone(),
            lease_token: format!("{:032x}", u128::from_be_bytes(entropy)),
            fencing_token: fence,
            claimed_at_epoch_ms: now_ms,
            expires_at_epoch_ms: until_ms,
        };
        self.reached.fence = fence;
        self.lease = Some(lease.clone());
        Ok(ProcessLeaseClaimOutcome::Acquired(lease))
    }

    fn extend(&mut self, mut held: ProcessLease, until_ms: u64) -> ProcessLease {
        held.expires_at_epoch_ms = held.expires_at_epoch_ms.max(until_ms);
        self.lease = Some(held.clone());
        held
    }
}
