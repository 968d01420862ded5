//! SQLite on the simulated disk: thousands of crashes of the machine and of the process, at any of its disk calls. What was
//! acknowledged must be there. With less care than the store takes, it is not, and the law says so.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use fencepost::environment::{BoxFuture, Environment};
use fencepost::model::lease::LeaseOwnerIdentity;
use fencepost::model::process::{
    ProcessIdentity, ProcessInput, ProcessOriginator, ProcessProvenance, ProcessRegistration,
    RecoveryDisposition,
};
use fencepost::registry::calls::{Call, Reply};
use fencepost::store::{SqliteOptions, SqliteStore};
use fencepost::{Registry, RegistryError};
use fencepost_sim::disk;
use fencepost_sim::disk::{Crash, Disk};
use fencepost_sim::generate::generate;
use fencepost_sim::judge::judge;
use fencepost_sim::plan::Store;
use fencepost_sim::plan::chance::{Purpose, Seed, below};
use fencepost_sim::planted;
use serde_json::json;

/// Surroundings of a registry that asks only for the time.
struct Still;

impl Environment for Still {
    fn now_epoch_ms(&self) -> u64 {
        1
    }
    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
    fn spawn(&self, _: BoxFuture<'static, ()>) {}
    fn fill_entropy(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
    fn is_definitely_dead(&self, _: &LeaseOwnerIdentity) -> bool {
        false
    }
}

fn open(tuning: &[&str]) -> Result<Registry<SqliteStore>, RegistryError> {
    let tuning = tuning.iter().map(|statement| (*statement).to_owned()).collect();
    let options = SqliteOptions { vfs: Some(disk::VFS.to_owned()), tuning, ..SqliteOptions::default() };
    let store = SqliteStore::open("/registry.db", options)?;
    Ok(Registry::new(store, Arc::new(Still)))
}

fn registration(number: u64) -> ProcessRegistration {
    ProcessRegistration {
        id: format!("p{number}"),
        input: ProcessInput::Engine { kind: "none".into(), payload: json!(number) },
        disposition: RecoveryDisposition::Rerunnable,
        identity: ProcessIdentity { kind: "job".into(), label: None, definition: None },
        event_types: Vec::new(),
        provenance: ProcessProvenance { originator: ProcessOriginator::Host, caused_by: None },
        wake_target: None,
    }
}

fn ids(registry: &mut Registry<SqliteStore>) -> BTreeSet<String> {
    match registry.apply(&Call::ListNonTerminal {}) {
        Ok(Reply::Records(records)) => records.into_iter().map(|record| record.id().to_owned()).collect(),
        other => panic!("a sound disk shows its rows: {other:?}"),
    }
}

/// How many of so many crashes of a kind lost something that was acknowledged or shown.
fn crashes_that_lose(count: u64, of: Crash, tuning: &[&str], syncs_when_opened: bool) -> u64 {
    let mut losses = 0;
    for seed in 0..count {
        disk::insert(Disk::new(Seed(seed)));
        let draw = |what: u64, end: u64| below(Seed(seed).draw(Purpose::Guard, [what, 0]), end);
        let mut acknowledged = BTreeSet::new();
        let mut number = 0;
        let writes = |registry: &mut Registry<SqliteStore>,
                      number: &mut u64,
                      acknowledged: &mut BTreeSet<String>,
                      most: u64| {
            for _ in 0..most {
                *number += 1;
                let registration = registration(*number);
                let id = registration.id.clone();
                match registry.apply(&Call::RegisterProcess { registration }) {
                    Ok(_) => drop(acknowledged.insert(id)),
                    Err(_) => return,
                }
            }
        };
        let mut registry = open(tuning).unwrap();
        // First the process dies in the middle of a commit, so that there is something to recover; then the crash.
        disk::with(|disk| disk.die_in(draw(1, 20), Crash::Process));
        writes(&mut registry, &mut number, &mut acknowledged, 8);
        disk::with(|disk| disk.crash(Crash::Process));
        drop(registry);
        disk::with(|disk| disk.opens_without_sync = !syncs_when_opened);
        let mut registry = open(tuning).unwrap();
        disk::with(|disk| disk.opens_without_sync = false);
        acknowledged.extend(ids(&mut registry));
        disk::with(|disk| disk.die_in(draw(2, 80), of));
        writes(&mut registry, &mut number, &mut acknowledged, draw(3, 4));
        disk::with(|disk| disk.crash(of));
        drop(registry);
        let found = ids(&mut open(tuning).unwrap());
        losses += u64::from(!acknowledged.is_subset(&found));
    }
    losses
}

#[test]
fn full_syncs_lose_nothing_over_two_thousand_crashes_of_either_kind() {
    assert_eq!(crashes_that_lose(2_000, Crash::Machine, &[], true), 0);
    assert_eq!(crashes_that_lose(2_000, Crash::Process, &[], true), 0);
}

#[test]
fn normal_syncs_lose_what_was_acknowledged_when_the_machine_dies_and_only_then() {
    let normal = ["PRAGMA synchronous=NORMAL"];
    let losses = crashes_that_lose(300, Crash::Machine, &normal, true);
    assert!(losses > 50, "{losses} of 300");
    assert_eq!(crashes_that_lose(300, Crash::Process, &normal, true), 0);
}

#[test]
fn a_store_that_answers_before_it_has_synced_what_it_recovered_loses_it() {
    let losses = crashes_that_lose(1_000, Crash::Machine, &[], false);
    assert!(losses > 10, "{losses} of 1000");
}

#[test]
fn the_law_of_durability_catches_both_in_a_run() {
    for name in ["synchronous-normal", "answers-before-it-has-synced"] {
        let sabotage = planted::by_name(name).expect("it is planted");
        let subject = sabotage.subject();
        let caught = (0..400).find(|seed| {
            judge(&Arc::new(generate(Seed(*seed), Store::Sqlite)), &subject).breaks("acknowledged-survives")
        });
        assert!(caught.is_some(), "{name}");
    }
}
