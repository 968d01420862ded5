//! Leases: who may hold a process, and whether a lease has expired. Expiry is a comparison with the one reading of the
//! clock that is handed in, and it is not stored. So a clock that steps back makes an expired lease live again, unless
//! it was superseded or released.

use crate::model::error::RegistryError;
use crate::model::hex::to_hex;
use crate::model::lease::{ProcessLease, ProcessLeaseCompletion};
use crate::model::process::ProcessStatus;
use crate::model::row::Tenure;
pub use crate::rules::decisions::{Claim, ClaimDecision, Observation, TOKEN_BYTES};
use crate::rules::table::Rules;

/// A lease has expired at `expires_at`, and not one millisecond earlier.
pub fn is_live(lease: &ProcessLease, now_ms: u64) -> bool {
    lease.expires_at_epoch_ms > now_ms
}

/// Above every earlier one, or none at all: a fence is never wrapped or used twice.
pub fn next_fence(highest: u64) -> Option<u64> {
    highest.checked_add(1)
}

pub fn token(entropy: [u8; TOKEN_BYTES]) -> String {
    to_hex(&entropy)
}

/// When a lease that starts now ends.
pub fn until(now_ms: u64, ttl_ms: u64) -> Result<u64, RegistryError> {
    if ttl_ms == 0 {
        return Err(RegistryError::invalid("lease_ttl_ms", "a lease must last at least 1 ms"));
    }
    now_ms.checked_add(ttl_ms).ok_or_else(|| {
        RegistryError::invalid("lease_ttl_ms", format!("{ttl_ms} ms from now is past all time"))
    })
}

/// Only a known process that has not ended can be held.
pub fn admit_holder(process_id: &str, status: Option<&ProcessStatus>) -> Result<(), RegistryError> {
    match status {
        None => Err(RegistryError::unknown(process_id)),
        Some(ProcessStatus::Running) => Ok(()),
        Some(ended) => {
            Err(RegistryError::AlreadyTerminal { process_id: process_id.to_owned(), status: ended.clone() })
        }
    }
}

/// Free or expired: a new grant. Live and one's own: the same grant, longer. Live and another's: busy.
pub fn claim(rules: &Rules, claim: &Claim<'_>) -> Result<ClaimDecision, RegistryError> {
    match live_lease(rules, claim.tenure, claim.now_ms) {
        None => new_grant(rules, claim),
        Some(held) if (rules.same_incarnation)(&held.owner, claim.owner) => {
            Ok(ClaimDecision::Reenter { until_ms: held.expires_at_epoch_ms.max(claim.until_ms) })
        }
        Some(_) => Ok(ClaimDecision::Busy),
    }
}

/// As a claim, but a live lease too may be taken, if it is exactly the one that was observed and its holder is dead.
/// 1. A saw B's lease and B's death. 2. B's lease passed to C. 3. Without the comparison A would now take C's.
pub fn reclaim(
    rules: &Rules,
    claim: &Claim<'_>,
    observation: &Observation<'_>,
) -> Result<ClaimDecision, RegistryError> {
    let Some(held) = live_lease(rules, claim.tenure, claim.now_ms) else {
        return new_grant(rules, claim);
    };
    let is_the_observed = is_grant_of(rules, held, observation.observed_holder);
    if is_the_observed && (observation.is_definitely_dead)(&held.owner) {
        new_grant(rules, claim)
    } else {
        Ok(ClaimDecision::Busy)
    }
}

/// The stored lease, never shorter than it was.
pub fn renew(
    rules: &Rules,
    tenure: &Tenure,
    presented: &ProcessLease,
    now_ms: u64,
    until_ms: u64,
) -> Result<ProcessLease, RegistryError> {
    (rules.authorize)(rules, tenure, presented, now_ms)?;
    let Some(held) = &tenure.lease else {
        return Err(superseded(tenure, presented));
    };
    let mut renewed = ProcessLease::clone(held);
    renewed.expires_at_epoch_ms = renewed.expires_at_epoch_ms.max(until_ms);
    Ok(renewed)
}

/// A token is drawn for one grant, so it alone says which grant to end; expired or not, while nobody superseded it.
pub fn releases(tenure: &Tenure, completion: &ProcessLeaseCompletion) -> bool {
    tenure.lease.as_ref().is_some_and(|held| held.lease_token == completion.lease_token)
}

/// The fence check: the presented grant is the stored, held, unexpired one. Its own expiry and liveness are claims of
/// the caller and are not looked at.
pub fn authorize(
    rules: &Rules,
    tenure: &Tenure,
    presented: &ProcessLease,
    now_ms: u64,
) -> Result<(), RegistryError> {
    match &tenure.lease {
        Some(held) if is_grant_of(rules, held, presented) => {
            if (rules.is_live)(held, now_ms) {
                Ok(())
            } else {
                Err(RegistryError::LeaseExpired {
                    process_id: presented.process_id.clone(),
                    fence: held.fencing_token,
                    expires_at_epoch_ms: held.expires_at_epoch_ms,
                    now_epoch_ms: now_ms,
                })
            }
        }
        _ => Err(superseded(tenure, presented)),
    }
}

/// The lease that counts at this reading of the clock.
pub fn live_lease<'a>(rules: &Rules, tenure: &'a Tenure, now_ms: u64) -> Option<&'a ProcessLease> {
    tenure.lease.as_deref().filter(|lease| (rules.is_live)(lease, now_ms))
}

fn new_grant(rules: &Rules, claim: &Claim<'_>) -> Result<ClaimDecision, RegistryError> {
    (rules.next_fence)(claim.tenure.highest_fence)
        .map(|fence| ClaimDecision::NewGrant { fence })
        .ok_or_else(|| RegistryError::FenceExhausted { process_id: claim.process_id.to_owned() })
}

fn is_grant_of(rules: &Rules, held: &ProcessLease, presented: &ProcessLease) -> bool {
    held.process_id == presented.process_id
        && held.fencing_token == presented.fencing_token
        && held.lease_token == presented.lease_token
        && (rules.same_incarnation)(&held.owner, &presented.owner)
}

fn superseded(tenure: &Tenure, presented: &ProcessLease) -> RegistryError {
    RegistryError::LeaseSuperseded {
        process_id: presented.process_id.clone(),
        presented_fence: presented.fencing_token,
        current_fence: tenure.highest_fence,
    }
}
