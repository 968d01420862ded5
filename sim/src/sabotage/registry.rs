//! Bugs of the registry: leases, fences and the writes they guard.

use fencepost::error::RegistryError;
use fencepost::lease::{LeaseOwnerIdentity, ProcessLease};
use fencepost::row::{HighWater, Life, Tenure};
use fencepost::rules::Rules;
use fencepost::rules::leases::{self, Claim, ClaimDecision, Observation};
use fencepost::rules::lifecycle::{self, Admission, Authority, ExecutionWrite, StartDecision};

use super::Sabotage;
use crate::subject::{Protocol, Subject};

pub const ALL: &[Sabotage] = &[
    Sabotage {
        name: "release-by-id-alone",
        stands_for: "a lock released by name without its token: the late release of an old holder ends a new one's lease",
        law: "release-frees-own",
        subject: |subject| with(subject, |rules| Rules { releases: |_, _| true, ..rules }),
    },
    Sabotage {
        name: "fence-repeated",
        stands_for: "a new grant repeats the last fence: what stands outside cannot tell the two apart",
        law: "fences-only-grow",
        subject: |subject| {
            with(subject, |rules| Rules { next_fence: |highest| Some(highest.max(1)), ..rules })
        },
    },
    Sabotage {
        name: "fence-forgotten-by-prune",
        stands_for: "the fence is kept in the row that a prune deletes, and starts again with the next life",
        law: "fences-only-grow",
        subject: |subject| {
            with(subject, |rules| Rules { survives_prune: |kept| HighWater { fence: 0, ..kept }, ..rules })
        },
    },
    Sabotage {
        name: "renew-at-expiry",
        stands_for: "`expires_at >= now` in renew alone: for one millisecond an expired grant comes back",
        law: "stale-writer-refused",
        subject: |subject| with(subject, |rules| Rules { renew: renews_at_expiry, ..rules }),
    },
    Sabotage {
        name: "claim-at-expiry",
        stands_for: "`expires_at >= now` in claim alone: for one millisecond an expired grant keeps others out",
        law: "expiry-is-exact",
        subject: |subject| with(subject, |rules| Rules { claim: claims_at_expiry, ..rules }),
    },
    Sabotage {
        name: "renew-the-expired",
        stands_for: "a renewal accepts an expired grant as long as nobody took it",
        law: "stale-writer-refused",
        subject: |subject| with(subject, |rules| Rules { renew: renews_the_expired, ..rules }),
    },
    Sabotage {
        name: "renew-creates",
        stands_for: "a renewal is an upsert: it makes the row it should update, so a released lease comes back",
        law: "stale-writer-refused",
        subject: |subject| with(subject, |rules| Rules { renew: renews_what_is_gone, ..rules }),
    },
    Sabotage {
        name: "reclaim-whoever-holds",
        stands_for: "a reclaim skips the comparison with the holder it observed, and takes a later one's lease",
        law: "reclaim-takes-the-observed-dead",
        subject: |subject| with(subject, |rules| Rules { reclaim: reclaims_from_whoever_holds, ..rules }),
    },
    Sabotage {
        name: "reclaim-from-the-living",
        stands_for: "the registry believes a reclaimer that the holder is dead, and does not ask its own probe",
        law: "reclaim-takes-the-observed-dead",
        subject: |subject| with(subject, |rules| Rules { reclaim: reclaims_from_the_living, ..rules }),
    },
    Sabotage {
        name: "same-token",
        stands_for: "tokens are made of something that repeats, such as a constant or a coarse clock",
        law: "tokens-are-drawn",
        subject: |subject| with(subject, |rules| Rules { token: |_| "token".to_owned(), ..rules }),
    },
    Sabotage {
        name: "claim-the-ended",
        stands_for: "claims of ended processes succeed",
        law: "nothing-after-the-end",
        subject: |subject| with(subject, |rules| Rules { admit_holder: |_, _| Ok(()), ..rules }),
    },
    Sabotage {
        name: "renew-then-write",
        stands_for: "the protocol of the reference pages: renew as a check, then complete unfenced; the lease may pass on \
                     between the two",
        law: "stale-writer-refused",
        subject: |subject| Subject {
            protocol: Protocol::RenewThenWrite,
            ..with(subject, |rules| Rules { admit: admits_unfenced, ..rules })
        },
    },
    Sabotage {
        name: "start-unchecked",
        stands_for: "the first start is recorded without a look at the lease",
        law: "stale-writer-refused",
        subject: |subject| {
            with(subject, |rules| Rules {
                admit: |rules, life, authority, write, now_ms| match write {
                    ExecutionWrite::Start(_) if !life.row.record.is_terminal() => Ok(Admission::Go),
                    _ => lifecycle::admit(rules, life, authority, write, now_ms),
                },
                ..rules
            })
        },
    },
    Sabotage {
        name: "wait-unchecked",
        stands_for: "waits are set and cleared without a look at the lease: late waits that nobody fenced",
        law: "stale-writer-refused",
        subject: |subject| {
            with(subject, |rules| Rules {
                admit: |rules, life, authority, write, now_ms| match write {
                    ExecutionWrite::Wait if !life.row.record.is_terminal() => Ok(Admission::Go),
                    _ => lifecycle::admit(rules, life, authority, write, now_ms),
                },
                ..rules
            })
        },
    },
    Sabotage {
        name: "events-unchecked",
        stands_for: "events are appended by anyone: the terminal write is fenced, the log is not",
        law: "stale-writer-refused",
        subject: |subject| {
            with(subject, |rules| Rules {
                admit: |rules, life, authority, write, now_ms| match write {
                    ExecutionWrite::Event { .. } if !life.row.record.is_terminal() => Ok(Admission::Go),
                    _ => lifecycle::admit(rules, life, authority, write, now_ms),
                },
                ..rules
            })
        },
    },
    Sabotage {
        name: "second-terminal",
        stands_for: "a second terminal outcome overwrites the first",
        law: "ends-once",
        subject: |subject| {
            with(subject, |rules| Rules {
                admit: |rules, life, authority, write, now_ms| match write {
                    ExecutionWrite::End(_) if life.row.record.is_terminal() => Ok(Admission::Go),
                    _ => lifecycle::admit(rules, life, authority, write, now_ms),
                },
                ..rules
            })
        },
    },
    Sabotage {
        name: "last-start-wins",
        stands_for: "the first-start marker is overwritten by a revenant",
        law: "starts-are-first",
        subject: |subject| {
            with(subject, |rules| Rules { first_start: |_, _| StartDecision::Record, ..rules })
        },
    },
];

fn with(subject: Subject, change: fn(Rules) -> Rules) -> Subject {
    Subject { rules: change(subject.rules), ..subject }
}

fn lives_at_its_expiry(lease: &ProcessLease, now_ms: u64) -> bool {
    now_ms <= lease.expires_at_epoch_ms
}

fn renews_at_expiry(
    rules: &Rules,
    tenure: &Tenure,
    presented: &ProcessLease,
    now_ms: u64,
    until_ms: u64,
) -> Result<ProcessLease, RegistryError> {
    let rules = Rules { is_live: lives_at_its_expiry, ..*rules };
    leases::renew(&rules, tenure, presented, now_ms, until_ms)
}

fn renews_the_expired(
    rules: &Rules,
    tenure: &Tenure,
    presented: &ProcessLease,
    now_ms: u64,
    until_ms: u64,
) -> Result<ProcessLease, RegistryError> {
    let rules = Rules { is_live: |_, _| true, ..*rules };
    leases::renew(&rules, tenure, presented, now_ms, until_ms)
}

fn renews_what_is_gone(
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

fn claims_at_expiry(rules: &Rules, claim: &Claim<'_>) -> Result<ClaimDecision, RegistryError> {
    leases::claim(&Rules { is_live: lives_at_its_expiry, ..*rules }, claim)
}

fn reclaims_from_whoever_holds(
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

fn reclaims_from_the_living(
    rules: &Rules,
    claim: &Claim<'_>,
    observation: &Observation<'_>,
) -> Result<ClaimDecision, RegistryError> {
    let observed_holder = observation.observed_holder;
    leases::reclaim(rules, claim, &Observation { observed_holder, is_definitely_dead: &|_| true })
}

/// As a registry must that has no fenced methods.
fn admits_unfenced(
    rules: &Rules,
    life: &Life,
    authority: Authority<'_>,
    write: ExecutionWrite<'_>,
    now_ms: u64,
) -> Result<Admission, RegistryError> {
    let record = &life.row.record;
    let is_unfenced = matches!(authority, Authority::Unfenced) && !matches!(write, ExecutionWrite::Start(_));
    if !is_unfenced {
        return lifecycle::admit(rules, life, authority, write, now_ms);
    }
    if record.is_terminal() && !matches!(write, ExecutionWrite::Event { .. }) {
        let process_id = record.id().to_owned();
        return Err(RegistryError::AlreadyTerminal { process_id, status: record.status.clone() });
    }
    Ok(Admission::Go)
}
