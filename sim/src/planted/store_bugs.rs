//! Bugs of the store: what it promises to keep and does not.

use std::sync::Arc;

use fencepost::RegistryError;
use fencepost::model::lease::ProcessLease;
use fencepost::model::process::ProcessListFilter;
use fencepost::model::row::Tenure;
use fencepost::store::Rows;

use crate::laws;
use crate::plan::Store;
use crate::planted::planted_bug::PlantedBug;
use crate::subject::{ChangeRows, StoreSettings, Subject};

pub const ALL: &[PlantedBug] = &[
    PlantedBug {
        name: "synchronous-normal",
        stands_for: "a claim is acknowledged before it is durable: a write-ahead log that is synced now and then",
        law: laws::that_catches("synchronous-normal"),
        subject: |subject| {
            let tuning = &["PRAGMA synchronous=NORMAL"];
            on_disk(Subject { store: StoreSettings { tuning, ..subject.store }, ..subject })
        },
    },
    PlantedBug {
        name: "answers-before-it-has-synced",
        stands_for: "a reopened store answers from a log that it has read and not synced",
        law: laws::that_catches("answers-before-it-has-synced"),
        subject: |subject| {
            let store = StoreSettings { syncs_what_it_recovered: false, ..subject.store };
            on_disk(Subject { store, ..subject })
        },
    },
    PlantedBug {
        name: "clock-read-before-the-lock",
        stands_for: "a decision reads its clock, waits for the store's lock, and judges leases by the reading from before the wait",
        law: laws::that_catches("clock-read-before-the-lock"),
        subject: |subject| {
            let store = StoreSettings { reads_clock_before_lock: true, ..subject.store };
            Subject { store, ..subject }
        },
    },
    PlantedBug {
        name: "restart-rearms-leases",
        stands_for: "a restarted registry gives every stored lease a full ttl again: it cannot know how long it was away",
        law: laws::that_catches("restart-rearms-leases"),
        subject: |subject| {
            let when_opened: Option<ChangeRows> = Some(Arc::new(rearms));
            Subject { store: StoreSettings { when_opened, ..subject.store }, ..subject }
        },
    },
];

/// A ttl from the registry's settings, because no store keeps the ttl that a caller asked for.
const CONFIGURED_TTL_MS: u64 = 3_000;

fn rearms(rows: &mut dyn Rows, now_ms: u64) -> Result<(), RegistryError> {
    for record in rows.processes(&ProcessListFilter::default())? {
        let tenure = rows.lease_row(record.id())?.tenure;
        if let Some(lease) = &tenure.lease {
            let lease = ProcessLease {
                expires_at_epoch_ms: now_ms + CONFIGURED_TTL_MS,
                ..ProcessLease::clone(lease)
            };
            rows.put_tenure(record.id(), &Tenure { lease: Some(Arc::new(lease)), ..tenure })?;
        }
    }
    Ok(())
}

fn on_disk(subject: Subject) -> Subject {
    Subject { store_needed: Store::Sqlite, ..subject }
}
