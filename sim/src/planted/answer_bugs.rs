//! Bugs of answers that no lease is about: reads, lists, logs, wakes, handles, references, waits, prunes, sessions.

use std::sync::{Arc, Mutex};

use fencepost::model::row::HighWater;
use fencepost::rules::Rules;

use crate::laws;
use crate::planted::planted_bug::PlantedBug;
use crate::planted::wrong_answers::{self, ShowsEndersLeases, Spoils};
use crate::subject::{Core, RegistryPlace, Subject};

pub const ALL: &[PlantedBug] = &[
    PlantedBug {
        name: "read-without-the-wait",
        stands_for: "a read joins the wait from a table that nobody writes any more",
        law: laws::that_catches("read-without-the-wait"),
        subject: |subject| {
            spoiled(subject, |core, _| {
                Arc::new(Spoils {
                    core,
                    call: wrong_answers::as_it_is,
                    reply: wrong_answers::without_the_wait,
                })
            })
        },
    },
    PlantedBug {
        name: "lease-outlives-the-end",
        stands_for: "an end that leaves its lease stored: a reader finds a holder of a process that is over",
        law: laws::that_catches("lease-outlives-the-end"),
        subject: |subject| {
            spoiled(subject, |core, _| Arc::new(ShowsEndersLeases { core, enders: Mutex::default() }))
        },
    },
    PlantedBug {
        name: "rows-behind-a-limit",
        stands_for: "the list of work is cut to its first page: rows behind it starve as long as those before it do not end",
        law: laws::that_catches("rows-behind-a-limit"),
        subject: |subject| {
            spoiled(subject, |core, _| {
                Arc::new(Spoils {
                    core,
                    call: wrong_answers::as_it_is,
                    reply: wrong_answers::first_page_of_work,
                })
            })
        },
    },
    PlantedBug {
        name: "limit-before-the-filter",
        stands_for: "a list that is cut to its limit before it is filtered: what is behind the first page is never found",
        law: laws::that_catches("limit-before-the-filter"),
        subject: |subject| {
            spoiled(subject, |core, _| {
                Arc::new(Spoils {
                    core,
                    call: wrong_answers::page_of_all,
                    reply: wrong_answers::filtered_afterwards,
                })
            })
        },
    },
    PlantedBug {
        name: "cursor-in-a-signed-column",
        stands_for: "the greatest cursor wraps to the least: a reader at the end of the log is shown all of it",
        law: laws::that_catches("cursor-in-a-signed-column"),
        subject: |subject| {
            spoiled(subject, |core, _| {
                Arc::new(Spoils { core, call: wrong_answers::signed_cursor, reply: wrong_answers::unchanged })
            })
        },
    },
    PlantedBug {
        name: "count-below-its-bound",
        stands_for: "a count that leaves out the event at its bound",
        law: laws::that_catches("count-below-its-bound"),
        subject: |subject| {
            spoiled(subject, |core, _| {
                Arc::new(Spoils { core, call: wrong_answers::counted_below, reply: wrong_answers::unchanged })
            })
        },
    },
    PlantedBug {
        name: "recent-from-the-front",
        stands_for: "the first events of a log in place of the last ones: a limit without its order",
        law: laws::that_catches("recent-from-the-front"),
        subject: |subject| {
            spoiled(subject, |core, _| {
                Arc::new(Spoils {
                    core,
                    call: wrong_answers::all_events,
                    reply: wrong_answers::the_first_of_them,
                })
            })
        },
    },
    PlantedBug {
        name: "acks-forgotten",
        stands_for: "acks are taken and not looked at: every wake is delivered for ever",
        law: laws::that_catches("acks-forgotten"),
        subject: |subject| {
            spoiled(subject, |core, _| {
                Arc::new(Spoils {
                    core,
                    call: wrong_answers::wakes_with_the_acked,
                    reply: wrong_answers::events_that_wake,
                })
            })
        },
    },
    PlantedBug {
        name: "live-handles-of-the-ended",
        stands_for: "handles on ended processes are listed as live ones",
        law: laws::that_catches("live-handles-of-the-ended"),
        subject: |subject| {
            spoiled(subject, |core, _| {
                Arc::new(Spoils {
                    core,
                    call: wrong_answers::handles_of_all,
                    reply: wrong_answers::unchanged,
                })
            })
        },
    },
    PlantedBug {
        name: "frame-taken-for-its-session",
        stands_for: "scopes are compared by their session alone: a frame revokes the handle of its session",
        law: laws::that_catches("frame-taken-for-its-session"),
        subject: |subject| {
            spoiled(subject, |core, _| {
                Arc::new(Spoils {
                    core,
                    call: wrong_answers::without_the_frame,
                    reply: wrong_answers::unchanged,
                })
            })
        },
    },
    PlantedBug {
        name: "reference-replaced",
        stands_for: "a second external reference takes the place of the first, and the work that it stood for is lost",
        law: laws::that_catches("reference-replaced"),
        subject: |subject| with(subject, |rules| Rules { set_external_ref: |_, _| Ok(true), ..rules }),
    },
    PlantedBug {
        name: "wait-written-again",
        stands_for: "the same wait again is a change: the log tells of two waits where there was one",
        law: laws::that_catches("wait-written-again"),
        subject: |subject| {
            with(subject, |rules| Rules {
                wait_changes: |record, wanted| record.wait.is_some() || wanted.is_some(),
                ..rules
            })
        },
    },
    PlantedBug {
        name: "registration-by-id-alone",
        stands_for: "a registration with other content is answered with the stored one, as if it were a retry",
        law: laws::that_catches("registration-by-id-alone"),
        subject: |subject| {
            with(subject, |rules| Rules { register: |stored, _, _| Ok(stored.is_none()), ..rules })
        },
    },
    PlantedBug {
        name: "prune-of-all-prunes-nothing",
        stands_for: "a cutoff at the end of time is converted to a signed one, and is before everything",
        law: laws::that_catches("prune-of-all-prunes-nothing"),
        subject: |subject| {
            with(subject, |rules| Rules {
                prune_through: |cutoff_ms| i64::try_from(cutoff_ms).ok()?.checked_sub(1)?.try_into().ok(),
                ..rules
            })
        },
    },
    PlantedBug {
        name: "prune-counts-no-events",
        stands_for: "a prune that reports the processes and forgets their events",
        law: laws::that_catches("prune-counts-no-events"),
        subject: |subject| {
            spoiled(subject, |core, _| {
                Arc::new(Spoils {
                    core,
                    call: wrong_answers::as_it_is,
                    reply: wrong_answers::no_events_pruned,
                })
            })
        },
    },
    PlantedBug {
        name: "sequence-forgotten-by-prune",
        stands_for: "a later life begins again at event 1: a reader behind a cursor of the earlier one misses it",
        law: laws::that_catches("sequence-forgotten-by-prune"),
        subject: |subject| {
            with(subject, |rules| Rules { survives_prune: |kept| HighWater { sequence: 0, ..kept }, ..rules })
        },
    },
    PlantedBug {
        name: "session-counts-no-wakes",
        stands_for: "a deletion of a session that does not say which wakes it took away",
        law: laws::that_catches("session-counts-no-wakes"),
        subject: |subject| {
            spoiled(subject, |core, _| {
                Arc::new(Spoils {
                    core,
                    call: wrong_answers::as_it_is,
                    reply: wrong_answers::no_wakes_cleared,
                })
            })
        },
    },
];

fn spoiled(subject: Subject, wrap: fn(Core, RegistryPlace) -> Core) -> Subject {
    subject.wrapped_by(wrap)
}

fn with(subject: Subject, change: fn(Rules) -> Rules) -> Subject {
    Subject { rules: change(subject.rules), ..subject }
}
