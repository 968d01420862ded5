//! Controls: values that are no bugs and must survive, whatever they look like; one that is the true system's own and must
//! not be seen at all; and one that nobody can miss.

use fencepost::rules::Rules;
use fencepost::rules::leases;
use fencepost::rules::worker::WorkerRules;

use crate::laws::fences_only_grow::FencesOnlyGrow;
use crate::laws::law::Law;
use crate::laws::lost_means_silent::LostMeansSilent;
use crate::laws::one_live_grant::OneLiveGrant;
use crate::laws::stale_writer_refused::StaleWriterRefused;
use crate::laws::tokens_are_drawn::TokensAreDrawn;
use crate::planted::planted_bug::{ExpectedEnd, PlantedBug};
use crate::subject::Subject;

pub const ALL: &[(PlantedBug, ExpectedEnd)] = &[
    (
        PlantedBug {
            name: "control-capital-tokens",
            stands_for: "nothing: tokens are as drawn, and look different",
            law: TokensAreDrawn::CARD.name,
            subject: |subject| {
                rules(subject, |rules| Rules { token: |bytes| leases::token(bytes).to_uppercase(), ..rules })
            },
        },
        ExpectedEnd::Survives,
    ),
    (
        PlantedBug {
            name: "control-fences-by-twos",
            stands_for: "nothing: fences grow, and not by one",
            law: FencesOnlyGrow::CARD.name,
            subject: |subject| {
                rules(subject, |rules| Rules { next_fence: |highest| highest.checked_add(2), ..rules })
            },
        },
        ExpectedEnd::Survives,
    ),
    (
        PlantedBug {
            name: "control-eager-renewals",
            stands_for: "nothing: a worker that renews sooner than it must",
            law: LostMeansSilent::CARD.name,
            subject: |subject| {
                let first_renewal_in_ms = |timings: &fencepost::model::lease_timings::LeaseTimings| {
                    timings.renew_interval_ms() / 2 + 1
                };
                let attempt_rules = WorkerRules { first_renewal_in_ms, ..subject.attempt_rules };
                Subject { attempt_rules, ..subject }
            },
        },
        ExpectedEnd::Survives,
    ),
    (
        PlantedBug {
            name: "control-the-same-value",
            stands_for: "nothing: a value replaced by itself",
            law: StaleWriterRefused::CARD.name,
            subject: |subject| rules(subject, |rules| Rules { renew: leases::renew, ..rules }),
        },
        ExpectedEnd::IsInert,
    ),
    (
        PlantedBug {
            name: "control-everything-is-free",
            stands_for: "a registry that holds no lease at all: whoever claims is granted",
            law: OneLiveGrant::CARD.name,
            subject: |subject| {
                rules(subject, |rules| Rules {
                    claim: |_, claim| new_grant(claim.tenure.highest_fence),
                    ..rules
                })
            },
        },
        ExpectedEnd::DiesAtOnce,
    ),
];

fn new_grant(highest: u64) -> Result<leases::ClaimDecision, fencepost::RegistryError> {
    Ok(leases::ClaimDecision::NewGrant { fence: highest.saturating_add(1) })
}

fn rules(subject: Subject, change: fn(Rules) -> Rules) -> Subject {
    Subject { rules: change(subject.rules), ..subject }
}
