//! Wrong decisions about leases and writes, each in the form of the rule that it replaces.

use fencepost::RegistryError;
use fencepost::model::lease::{LeaseOwnerIdentity, ProcessLease};
use fencepost::model::row::{StoredProcess, Tenure};
use fencepost::rules::Rules;
use fencepost::rules::leases::{self, Claim, ClaimDecision, Observation};
use fencepost::rules::writes::{self, Admission, Authority, ExecutionWrite};

fn lives_at_its_expiry(lease: &ProcessLease, now_ms: u64) -> bool {
    now_ms <= lease.expires_at_epoch_ms
}

pub fn renews_at_expiry(
    rules: &Rules,
    tenure: &Tenure,
    presented: &ProcessLease,
    now_ms: u64,
    until_ms: u64,
) -> Result<ProcessLease, RegistryError> {
    let rules = Rules { is_live: lives_at_its_expiry, ..*rules };
    leases::renew(&rules, tenure, presented, now_ms, until_ms)
}

pub fn renews_the_expired(
    rules: &Rules,
    tenure: &Tenure,
    presented: &ProcessLease,
    now_ms: u64,
    until_ms: u64,
) -> Result<ProcessLease, RegistryError> {
    let rules = Rules { is_live: |_, _| true, ..*rules };
    leases::renew(&rules, tenure, presented, now_ms, until_ms)
}

pub fn lives_in_whole_seconds(lease: &ProcessLease, now_ms: u64) -> bool {
    lease.expires_at_epoch_ms / 1_000 > now_ms / 1_000
}

/// Accepts any token that the caller presents.
pub fn authorizes_by_fence(
    rules: &Rules,
    tenure: &Tenure,
    presented: &ProcessLease,
    now_ms: u64,
) -> Result<(), RegistryError> {
    let stored = tenure.lease.as_deref().filter(|held| held.fencing_token == presented.fencing_token);
    leases::authorize(rules, tenure, stored.unwrap_or(presented), now_ms)
}

/// Whichever of its grants the holder presents.
pub fn renews_by_name(
    rules: &Rules,
    tenure: &Tenure,
    presented: &ProcessLease,
    now_ms: u64,
    until_ms: u64,
) -> Result<ProcessLease, RegistryError> {
    let stored = tenure.lease.as_deref().filter(|held| held.owner.owner_id == presented.owner.owner_id);
    leases::renew(rules, tenure, stored.unwrap_or(presented), now_ms, until_ms)
}

pub fn reenters_for_what_is_asked(rules: &Rules, claim: &Claim<'_>) -> Result<ClaimDecision, RegistryError> {
    match leases::claim(rules, claim)? {
        ClaimDecision::Reenter { .. } => Ok(ClaimDecision::Reenter { until_ms: claim.until_ms }),
        decision => Ok(decision),
    }
}

pub fn renews_on_top(
    rules: &Rules,
    tenure: &Tenure,
    presented: &ProcessLease,
    now_ms: u64,
    until_ms: u64,
) -> Result<ProcessLease, RegistryError> {
    let had_ms = tenure.lease.as_ref().map_or(now_ms, |held| held.expires_at_epoch_ms);
    let expires_at_epoch_ms = had_ms.saturating_add(until_ms.saturating_sub(now_ms));
    let renewed = leases::renew(rules, tenure, presented, now_ms, until_ms)?;
    Ok(ProcessLease { expires_at_epoch_ms, ..renewed })
}

pub fn renews_what_is_gone(
    rules: &Rules,
    tenure: &Tenure,
    presented: &ProcessLease,
    now_ms: u64,
    until_ms: u64,
) -> Result<ProcessLease, RegistryError> {
    match &tenure.lease {
        None => Ok(ProcessLease { expires_at_epoch_ms: until_ms, ..presented.clone() }),
        Some(_) => leases::renew(rules, tenure, presented, now_ms, until_ms),
    }
}

pub fn claims_at_expiry(rules: &Rules, claim: &Claim<'_>) -> Result<ClaimDecision, RegistryError> {
    leases::claim(&Rules { is_live: lives_at_its_expiry, ..*rules }, claim)
}

pub fn reclaims_from_whoever_holds(
    rules: &Rules,
    claim: &Claim<'_>,
    observation: &Observation<'_>,
) -> Result<ClaimDecision, RegistryError> {
    let held = claim.tenure.lease.as_deref();
    let observed_holder = held.unwrap_or(observation.observed_holder);
    let was_dead = (observation.is_definitely_dead)(&observation.observed_holder.owner);
    let is_definitely_dead: &dyn Fn(&LeaseOwnerIdentity) -> bool = &|_| was_dead;
    leases::reclaim(rules, claim, &Observation { observed_holder, is_definitely_dead })
}

pub fn reclaims_from_the_living(
    rules: &Rules,
    claim: &Claim<'_>,
    observation: &Observation<'_>,
) -> Result<ClaimDecision, RegistryError> {
    let observed_holder = observation.observed_holder;
    leases::reclaim(rules, claim, &Observation { observed_holder, is_definitely_dead: &|_| true })
}

/// As a registry must that has no fenced methods.
pub fn admits_unfenced(
    rules: &Rules,
    life: &StoredProcess,
    authority: Authority<'_>,
    write: ExecutionWrite<'_>,
    now_ms: u64,
) -> Result<Admission, RegistryError> {
    let record = &life.row.record;
    let is_unfenced = matches!(authority, Authority::Unfenced) && !matches!(write, ExecutionWrite::Start(_));
    if !is_unfenced {
        return writes::admit(rules, life, authority, write, now_ms);
    }
    if record.is_terminal() && !matches!(write, ExecutionWrite::Event { .. }) {
        let process_id = record.id().to_owned();
        return Err(RegistryError::AlreadyTerminal { process_id, status: record.status.clone() });
    }
    Ok(Admission::Go)
}

/// The grant is compared, and its expiry is not looked at.
#[cfg(feature = "live")]
pub fn authorizes_the_expired(
    rules: &Rules,
    tenure: &Tenure,
    presented: &ProcessLease,
    now_ms: u64,
) -> Result<(), RegistryError> {
    let is_live = |_: &ProcessLease, _: u64| true;
    leases::authorize(&Rules { is_live, ..*rules }, tenure, presented, now_ms)
}
