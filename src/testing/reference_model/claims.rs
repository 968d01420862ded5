//! Leases: claims, renewals, and who may act under one.

use crate::model::error::{RegistryError, RegistryResult};
use crate::model::lease::{LEASE_SCHEMA_VERSION, LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome};
use crate::registry::calls::Reply;

use super::arguments::invalid;
use super::expected::Expected;
use super::{Heard, Inputs, Latitude, Leniency, ModelledProcess, Reached, ReferenceModel, reached_in};

/// A registry may refuse to grant the last few fences, because one that raises them by more than one cannot use them all.
const LAST_FENCES: u64 = 16;

pub(super) fn same_owner(a: &LeaseOwnerIdentity, b: &LeaseOwnerIdentity) -> bool {
    a.owner_id == b.owner_id && a.incarnation_id == b.incarnation_id
}

pub(super) fn same_grant(a: &ProcessLease, b: &ProcessLease) -> bool {
    a.fencing_token == b.fencing_token && a.lease_token == b.lease_token && same_owner(&a.owner, &b.owner)
}

impl ModelledProcess {
    /// The lease that counts at this reading.
    pub(super) fn live(&self, now_ms: u64) -> Option<&ProcessLease> {
        self.lease.as_ref().filter(|lease| now_ms < lease.expires_at_epoch_ms)
    }

    /// True, if the presented grant is the live one.
    pub(super) fn check_grant(
        &self,
        presented: &ProcessLease,
        reached: u64,
        now_ms: u64,
    ) -> RegistryResult<()> {
        let process_id = presented.process_id.clone();
        match &self.lease {
            Some(held) if same_grant(held, presented) && now_ms < held.expires_at_epoch_ms => Ok(()),
            Some(held) if same_grant(held, presented) => Err(RegistryError::LeaseExpired {
                process_id,
                fence: held.fencing_token,
                expires_at_epoch_ms: held.expires_at_epoch_ms,
                now_epoch_ms: now_ms,
            }),
            _ => Err(RegistryError::LeaseSuperseded {
                process_id,
                presented_fence: presented.fencing_token,
                current_fence: reached,
            }),
        }
    }

    /// Takes token and fence from a lease that somebody saw, where they were guesses.
    pub(super) fn learn_lease(&mut self, seen: &ProcessLease, reached: &mut Reached) {
        let Some(held) = self.lease.as_mut().filter(|_| self.is_lease_unheard) else { return };
        let is_it = same_owner(&held.owner, &seen.owner)
            && held.claimed_at_epoch_ms == seen.claimed_at_epoch_ms
            && held.fencing_token <= seen.fencing_token;
        if is_it {
            held.lease_token.clone_from(&seen.lease_token);
            held.fencing_token = seen.fencing_token;
            held.schema_version = seen.schema_version;
            reached.fence = seen.fencing_token;
            self.is_lease_unheard = false;
        }
    }
}

impl ReferenceModel {
    /// The highest fence that was ever granted on this id.
    pub(super) fn highest_fence(&self, process_id: &str) -> u64 {
        self.reached.get(process_id).map_or(0, |reached| reached.fence)
    }

    /// A claim, or with an observed holder a reclaim.
    pub(super) fn claim(
        &mut self,
        process_id: &str,
        owner: &LeaseOwnerIdentity,
        observed: Option<&ProcessLease>,
        ttl_ms: u64,
        inputs: &Inputs,
        heard: Heard<'_>,
    ) -> RegistryResult<Expected<'_>> {
        let until_ms = until(inputs.now_ms, ttl_ms)?;
        let (latitude, leniency) = (self.latitude, self.leniency);
        let process = self.processes.get_mut(process_id).ok_or_else(|| RegistryError::unknown(process_id))?;
        process.must_be_open()?;
        let reached = reached_in(&mut self.reached, process_id);
        if let Some(Ok(Reply::Claim(
            ProcessLeaseClaimOutcome::Acquired(lease) | ProcessLeaseClaimOutcome::Busy { holder: lease },
        ))) = heard
        {
            process.learn_lease(lease, reached);
        }
        let acquired = match heard {
            Some(Ok(Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease)))) => Some(lease),
            _ => None,
        };
        match decide(process, owner, observed, inputs, acquired) {
            ClaimAnswer::Busy(held) => return Ok(Expected::Busy(process.lease.insert(held))),
            ClaimAnswer::Reenter(held) => {
                let expires_at_epoch_ms = extended_until(&held, until_ms, acquired, leniency);
                let longer = ProcessLease { expires_at_epoch_ms, ..held };
                return Ok(Expected::Acquired(process.lease.insert(longer)));
            }
            ClaimAnswer::NewGrant => {}
        }
        let says_exhausted = matches!(heard, Some(Err(RegistryError::FenceExhausted { .. })));
        let is_near_the_end = reached.fence > u64::MAX - LAST_FENCES;
        if reached.fence == u64::MAX || is_near_the_end && says_exhausted {
            return Err(RegistryError::FenceExhausted { process_id: process_id.to_owned() });
        }
        let grown = acquired.filter(|lease| lease.fencing_token > reached.fence);
        reached.fence = grown.map_or(reached.fence + 1, |lease| lease.fencing_token);
        process.is_lease_unheard = heard.is_none();
        let schema_version = match (latitude, acquired) {
            (Latitude::Contract, Some(lease)) => lease.schema_version,
            (Latitude::Contract, None) | (Latitude::Fencepost, _) => LEASE_SCHEMA_VERSION,
        };
        Ok(Expected::Acquired(process.lease.insert(ProcessLease {
            schema_version,
            process_id: process_id.to_owned(),
            owner: owner.clone(),
            lease_token: acquired.map_or_else(String::new, |lease| lease.lease_token.clone()),
            fencing_token: reached.fence,
            claimed_at_epoch_ms: inputs.now_ms,
            expires_at_epoch_ms: until_ms,
        })))
    }

    pub(super) fn renew(
        &mut self,
        presented: &ProcessLease,
        ttl_ms: u64,
        now_ms: u64,
        heard: Heard<'_>,
    ) -> RegistryResult<Expected<'_>> {
        let (until_ms, leniency) = (until(now_ms, ttl_ms)?, self.leniency);
        let reached = self.highest_fence(&presented.process_id);
        let process = self.process(&presented.process_id)?;
        process.must_be_open()?;
        process.check_grant(presented, reached, now_ms)?;
        let answered = match heard {
            Some(Ok(Reply::Lease(lease))) => Some(lease),
            _ => None,
        };
        let held = process.lease.as_mut().ok_or_else(invalid)?;
        held.expires_at_epoch_ms = extended_until(held, until_ms, answered, leniency);
        Ok(Expected::Lease(held))
    }
}

/// The result of a claim, with the lease that is live.
enum ClaimAnswer {
    NewGrant,
    Reenter(ProcessLease),
    Busy(ProcessLease),
}

fn decide(
    process: &ModelledProcess,
    owner: &LeaseOwnerIdentity,
    observed: Option<&ProcessLease>,
    inputs: &Inputs,
    acquired: Option<&ProcessLease>,
) -> ClaimAnswer {
    let Some(held) = process.live(inputs.now_ms) else { return ClaimAnswer::NewGrant };
    match observed {
        None if same_owner(&held.owner, owner) => ClaimAnswer::Reenter(held.clone()),
        None => ClaimAnswer::Busy(held.clone()),
        Some(observed) => {
            let is_dead = inputs.is_holder_dead.unwrap_or(acquired.is_some());
            let is_taken_over = same_grant(held, observed) && is_dead;
            if is_taken_over { ClaimAnswer::NewGrant } else { ClaimAnswer::Busy(held.clone()) }
        }
    }
}

/// The end of an extended lease: what was answered, if that is no shorter than what it had. How long it lasts is the
/// affair of another law.
fn extended_until(
    held: &ProcessLease,
    until_ms: u64,
    answered: Option<&ProcessLease>,
    leniency: Leniency,
) -> u64 {
    let had_ms = held.expires_at_epoch_ms;
    let is_fitting = |until_ms: &u64| leniency.extending_may_shorten || *until_ms >= had_ms;
    let answered_ms = answered.map(|lease| lease.expires_at_epoch_ms).filter(is_fitting);
    answered_ms.unwrap_or(had_ms.max(until_ms))
}

fn until(now_ms: u64, ttl_ms: u64) -> RegistryResult<u64> {
    if ttl_ms == 0 { Err(invalid()) } else { now_ms.checked_add(ttl_ms).ok_or_else(invalid) }
}
