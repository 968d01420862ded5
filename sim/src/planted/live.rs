//! Bugs for a real system: those of the catalogue that make sense there, and some that are more than rules. Clocks of the
//! processes of a live run differ where a bug is about clocks.

use std::sync::atomic::{AtomicI64, Ordering};

use fencepost::RegistryError;
use fencepost::rules::Rules;
use fencepost::rules::leases::{self, Claim, ClaimDecision};
use serde::{Deserialize, Serialize};

use crate::planted;
use crate::planted::wrong_rules::{admits_unfenced, authorizes_the_expired};
use crate::subject::Subject;

/// A bug that is more than rules: the processes of a live run carry it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LiveDefect {
    /// Workers complete by id alone.
    UnfencedCompletion,
    /// The clock of the process decides, and not the store's.
    ApplicationClock,
    /// A claim is decided on rows that were read before the lock.
    ClaimBeforeTheLock,
}

/// One bug that can be planted in a live run.
pub struct LiveBug {
    pub name: &'static str,
    pub stands_for: &'static str,
    /// The laws that can catch it: which one does depends on what goes wrong first.
    pub laws: &'static [&'static str],
    pub defect: Option<LiveDefect>,
    /// The wall clocks of its processes are apart.
    pub needs_skewed_clocks: bool,
    /// The planted bug of the catalogue that comes nearest to it in a simulated world.
    pub simulated: &'static str,
    rules: fn(Subject) -> Subject,
}

pub const ALL: &[LiveBug] = &[
    LiveBug {
        name: "unfenced-completion",
        stands_for: "a worker completes by id alone: whoever holds the lease by then is not asked",
        laws: &["stale-writer-refused", "outcomes-are-not-dropped"],
        defect: Some(LiveDefect::UnfencedCompletion),
        needs_skewed_clocks: false,
        simulated: "renew-then-write",
        rules: |subject| with(subject, |rules| Rules { admit: admits_unfenced, ..rules }),
    },
    LiveBug {
        name: "no-check-of-expiry",
        stands_for: "a write is checked against the stored grant, and not against its expiry",
        laws: &["stale-writer-refused", "expiry-is-exact"],
        defect: None,
        needs_skewed_clocks: false,
        simulated: "renew-the-expired",
        rules: |subject| with(subject, |rules| Rules { authorize: authorizes_the_expired, ..rules }),
    },
    LiveBug {
        name: "expiry-by-the-workers-clock",
        stands_for: "a claim compares the stored expiry with the clock of whoever claims: who is fast takes live leases",
        laws: &["one-live-grant", "expiry-is-exact", "leases-last-as-asked"],
        defect: None,
        needs_skewed_clocks: true,
        simulated: "expiry-by-the-callers-clock",
        rules: |subject| with(subject, |rules| Rules { claim: claims_by_own_clock, ..rules }),
    },
    LiveBug {
        name: "release-without-a-token",
        stands_for: "a release goes by the process's id: the late release of an old holder ends a new one's lease",
        laws: &["release-frees-own"],
        defect: None,
        needs_skewed_clocks: false,
        simulated: "release-by-id-alone",
        rules: |subject| from_catalogue(subject, "release-by-id-alone"),
    },
    LiveBug {
        name: "renewals-end-at-one-error",
        stands_for: "a renewal loop that dies on the first error while the body runs on",
        laws: &["lost-means-silent"],
        defect: None,
        needs_skewed_clocks: false,
        simulated: "renewals-end-at-one-error",
        rules: |subject| from_catalogue(subject, "renewals-end-at-one-error"),
    },
    LiveBug {
        name: "application-clock",
        stands_for: "leases are decided by the clock of the process that calls, and not by the store's",
        laws: &["leases-last-as-asked", "one-live-grant", "expiry-is-exact"],
        defect: Some(LiveDefect::ApplicationClock),
        needs_skewed_clocks: true,
        simulated: "expiry-by-the-callers-clock",
        rules: |subject| subject,
    },
    LiveBug {
        name: "claim-before-the-lock",
        stands_for: "a claim reads, takes the lock, and believes what it had read before",
        laws: &["one-live-grant", "fences-only-grow", "expiry-is-exact"],
        defect: Some(LiveDefect::ClaimBeforeTheLock),
        needs_skewed_clocks: false,
        simulated: "claim-decided-before-a-wait",
        rules: |subject| subject,
    },
];

pub fn by_name(name: &str) -> Option<&'static LiveBug> {
    ALL.iter().find(|bug| bug.name == name)
}

/// How far the clock of whoever claims is ahead of the store's: the rules are functions, so it is the whole process's.
static CLAIMERS_SKEW_MS: AtomicI64 = AtomicI64::new(0);

/// The true system, or with the bug of this name, in a process whose wall clock is so far ahead.
pub fn plant(name: Option<&str>, wall_skew_ms: i64) -> (Subject, Option<LiveDefect>) {
    CLAIMERS_SKEW_MS.store(wall_skew_ms, Ordering::Relaxed);
    let subject = Subject::fencepost();
    match name.and_then(by_name) {
        None => (subject, None),
        Some(bug) => (Subject { name: bug.name, ..(bug.rules)(subject) }, bug.defect),
    }
}

fn with(subject: Subject, change: fn(Rules) -> Rules) -> Subject {
    Subject { rules: change(subject.rules), ..subject }
}

fn from_catalogue(subject: Subject, name: &str) -> Subject {
    planted::by_name(name).map_or(subject, planted::PlantedBug::subject)
}

fn claims_by_own_clock(rules: &Rules, claim: &Claim<'_>) -> Result<ClaimDecision, RegistryError> {
    let now_ms = claim.now_ms.saturating_add_signed(CLAIMERS_SKEW_MS.load(Ordering::Relaxed));
    leases::claim(rules, &Claim { now_ms, ..*claim })
}
