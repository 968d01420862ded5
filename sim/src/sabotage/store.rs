//! Bugs of the store: what it promises to keep and does not.

use super::Sabotage;
use crate::plan::Store;
use crate::subject::{StoreHabits, Subject};

pub const ALL: &[Sabotage] = &[
    Sabotage {
        name: "synchronous-normal",
        stands_for: "a claim is acknowledged before it is durable: a write-ahead log that is synced now and then",
        law: "acknowledged-survives",
        subject: |subject| {
            let tuning = &["PRAGMA synchronous=NORMAL"];
            on_disk(Subject { store: StoreHabits { tuning, ..subject.store }, ..subject })
        },
    },
    Sabotage {
        name: "answers-before-it-has-synced",
        stands_for: "a reopened store answers from a log that it has read and not synced",
        law: "acknowledged-survives",
        subject: |subject| {
            let store = StoreHabits { syncs_what_it_recovered: false, ..subject.store };
            on_disk(Subject { store, ..subject })
        },
    },
];

fn on_disk(subject: Subject) -> Subject {
    Subject { store_needed: Store::Sqlite, ..subject }
}
