//! Planted bugs: the true system with one value replaced, a few lines each. They prove that the alarm rings; the system
//! itself knows nothing of them.

use fencepost::error::RegistryError;
use fencepost::lease::ProcessLease;
use fencepost::row::{Life, Tenure};
use fencepost::rules::attempt::{AttemptRules, Renewal};
use fencepost::rules::lifecycle::{Admission, Authority, ExecutionWrite};
use fencepost::rules::{Rules, attempt, leases, lifecycle};

use crate::subject::{Protocol, Subject};

/// One planted bug.
pub struct Sabotage {
    pub name: &'static str,
    /// The real bug it stands for.
    pub stands_for: &'static str,
    /// The law that must catch it.
    pub law: &'static str,
    subject: fn(Subject) -> Subject,
}

impl Sabotage {
    pub fn subject(&self) -> Subject {
        Subject { name: self.name, ..(self.subject)(Subject::fencepost()) }
    }
}

pub const ALL: &[Sabotage] = &[
    Sabotage {
        name: "release-by-id-alone",
        stands_for: "a lock released by name without its token: the late release of an old holder ends a new one's lease",
        law: "one-live-grant",
        subject: |subject| Subject { rules: Rules { releases: |_, _| true, ..subject.rules }, ..subject },
    },
    Sabotage {
        name: "renew-at-expiry",
        stands_for: "`expires_at >= now` in renew alone: for one millisecond an expired grant comes back",
        law: "stale-writer-refused",
        subject: |subject| Subject { rules: Rules { renew: renews_at_expiry, ..subject.rules }, ..subject },
    },
    Sabotage {
        name: "effects-after-loss",
        stands_for: "a worker whose body is not stopped when its lease is lost",
        law: "lost-means-silent",
        subject: |subject| Subject {
            attempt_rules: AttemptRules {
                may_act: |_, _, _| true,
                after_renewal: |answer, held, timings| match attempt::after_renewal(answer, held, timings) {
                    Renewal::Lost => Renewal::NotBelieved { next_in_ms: timings.renew_interval_ms() },
                    other => other,
                },
                ..subject.attempt_rules
            },
            ..subject
        },
    },
    Sabotage {
        name: "renew-then-write",
        stands_for: "the protocol of the reference pages: renew as a check, then complete unfenced; the lease may pass on \
                     between the two",
        law: "stale-writer-refused",
        subject: |subject| Subject {
            rules: Rules { admit: admits_unfenced, ..subject.rules },
            protocol: Protocol::RenewThenWrite,
            ..subject
        },
    },
];

pub fn by_name(name: &str) -> Option<&'static Sabotage> {
    ALL.iter().find(|sabotage| sabotage.name == name)
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
