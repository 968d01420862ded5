//! The cost of a call does not grow with other rows. SQLite counts the instructions it runs and the steps of scans that
//! no index served; memory counts the rows it looks at. Neither is a clock, so both can be tested.

use std::sync::Arc;

use fencepost::Registry;
use fencepost::model::event::ProcessEventAppendRequest;
use fencepost::model::handle::{ProcessHandleDescriptor, SessionScope};
use fencepost::model::lease::{LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::*;
use fencepost::registry::calls::{Call, Reply};
use fencepost::store::{MemoryStore, SqliteOptions, SqliteStore, Store};
use fencepost::testing::manual_environment::HandEnvironment;
use serde_json::json;

fn registration(id: &str, definition: &str, disposition: RecoveryDisposition) -> ProcessRegistration {
    ProcessRegistration {
        disposition,
        identity: ProcessIdentity { kind: "job".into(), label: None, definition: Some(definition.into()) },
        ..crate::sample::job(id)
    }
}

fn claimed<S: Store>(registry: &mut Registry<S>, id: &str) -> ProcessLease {
    let owner = LeaseOwnerIdentity::opaque("ann", "1");
    match registry.apply(&Call::ClaimProcessLease { process_id: id.into(), owner, lease_ttl_ms: 1_000 }) {
        Ok(Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease))) => lease,
        other => panic!("{other:?}"),
    }
}

fn end<S: Store>(registry: &mut Registry<S>, id: &str) {
    let lease = claimed(registry, id);
    let await_output = ProcessAwaitOutput::Success { value: json!(1) };
    registry.apply(&Call::CompleteProcessWithLease { lease, await_output }).unwrap();
}

/// Half of the others are running and half have ended; each has a log.
fn crowd<S: Store>(registry: &mut Registry<S>, others: usize) {
    for number in 0..others {
        let id = format!("other-{number:05}");
        let registration = registration(&id, "common", RecoveryDisposition::Rerunnable);
        registry.apply(&Call::RegisterProcess { registration }).unwrap();
        let request = ProcessEventAppendRequest::new("signal.go", json!({}));
        registry.apply(&Call::AppendEvent { process_id: id.clone(), request }).unwrap();
        if number % 2 == 0 {
            end(registry, &id);
        }
    }
}

/// The calls whose cost must stand still, by name, with a few of their own rows in place.
fn calls<S: Store>(registry: &mut Registry<S>) -> Vec<(&'static str, Call)> {
    let scope = SessionScope::session("s");
    let descriptor = ProcessHandleDescriptor { kind: "view".into(), label: None };
    for (id, disposition) in
        [("mine", RecoveryDisposition::OwnerBound), ("mine-too", RecoveryDisposition::OwnerBound)]
    {
        let registration = registration(id, "rare", disposition);
        registry.apply(&Call::RegisterProcess { registration }).unwrap();
        let (session_scope, descriptor) = (scope.clone(), descriptor.clone());
        registry.apply(&Call::GrantHandle { session_scope, process_id: id.into(), descriptor }).unwrap();
    }
    let lease = claimed(registry, "mine");
    let wait = WaitState {
        kind: WaitKind::Signal {
            name: "go".into(),
            event_type: "signal.go".into(),
            key: "k".into(),
            ordinal: 1,
        },
        since_ms: 1,
    };
    registry.apply(&Call::SetProcessWaitWithLease { lease: lease.clone(), wait }).unwrap();
    let id = || "mine".to_owned();
    let running = ProcessListFilter::default();
    let list = |filter| Call::ListProcesses { filter };
    vec![
        ("read", Call::ReadProcess { process_id: id() }),
        ("get lease", Call::GetProcessLease { process_id: id() }),
        ("renew", Call::RenewProcessLease { lease: lease.clone(), lease_ttl_ms: 1_000 }),
        (
            "busy claim",
            Call::ClaimProcessLease {
                process_id: id(),
                owner: LeaseOwnerIdentity::opaque("bob", "1"),
                lease_ttl_ms: 1,
            },
        ),
        (
            "append",
            Call::AppendEvent {
                process_id: id(),
                request: ProcessEventAppendRequest::new("signal.go", json!({})).with_replay("k"),
            },
        ),
        ("events", Call::EventsAfter { process_id: id(), after_sequence: 0 }),
        ("wakes", Call::WakeEventsAfter { process_id: id(), after_sequence: 0 }),
        ("recent", Call::RecentEvents { process_id: id(), limit: 1 }),
        (
            "count",
            Call::CountEventsThrough { process_id: id(), event_type: "signal.go".into(), up_to_sequence: 9 },
        ),
        ("handles of a scope", Call::ListHandleGrants { session_scope: scope.clone() }),
        ("handles of a process", Call::HandleGrantsForProcess { process_id: id() }),
        ("has a handle", Call::HasHandleGrant { session_scope: scope.clone(), process_id: id() }),
        (
            "list by definition",
            list(ProcessListFilter { definition: Some("rare".into()), ..running.clone() }),
        ),
        ("delete a session", Call::DeleteSessionProcessState { session_id: "nobody's".into() }),
        ("prune nothing", Call::PruneTerminalProcesses { cutoff_epoch_ms: 1 }),
        ("a page", list(ProcessListFilter { limit: Some(2), ..running })),
        // These change what the others cost, and come last.
        (
            "register",
            Call::RegisterProcess {
                registration: registration("mine-now", "rare", RecoveryDisposition::Rerunnable),
            },
        ),
        ("delete the scope's session", Call::DeleteSessionProcessState { session_id: "s".into() }),
    ]
}

/// Lists that only SQLite serves by an index: memory looks through the running rows.
fn indexed_lists() -> Vec<(&'static str, Call)> {
    let running = ProcessListFilter::default();
    let list = |filter| Call::ListProcesses { filter };
    vec![
        ("waiting", list(ProcessListFilter { waiting: Some(true), ..running.clone() })),
        ("waiting, any", list(ProcessListFilter { waiting: Some(true), ..ProcessListFilter::any() })),
        (
            "owner-bound",
            list(ProcessListFilter { disposition: Some(RecoveryDisposition::OwnerBound), ..running }),
        ),
        (
            "owner-bound, any",
            list(ProcessListFilter {
                disposition: Some(RecoveryDisposition::OwnerBound),
                ..ProcessListFilter::any()
            }),
        ),
        (
            "failed",
            list(ProcessListFilter { status: Some(ProcessStatusKind::Failed), ..ProcessListFilter::any() }),
        ),
    ]
}

fn sqlite_costs(others: usize) -> Vec<(&'static str, u64)> {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("r.db"), SqliteOptions::default()).unwrap();
    let mut registry = Registry::new(store, Arc::new(HandEnvironment::at_epoch_ms(1_000)));
    crowd(&mut registry, others);
    let calls = calls(&mut registry);
    calls
        .into_iter()
        .chain(indexed_lists())
        .map(|(name, call)| {
            let before = registry.store().counters();
            registry.apply(&call).unwrap();
            let after = registry.store().counters();
            assert!(after.statements > before.statements);
            assert_eq!(after.full_scan_steps, before.full_scan_steps, "{name} scanned a table");
            (name, after.vm_steps - before.vm_steps)
        })
        .collect()
}

#[test]
fn no_call_on_sqlite_costs_more_for_other_rows() {
    let (few, many) = (sqlite_costs(20), sqlite_costs(1_000));
    for ((name, few), (_, many)) in few.into_iter().zip(many) {
        assert!(many <= few + few / 4, "{name}: {few} steps beside 20 others, {many} beside 1,000");
    }
}

fn memory_costs(others: usize) -> Vec<(&'static str, u64)> {
    let mut registry = Registry::new(MemoryStore::new(), Arc::new(HandEnvironment::at_epoch_ms(1_000)));
    crowd(&mut registry, others);
    let calls = calls(&mut registry);
    calls
        .into_iter()
        .map(|(name, call)| {
            let before = registry.store().rows_touched();
            registry.apply(&call).unwrap();
            (name, registry.store().rows_touched() - before)
        })
        .collect()
}

/// A process is two rows, its own and its id's, and the log of `mine` has two events by the time it is read. Two
/// processes have the rare definition and a handle in the scope.
#[test]
fn every_call_on_memory_touches_its_own_rows_beside_any_number_of_others() {
    let own = [
        ("read", 2),
        ("get lease", 2),
        ("renew", 2),
        ("busy claim", 2),
        ("append", 2 + 1),
        ("events", 2 + 2),
        ("wakes", 2 + 2),
        ("recent", 2 + 1),
        ("count", 2 + 2),
        ("handles of a scope", 2),
        ("handles of a process", 1 + 1),
        ("has a handle", 1),
        ("list by definition", 2),
        ("delete a session", 0),
        ("prune nothing", 0),
        ("a page", 2),
        // Two rows that are not there; two handles, and the rows of the two processes.
        ("register", 2),
        ("delete the scope's session", 2 + 4),
    ];
    assert_eq!(memory_costs(20), own);
    assert_eq!(memory_costs(1_000), own);
}

/// The registration may be large, and stands apart for that reason: an event is one read, and three writes: of the row,
/// of the event and of the id's highest sequence.
#[test]
fn what_happens_to_a_process_does_not_write_its_registration_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("r.db"), SqliteOptions::default()).unwrap();
    let mut registry = Registry::new(store, Arc::new(HandEnvironment::at_epoch_ms(1_000)));
    registry.apply(&Call::RegisterProcess { registration: crate::sample::job("p") }).unwrap();
    let before = registry.store().counters().statements;
    let request = ProcessEventAppendRequest::new("signal.go", json!({}));
    registry.apply(&Call::AppendEvent { process_id: "p".into(), request }).unwrap();
    assert_eq!(registry.store().counters().statements - before, 1 + 3);
}

#[test]
fn the_work_list_costs_its_own_rows_and_no_ended_ones() {
    let listed = |ended: usize| {
        let mut registry = Registry::new(MemoryStore::new(), Arc::new(HandEnvironment::at_epoch_ms(1_000)));
        for number in 0..ended {
            let id = format!("ended-{number}");
            let registration = registration(&id, "d", RecoveryDisposition::Rerunnable);
            registry.apply(&Call::RegisterProcess { registration }).unwrap();
            end(&mut registry, &id);
        }
        for number in 0..10 {
            let registration = registration(&format!("open-{number}"), "d", RecoveryDisposition::Rerunnable);
            registry.apply(&Call::RegisterProcess { registration }).unwrap();
        }
        let before = registry.store().rows_touched();
        registry.apply(&Call::ListNonTerminal {}).unwrap();
        registry.store().rows_touched() - before
    };
    assert_eq!((listed(0), listed(500)), (10, 10));
}

/// A search for one event, or a count of one type, does not read the rest of the log.
#[test]
fn keyed_appends_and_counts_on_sqlite_do_not_grow_with_their_own_log() {
    let costs = |others: usize| {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("r.db"), SqliteOptions::default()).unwrap();
        let mut registry = Registry::new(store, Arc::new(HandEnvironment::at_epoch_ms(1_000)));
        let registration = registration("p", "d", RecoveryDisposition::Rerunnable);
        registry.apply(&Call::RegisterProcess { registration }).unwrap();
        let keyed = || ProcessEventAppendRequest::new("signal.rare", json!({})).with_replay("k");
        registry.apply(&Call::AppendEvent { process_id: "p".into(), request: keyed() }).unwrap();
        for number in 0..others {
            let request =
                ProcessEventAppendRequest::new("signal.go", json!(number)).with_replay(number.to_string());
            registry.apply(&Call::AppendEvent { process_id: "p".into(), request }).unwrap();
        }
        [
            Call::AppendEvent { process_id: "p".into(), request: keyed() },
            Call::CountEventsThrough {
                process_id: "p".into(),
                event_type: "signal.rare".into(),
                up_to_sequence: u64::MAX,
            },
            Call::WakeEventsAfter { process_id: "p".into(), after_sequence: 0 },
            Call::RecentEvents { process_id: "p".into(), limit: 1 },
        ]
        .map(|call| {
            let before = registry.store().counters().vm_steps;
            registry.apply(&call).unwrap();
            registry.store().counters().vm_steps - before
        })
    };
    for (few, many) in costs(10).into_iter().zip(costs(600)) {
        assert!(many <= few + few / 4, "{few} steps beside 10 events, {many} beside 600");
    }
}

#[test]
fn lists_by_definition_and_by_disposition_do_not_grow_with_ended_rows() {
    let costs = |ended: usize| {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("r.db"), SqliteOptions::default()).unwrap();
        let mut registry = Registry::new(store, Arc::new(HandEnvironment::at_epoch_ms(1_000)));
        for number in 0..ended {
            let id = format!("ended-{number}");
            let registration = registration(&id, "d", RecoveryDisposition::Rerunnable);
            registry.apply(&Call::RegisterProcess { registration }).unwrap();
            end(&mut registry, &id);
        }
        let open = registration("open", "d", RecoveryDisposition::Rerunnable);
        registry.apply(&Call::RegisterProcess { registration: open }).unwrap();
        let running = ProcessListFilter::default();
        let page = ProcessListFilter { limit: Some(1), ..ProcessListFilter::any() };
        let disposition = Some(RecoveryDisposition::Rerunnable);
        [
            ProcessListFilter { definition: Some("d".into()), ..running.clone() },
            ProcessListFilter { disposition, ..running },
            ProcessListFilter { definition: Some("d".into()), ..page.clone() },
            ProcessListFilter { disposition, ..page },
        ]
        .map(|filter| {
            let before = registry.store().counters().vm_steps;
            registry.apply(&Call::ListProcesses { filter }).unwrap();
            registry.store().counters().vm_steps - before
        })
    };
    for (few, many) in costs(5).into_iter().zip(costs(400)) {
        assert!(many <= few + few / 4, "{few} steps beside 5 ended rows, {many} beside 400");
    }
}
