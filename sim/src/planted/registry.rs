//! Bugs of the registry: leases, fences and the writes they guard.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fencepost::environment::Environment;
use fencepost::model::error::RegistryError;
use fencepost::model::lease::{
    LEASE_SCHEMA_VERSION, LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome,
};
use fencepost::model::process::DurabilityTier;
use fencepost::model::row::{HighWater, Life, Tenure};
use fencepost::registry::calls::{Call, Reply, Submit};
use fencepost::rules::Rules;
use fencepost::rules::events;
use fencepost::rules::leases::{self, Claim, ClaimDecision, Observation};
use fencepost::rules::writes::{self, Admission, Authority, ExecutionWrite, StartDecision};

use crate::planted::PlantedBug;
use crate::subject::{Core, Protocol, Subject};
use crate::world::clock_of_the_caller_ms;

pub const ALL: &[PlantedBug] = &[
    PlantedBug {
        name: "release-by-id-alone",
        stands_for: "a lock released by name without its token: the late release of an old holder ends a new one's lease",
        law: "release-frees-own",
        subject: |subject| with(subject, |rules| Rules { releases: |_, _| true, ..rules }),
    },
    PlantedBug {
        name: "fence-repeated",
        stands_for: "a new grant repeats the last fence: what stands outside cannot tell the two apart",
        law: "fences-only-grow",
        subject: |subject| {
            with(subject, |rules| Rules { next_fence: |highest| Some(highest.max(1)), ..rules })
        },
    },
    PlantedBug {
        name: "fence-forgotten-by-prune",
        stands_for: "the fence is kept in the row that a prune deletes, and starts again with the next life",
        law: "fences-only-grow",
        subject: |subject| {
            with(subject, |rules| Rules { survives_prune: |kept| HighWater { fence: 0, ..kept }, ..rules })
        },
    },
    PlantedBug {
        name: "renew-at-expiry",
        stands_for: "`expires_at >= now` in renew alone: for one millisecond an expired grant comes back",
        law: "stale-writer-refused",
        subject: |subject| with(subject, |rules| Rules { renew: renews_at_expiry, ..rules }),
    },
    PlantedBug {
        name: "claim-at-expiry",
        stands_for: "`expires_at >= now` in claim alone: for one millisecond an expired grant keeps others out",
        law: "expiry-is-exact",
        subject: |subject| with(subject, |rules| Rules { claim: claims_at_expiry, ..rules }),
    },
    PlantedBug {
        name: "renew-the-expired",
        stands_for: "a renewal accepts an expired grant as long as nobody took it",
        law: "stale-writer-refused",
        subject: |subject| with(subject, |rules| Rules { renew: renews_the_expired, ..rules }),
    },
    PlantedBug {
        name: "renewals-add-up",
        stands_for: "a renewal adds a ttl to what was left: soon a dead worker's lease outlasts everybody's patience",
        law: "leases-last-as-asked",
        subject: |subject| with(subject, |rules| Rules { renew: renews_on_top, ..rules }),
    },
    PlantedBug {
        name: "renew-creates",
        stands_for: "a renewal is an upsert: it makes the row it should update, so a released lease comes back",
        law: "stale-writer-refused",
        subject: |subject| with(subject, |rules| Rules { renew: renews_what_is_gone, ..rules }),
    },
    PlantedBug {
        name: "reclaim-whoever-holds",
        stands_for: "a reclaim skips the comparison with the holder it observed, and takes a later one's lease",
        law: "reclaim-takes-the-observed-dead",
        subject: |subject| with(subject, |rules| Rules { reclaim: reclaims_from_whoever_holds, ..rules }),
    },
    PlantedBug {
        name: "reclaim-from-the-living",
        stands_for: "the registry believes a reclaimer that the holder is dead, and does not ask its own probe",
        law: "reclaim-takes-the-observed-dead",
        subject: |subject| with(subject, |rules| Rules { reclaim: reclaims_from_the_living, ..rules }),
    },
    PlantedBug {
        name: "same-token",
        stands_for: "tokens are made of something that repeats, such as a constant or a coarse clock",
        law: "tokens-are-drawn",
        subject: |subject| with(subject, |rules| Rules { token: |_| "token".to_owned(), ..rules }),
    },
    PlantedBug {
        name: "claim-the-ended",
        stands_for: "claims of ended processes succeed",
        law: "nothing-after-the-end",
        subject: |subject| with(subject, |rules| Rules { admit_holder: |_, _| Ok(()), ..rules }),
    },
    PlantedBug {
        name: "claim-the-unknown",
        stands_for: "claims of unknown ids succeed: a lock table that never asks whether the work is there, or still there",
        law: "linearizable",
        subject: |subject| Subject {
            wraps: Some(|core, environment| Arc::new(LeasesAnything { core, environment })),
            ..subject
        },
    },
    PlantedBug {
        name: "renew-then-write",
        stands_for: "the protocol of the reference pages: renew as a check, then complete unfenced; the lease may pass on \
                     between the two",
        law: "stale-writer-refused",
        subject: |subject| Subject {
            protocol: Protocol::RenewThenWrite,
            ..with(subject, |rules| Rules { admit: admits_unfenced, ..rules })
        },
    },
    PlantedBug {
        name: "start-unchecked",
        stands_for: "the first start is recorded without a look at the lease",
        law: "stale-writer-refused",
        subject: |subject| {
            with(subject, |rules| Rules {
                admit: |rules, life, authority, write, now_ms| match write {
                    ExecutionWrite::Start(_) if !life.row.record.is_terminal() => Ok(Admission::Go),
                    _ => writes::admit(rules, life, authority, write, now_ms),
                },
                ..rules
            })
        },
    },
    PlantedBug {
        name: "wait-unchecked",
        stands_for: "waits are set and cleared without a look at the lease: late waits that nobody fenced",
        law: "stale-writer-refused",
        subject: |subject| {
            with(subject, |rules| Rules {
                admit: |rules, life, authority, write, now_ms| match write {
                    ExecutionWrite::Wait if !life.row.record.is_terminal() => Ok(Admission::Go),
                    _ => writes::admit(rules, life, authority, write, now_ms),
                },
                ..rules
            })
        },
    },
    PlantedBug {
        name: "events-unchecked",
        stands_for: "events are appended by anyone: the terminal write is fenced, the log is not",
        law: "stale-writer-refused",
        subject: |subject| {
            with(subject, |rules| Rules {
                admit: |rules, life, authority, write, now_ms| match write {
                    ExecutionWrite::Event { .. } if !life.row.record.is_terminal() => Ok(Admission::Go),
                    _ => writes::admit(rules, life, authority, write, now_ms),
                },
                ..rules
            })
        },
    },
    PlantedBug {
        name: "second-terminal",
        stands_for: "a second terminal outcome overwrites the first",
        law: "ends-once",
        subject: |subject| {
            with(subject, |rules| Rules {
                admit: |rules, life, authority, write, now_ms| match write {
                    ExecutionWrite::End(_) if life.row.record.is_terminal() => Ok(Admission::Go),
                    _ => writes::admit(rules, life, authority, write, now_ms),
                },
                ..rules
            })
        },
    },
    PlantedBug {
        name: "same-owner-is-same-incarnation",
        stands_for: "a restarted worker is taken for the one that died: it re-enters the dead one's lease",
        law: "linearizable",
        subject: |subject| {
            with(subject, |rules| Rules { same_incarnation: |a, b| a.owner_id == b.owner_id, ..rules })
        },
    },
    PlantedBug {
        name: "expiry-by-the-callers-clock",
        stands_for: "a claim brings the time along that the stored expiry is compared with: whoever is fast takes live leases",
        law: "one-live-grant",
        subject: |subject| Subject { wraps: Some(|core, _| Arc::new(CallersClock(core))), ..subject },
    },
    PlantedBug {
        name: "claim-decided-before-a-wait",
        stands_for: "a claim looks, waits, and writes without looking again: authority checked in one transaction, used in the next",
        law: "one-live-grant",
        subject: |subject| Subject {
            wraps: Some(|core, environment| Arc::new(DecidesEarly { core, environment })),
            ..subject
        },
    },
    PlantedBug {
        name: "completion-forgotten",
        stands_for: "the retry of an applied completion is a stranger's: its owner hears that the process has ended already",
        law: "linearizable",
        subject: |subject| {
            with(subject, |rules| Rules {
                admit: |rules, life, authority, write, now_ms| match writes::admit(
                    rules, life, authority, write, now_ms,
                )? {
                    Admission::AlreadyApplied => Err(RegistryError::AlreadyTerminal {
                        process_id: life.row.record.id().to_owned(),
                        status: life.row.record.status.clone(),
                    }),
                    Admission::Go => Ok(Admission::Go),
                },
                ..rules
            })
        },
    },
    PlantedBug {
        name: "half-a-transfer",
        stands_for: "a refused transfer of handles keeps what it had moved before it met the one that was missing",
        law: "refusal-changes-nothing",
        subject: |subject| Subject { wraps: Some(|core, _| Arc::new(MovesOneByOne(core))), ..subject },
    },
    PlantedBug {
        name: "already-yours-by-incarnation",
        stands_for: "a start is called one's own when the incarnation is the same, though it was made under another grant",
        law: "linearizable",
        subject: |subject| {
            with(subject, |rules| Rules {
                first_start: |row, by| {
                    let started = row.provenance.started_by.as_ref();
                    let is_same = started.zip(by).is_some_and(|(started, by)| {
                        (&started.owner_id, &started.incarnation_id) == (&by.owner_id, &by.incarnation_id)
                    });
                    if is_same { StartDecision::AlreadyYours } else { writes::first_start(row, by) }
                },
                ..rules
            })
        },
    },
    PlantedBug {
        name: "expired-too-early",
        stands_for: "a margin of safety at the wrong end: a lease is called expired in its last milliseconds",
        law: "live-writer-accepted",
        subject: |subject| {
            with(subject, |rules| Rules {
                authorize: |rules, tenure, presented, now_ms| {
                    let is_live = |lease: &ProcessLease, now_ms: u64| now_ms + 2 < lease.expires_at_epoch_ms;
                    leases::authorize(&Rules { is_live, ..*rules }, tenure, presented, now_ms)
                },
                ..rules
            })
        },
    },
    PlantedBug {
        name: "nobody-holds-so-anybody-may",
        stands_for: "a write is checked against the holder, and passes where there is none: a revenant of an earlier life too",
        law: "lives-do-not-mix",
        subject: |subject| {
            with(subject, |rules| Rules {
                authorize: |rules, tenure, presented, now_ms| match &tenure.lease {
                    None => Ok(()),
                    Some(_) => leases::authorize(rules, tenure, presented, now_ms),
                },
                ..rules
            })
        },
    },
    PlantedBug {
        name: "sequence-with-holes",
        stands_for: "sequences come from a counter that others use too: readers wait for events that there are not",
        law: "log-is-dense",
        subject: |subject| {
            with(subject, |rules| Rules {
                next_sequence: |highest| events::next_sequence(highest + 1),
                ..rules
            })
        },
    },
    PlantedBug {
        name: "replay-appends-again",
        stands_for: "the retry of an append is another event: its key is stored and never looked up",
        law: "replay-key-is-one-event",
        subject: |subject| {
            with(subject, |rules| Rules {
                append: |record, _, request| events::append(record, None, request),
                ..rules
            })
        },
    },
    PlantedBug {
        name: "renewal-that-renews-nothing",
        stands_for: "a renewal that updated no row and said yes: the worker believes in a lease that runs out",
        law: "bodies-overlap-within-bound",
        subject: |subject| Subject {
            wraps: Some(|core, environment| Arc::new(SaysYes { core, environment })),
            ..subject
        },
    },
    PlantedBug {
        name: "last-start-wins",
        stands_for: "the first-start marker is overwritten by a revenant",
        law: "starts-are-first",
        subject: |subject| {
            with(subject, |rules| Rules { first_start: |_, _| StartDecision::Record, ..rules })
        },
    },
];

/// Judges the stored expiry by the clock of whoever claims.
struct CallersClock(Core);

#[async_trait]
impl Submit for CallersClock {
    async fn submit(&self, call: Call) -> Result<Reply, RegistryError> {
        if let Call::ClaimProcessLease { process_id, .. } = &call {
            let stored = stored_lease(&self.0, process_id).await?;
            if let Some(lease) = stored.filter(|lease| lease.expires_at_epoch_ms <= clock_of_the_caller_ms())
            {
                self.0.submit(Call::CompleteProcessLease { completion: lease.completion() }).await?;
            }
        }
        self.0.submit(call).await
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.0.durability_tier()
    }
}

/// Looks whether the lease is free, waits, and takes it then.
struct DecidesEarly {
    core: Core,
    environment: Arc<dyn Environment>,
}

#[async_trait]
impl Submit for DecidesEarly {
    async fn submit(&self, call: Call) -> Result<Reply, RegistryError> {
        if let Call::ClaimProcessLease { process_id, .. } = &call {
            let now_ms = self.environment.now_epoch_ms();
            let stored = stored_lease(&self.core, process_id).await?;
            let is_free = stored.is_none_or(|lease| lease.expires_at_epoch_ms <= now_ms);
            self.environment.sleep(Duration::from_millis(3)).await;
            if let (true, Some(lease)) = (is_free, stored_lease(&self.core, process_id).await?) {
                self.core.submit(Call::CompleteProcessLease { completion: lease.completion() }).await?;
            }
        }
        self.core.submit(call).await
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.core.durability_tier()
    }
}

/// Has a lease for every id.
struct LeasesAnything {
    core: Core,
    environment: Arc<dyn Environment>,
}

#[async_trait]
impl Submit for LeasesAnything {
    async fn submit(&self, call: Call) -> Result<Reply, RegistryError> {
        let answer = self.core.submit(call.clone()).await;
        let (Call::ClaimProcessLease { process_id, owner, lease_ttl_ms }, true) =
            (call, matches!(answer, Err(RegistryError::UnknownProcess { .. })))
        else {
            return answer;
        };
        let mut entropy = [0; leases::TOKEN_BYTES];
        self.environment.fill_entropy(&mut entropy);
        let now_ms = self.environment.now_epoch_ms();
        Ok(Reply::Claim(ProcessLeaseClaimOutcome::Acquired(ProcessLease {
            schema_version: LEASE_SCHEMA_VERSION,
            process_id,
            owner,
            lease_token: leases::token(entropy),
            fencing_token: 1,
            claimed_at_epoch_ms: now_ms,
            expires_at_epoch_ms: now_ms + lease_ttl_ms,
        })))
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.core.durability_tier()
    }
}

/// Moves handles one by one, for as long as it goes well.
struct MovesOneByOne(Core);

#[async_trait]
impl Submit for MovesOneByOne {
    async fn submit(&self, call: Call) -> Result<Reply, RegistryError> {
        let Call::TransferHandleGrants { from_scope, to_scope, process_ids } = call else {
            return self.0.submit(call).await;
        };
        for process_id in process_ids {
            let (from_scope, to_scope) = (from_scope.clone(), to_scope.clone());
            let one = Call::TransferHandleGrants { from_scope, to_scope, process_ids: vec![process_id] };
            self.0.submit(one).await?;
        }
        Ok(Reply::Done(()))
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.0.durability_tier()
    }
}

/// Answers renewals from what they present.
struct SaysYes {
    core: Core,
    environment: Arc<dyn Environment>,
}

#[async_trait]
impl Submit for SaysYes {
    async fn submit(&self, call: Call) -> Result<Reply, RegistryError> {
        match call {
            Call::RenewProcessLease { lease, lease_ttl_ms } => {
                let expires_at_epoch_ms = self.environment.now_epoch_ms() + lease_ttl_ms;
                Ok(Reply::Lease(ProcessLease { expires_at_epoch_ms, ..lease }))
            }
            call => self.core.submit(call).await,
        }
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.core.durability_tier()
    }
}

async fn stored_lease(core: &Core, process_id: &str) -> Result<Option<ProcessLease>, RegistryError> {
    match core.submit(Call::GetProcessLease { process_id: process_id.to_owned() }).await? {
        Reply::MaybeLease(lease) => Ok(lease),
        _ => Ok(None),
    }
}

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

fn renews_on_top(
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
        return writes::admit(rules, life, authority, write, now_ms);
    }
    if record.is_terminal() && !matches!(write, ExecutionWrite::Event { .. }) {
        let process_id = record.id().to_owned();
        return Err(RegistryError::AlreadyTerminal { process_id, status: record.status.clone() });
    }
    Ok(Admission::Go)
}
