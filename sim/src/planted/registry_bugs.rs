//! Bugs of the registry: leases, fences and the writes they guard.

use std::sync::Arc;

use fencepost::model::error::RegistryError;
use fencepost::model::lease::ProcessLease;
use fencepost::model::row::HighWater;
use fencepost::rules::Rules;
use fencepost::rules::events;
use fencepost::rules::leases;
use fencepost::rules::writes::{self, Admission, ExecutionWrite, StartDecision};

use crate::laws;
use crate::planted::planted_bug::PlantedBug;
use crate::planted::wrapped_core::{CallersClock, DecidesEarly, LeasesAnything, MovesOneByOne, SaysYes};
use crate::planted::wrong_rules::{
    admits_unfenced, authorizes_by_fence, claims_at_expiry, lives_in_whole_seconds, reclaims_from_the_living,
    reclaims_from_whoever_holds, reenters_for_what_is_asked, renews_at_expiry, renews_by_name, renews_on_top,
    renews_the_expired, renews_what_is_gone,
};
use crate::subject::{Protocol, Subject};

pub const ALL: &[PlantedBug] = &[
    PlantedBug {
        name: "release-by-id-alone",
        stands_for: "a lock released by name without its token: the late release of an old holder ends a new one's lease",
        law: laws::that_catches("release-by-id-alone"),
        subject: |subject| with(subject, |rules| Rules { releases: |_, _| true, ..rules }),
    },
    PlantedBug {
        name: "fence-repeated",
        stands_for: "a new grant repeats the last fence: what stands outside cannot tell the two apart",
        law: laws::that_catches("fence-repeated"),
        subject: |subject| {
            with(subject, |rules| Rules { next_fence: |highest| Some(highest.max(1)), ..rules })
        },
    },
    PlantedBug {
        name: "fence-forgotten-by-prune",
        stands_for: "the fence is kept in the row that a prune deletes, and starts again with the next life",
        law: laws::that_catches("fence-forgotten-by-prune"),
        subject: |subject| {
            with(subject, |rules| Rules { survives_prune: |kept| HighWater { fence: 0, ..kept }, ..rules })
        },
    },
    PlantedBug {
        name: "renew-at-expiry",
        stands_for: "`expires_at >= now` in renew alone: for one millisecond an expired grant comes back",
        law: laws::that_catches("renew-at-expiry"),
        subject: |subject| with(subject, |rules| Rules { renew: renews_at_expiry, ..rules }),
    },
    PlantedBug {
        name: "claim-at-expiry",
        stands_for: "`expires_at >= now` in claim alone: for one millisecond an expired grant keeps others out",
        law: laws::that_catches("claim-at-expiry"),
        subject: |subject| with(subject, |rules| Rules { claim: claims_at_expiry, ..rules }),
    },
    PlantedBug {
        name: "renew-the-expired",
        stands_for: "a renewal accepts an expired grant as long as nobody took it",
        law: laws::that_catches("renew-the-expired"),
        subject: |subject| with(subject, |rules| Rules { renew: renews_the_expired, ..rules }),
    },
    PlantedBug {
        name: "lease-known-by-its-fence",
        stands_for: "a lease is taken for the stored one by its fence: the token, which nobody can guess, is not compared",
        law: laws::that_catches("lease-known-by-its-fence"),
        subject: |subject| with(subject, |rules| Rules { authorize: authorizes_by_fence, ..rules }),
    },
    PlantedBug {
        name: "renewal-by-the-holders-name",
        stands_for: "a renewal goes by the name of the holder: an earlier life of a worker keeps a later one's lease alive",
        law: laws::that_catches("renewal-by-the-holders-name"),
        subject: |subject| with(subject, |rules| Rules { renew: renews_by_name, ..rules }),
    },
    PlantedBug {
        name: "reentry-shortens",
        stands_for: "a claim by the present holder sets the expiry that it asks for, although the lease had longer to last",
        law: laws::that_catches("reentry-shortens"),
        subject: |subject| with(subject, |rules| Rules { claim: reenters_for_what_is_asked, ..rules }),
    },
    PlantedBug {
        name: "expiry-in-whole-seconds",
        stands_for: "a column of whole seconds: a lease is over up to a second before its expiry",
        law: laws::that_catches("expiry-in-whole-seconds"),
        subject: |subject| with(subject, |rules| Rules { is_live: lives_in_whole_seconds, ..rules }),
    },
    PlantedBug {
        name: "renewals-add-up",
        stands_for: "a renewal adds a ttl to what was left: soon a dead worker's lease outlasts everybody's patience",
        law: laws::that_catches("renewals-add-up"),
        subject: |subject| with(subject, |rules| Rules { renew: renews_on_top, ..rules }),
    },
    PlantedBug {
        name: "renew-creates",
        stands_for: "a renewal is an upsert: it makes the row it should update, so a released lease comes back",
        law: laws::that_catches("renew-creates"),
        subject: |subject| with(subject, |rules| Rules { renew: renews_what_is_gone, ..rules }),
    },
    PlantedBug {
        name: "reclaim-whoever-holds",
        stands_for: "a reclaim skips the comparison with the holder it observed, and takes a later one's lease",
        law: laws::that_catches("reclaim-whoever-holds"),
        subject: |subject| with(subject, |rules| Rules { reclaim: reclaims_from_whoever_holds, ..rules }),
    },
    PlantedBug {
        name: "reclaim-from-the-living",
        stands_for: "the registry believes a reclaimer that the holder is dead, and does not ask its own probe",
        law: laws::that_catches("reclaim-from-the-living"),
        subject: |subject| with(subject, |rules| Rules { reclaim: reclaims_from_the_living, ..rules }),
    },
    PlantedBug {
        name: "same-token",
        stands_for: "tokens are made of something that repeats, such as a constant or a coarse clock",
        law: laws::that_catches("same-token"),
        subject: |subject| with(subject, |rules| Rules { token: |_| "token".to_owned(), ..rules }),
    },
    PlantedBug {
        name: "claim-the-ended",
        stands_for: "claims of ended processes succeed",
        law: laws::that_catches("claim-the-ended"),
        subject: |subject| with(subject, |rules| Rules { admit_holder: |_, _| Ok(()), ..rules }),
    },
    PlantedBug {
        name: "claim-the-unknown",
        stands_for: "claims of unknown ids succeed: a lock table that never asks whether the work is there, or still there",
        law: laws::that_catches("claim-the-unknown"),
        subject: |subject| {
            subject
                .wrapped_by(|core, place| Arc::new(LeasesAnything { core, environment: place.environment }))
        },
    },
    PlantedBug {
        name: "renew-then-write",
        stands_for: "the protocol of the reference pages: renew as a check, then complete unfenced; the lease may pass on \
                     between the two",
        law: laws::that_catches("renew-then-write"),
        subject: |subject| Subject {
            protocol: Protocol::RenewThenWrite,
            ..with(subject, |rules| Rules { admit: admits_unfenced, ..rules })
        },
    },
    PlantedBug {
        name: "start-unchecked",
        stands_for: "the first start is recorded without a look at the lease",
        law: laws::that_catches("start-unchecked"),
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
        law: laws::that_catches("wait-unchecked"),
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
        law: laws::that_catches("events-unchecked"),
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
        law: laws::that_catches("second-terminal"),
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
        law: laws::that_catches("same-owner-is-same-incarnation"),
        subject: |subject| {
            with(subject, |rules| Rules { same_incarnation: |a, b| a.owner_id == b.owner_id, ..rules })
        },
    },
    PlantedBug {
        name: "expiry-by-the-callers-clock",
        stands_for: "a claim brings the time along that the stored expiry is compared with: whoever is fast takes live leases",
        law: laws::that_catches("expiry-by-the-callers-clock"),
        subject: |subject| {
            subject.wrapped_by(|core, place| {
                Arc::new(CallersClock { core, callers_clock_ms: place.callers_clock_ms })
            })
        },
    },
    PlantedBug {
        name: "claim-decided-before-a-wait",
        stands_for: "a claim looks, waits, and writes without looking again: authority checked in one transaction, used in the next",
        law: laws::that_catches("claim-decided-before-a-wait"),
        subject: |subject| {
            subject.wrapped_by(|core, place| Arc::new(DecidesEarly { core, environment: place.environment }))
        },
    },
    PlantedBug {
        name: "completion-forgotten",
        stands_for: "the retry of an applied completion is a stranger's: its owner hears that the process has ended already",
        law: laws::that_catches("completion-forgotten"),
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
        law: laws::that_catches("half-a-transfer"),
        subject: |subject| subject.wrapped_by(|core, _| Arc::new(MovesOneByOne(core))),
    },
    PlantedBug {
        name: "already-yours-by-incarnation",
        stands_for: "a start is called one's own when the incarnation is the same, though it was made under another grant",
        law: laws::that_catches("already-yours-by-incarnation"),
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
        law: laws::that_catches("expired-too-early"),
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
        law: laws::that_catches("nobody-holds-so-anybody-may"),
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
        law: laws::that_catches("sequence-with-holes"),
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
        law: laws::that_catches("replay-appends-again"),
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
        law: laws::that_catches("renewal-that-renews-nothing"),
        subject: |subject| {
            subject.wrapped_by(|core, place| Arc::new(SaysYes { core, environment: place.environment }))
        },
    },
    PlantedBug {
        name: "last-start-wins",
        stands_for: "the first-start marker is overwritten by a revenant",
        law: laws::that_catches("last-start-wins"),
        subject: |subject| {
            with(subject, |rules| Rules { first_start: |_, _| StartDecision::Record, ..rules })
        },
    },
];

fn with(subject: Subject, change: fn(Rules) -> Rules) -> Subject {
    Subject { rules: change(subject.rules), ..subject }
}
