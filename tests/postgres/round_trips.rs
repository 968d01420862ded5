//! How often a call waits for the server: once if it reads, twice if it may write, three times if it is about many
//! processes that must be found first. The rows it reads are foreseen; a call that asks for others would cost more.

use fencepost::model::event::ProcessEventAppendRequest;
use fencepost::model::handle::{ProcessHandleDescriptor, SessionScope};
use fencepost::model::lease::LeaseOwnerIdentity;
use fencepost::model::process::*;
use fencepost::registry::calls::Call;
use fencepost::testing::manual_environment::HandEnvironment;
use fencepost::{Registry, store::PostgresStore};
use serde_json::json;

use crate::calls::{claim, claim_call, complete, job, progress, register, release};

fn trips(registry: &mut Registry<PostgresStore>, call: &Call) -> u64 {
    // Once beforehand, for what is made ready at its first use; a refusal costs as much as an answer.
    drop(registry.apply(call));
    let before = registry.store().counters().round_trips;
    drop(registry.apply(call));
    registry.store().counters().round_trips - before
}

fn writes(registry: &mut Registry<PostgresStore>) -> Vec<Call> {
    for id in ["p", "q", "ended"] {
        register(registry, id);
    }
    let ended = claim(registry, "ended", "ann", 60_000);
    registry.apply(&complete(&ended, json!(1))).unwrap();
    let lease = claim(registry, "p", "ann", 60_000);
    let (scope, id) = (SessionScope::session("s"), || "p".to_owned());
    let wait = WaitState {
        kind: WaitKind::Signal {
            name: "go".into(),
            event_type: "signal.go".into(),
            key: "k".into(),
            ordinal: 1,
        },
        since_ms: 1,
    };
    let started = ProcessStarted { owner: lease.owner.clone(), started_at_ms: 1 };
    let request = |name: &str| ProcessEventAppendRequest::new(name, json!({}));
    let descriptor = ProcessHandleDescriptor { kind: "view".into(), label: None };
    let abandon = AbandonRequest { requested_by: "host".into(), requested_at_ms: 1, reason: None };
    let external_ref = ProcessExternalRef { backend: "b".into(), id: "i".into(), metadata: json!({}) };
    vec![
        Call::RegisterProcess { registration: job("p") },
        Call::RegisterProcess { registration: job("new") },
        Call::SetExternalRef { process_id: id(), external_ref },
        Call::GrantHandle { session_scope: scope.clone(), process_id: id(), descriptor },
        Call::TransferHandleGrants {
            from_scope: scope.clone(),
            to_scope: scope.clone(),
            process_ids: vec![id(), "q".into()],
        },
        Call::RevokeHandle { session_scope: scope, process_id: "q".into() },
        Call::RecordFirstStartedWithLease { lease: lease.clone(), started },
        Call::SetProcessWaitWithLease { lease: lease.clone(), wait },
        Call::ClearProcessWaitWithLease { lease: lease.clone() },
        Call::RenewProcessLease { lease: lease.clone(), lease_ttl_ms: 60_000 },
        claim_call("p", "bob", 60_000),
        Call::ReclaimProcessLease {
            process_id: id(),
            owner: LeaseOwnerIdentity::opaque("bob", "1"),
            observed_holder: lease.clone(),
            lease_ttl_ms: 60_000,
        },
        progress(&lease, json!(1)),
        Call::AppendEvent { process_id: id(), request: request("signal.go").with_replay("k") },
        Call::AckWake { process_id: id(), sequence: 1 },
        Call::RequestProcessAbandon { process_id: id(), request: abandon },
        complete(&lease, json!(1)),
        release(&lease),
    ]
}

fn reads() -> Vec<Call> {
    let (scope, process_id) = (SessionScope::session("s"), || "p".to_owned());
    vec![
        Call::ReadProcess { process_id: process_id() },
        Call::GetProcessLease { process_id: process_id() },
        Call::ListNonTerminal {},
        Call::ListProcesses { filter: ProcessListFilter { limit: Some(1), ..ProcessListFilter::any() } },
        Call::ListHandleGrants { session_scope: scope.clone() },
        Call::HasHandleGrant { session_scope: scope, process_id: process_id() },
        Call::HandleGrantsForProcess { process_id: process_id() },
        Call::EventsAfter { process_id: process_id(), after_sequence: 0 },
        Call::WakeEventsAfter { process_id: process_id(), after_sequence: 0 },
        Call::RecentEvents { process_id: process_id(), limit: 1 },
        Call::CountEventsThrough {
            process_id: process_id(),
            event_type: "progress".into(),
            up_to_sequence: 9,
        },
    ]
}

#[test]
fn a_call_that_may_write_is_two_round_trips_and_one_that_reads_is_one() {
    let Some(server) = crate::server() else { return };
    let environment = HandEnvironment::at_epoch_ms(1_000);
    let mut registry = crate::registry_by_hand(server, &crate::new_schema(), &environment);
    for call in writes(&mut registry) {
        assert_eq!(trips(&mut registry, &call), 2, "{}", call.method());
    }
    for call in reads() {
        assert_eq!(trips(&mut registry, &call), 1, "{}", call.method());
    }
}

#[test]
fn a_prune_is_three_round_trips_however_much_it_takes() {
    let Some(server) = crate::server() else { return };
    let environment = HandEnvironment::at_epoch_ms(1_000);
    let mut registry = crate::registry_by_hand(server, &crate::new_schema(), &environment);
    let prune = Call::PruneTerminalProcesses { cutoff_epoch_ms: u64::MAX };
    assert_eq!(trips(&mut registry, &prune), 3);
    for number in 0..40 {
        let id = format!("p{number:02}");
        register(&mut registry, &id);
        let lease = claim(&mut registry, &id, "ann", 1_000);
        registry.apply(&progress(&lease, json!(number))).unwrap();
        registry.apply(&complete(&lease, json!(number))).unwrap();
    }
    let before = registry.store().counters().round_trips;
    let pruned = registry.apply(&prune).unwrap();
    let report = ProcessPruneReport { pruned_processes: 40, pruned_events: 80 };
    assert_eq!(pruned, fencepost::registry::calls::Reply::Pruned(report));
    // One more, for the statements that are made ready at the first prune that takes something.
    assert_eq!(registry.store().counters().round_trips - before, 4);
    // The ids go on where they stood.
    register(&mut registry, "p00");
    let lease = claim(&mut registry, "p00", "ann", 1_000);
    assert_eq!(lease.fencing_token, 2);
    registry.apply(&complete(&lease, json!(0))).unwrap();
    let again = registry.apply(&prune).unwrap();
    let report = ProcessPruneReport { pruned_processes: 1, pruned_events: 1 };
    assert_eq!(again, fencepost::registry::calls::Reply::Pruned(report));
}

/// The deletion of a session looks at each of its processes after it has written, so it costs two more for each.
#[test]
fn deleting_a_session_costs_a_few_round_trips_for_each_of_its_processes_and_none_for_others() {
    let Some(server) = crate::server() else { return };
    let environment = HandEnvironment::at_epoch_ms(1_000);
    let mut registry = crate::registry_by_hand(server, &crate::new_schema(), &environment);
    let delete = |session: &str| Call::DeleteSessionProcessState { session_id: session.into() };
    for number in 0..10 {
        let id = format!("p{number}");
        register(&mut registry, &id);
        let descriptor = ProcessHandleDescriptor { kind: "view".into(), label: None };
        let session_scope = SessionScope::session("s");
        registry.apply(&Call::GrantHandle { session_scope, process_id: id, descriptor }).unwrap();
    }
    assert_eq!(trips(&mut registry, &delete("another's")), 3);
    let before = registry.store().counters().round_trips;
    registry.apply(&delete("s")).unwrap();
    let cost = registry.store().counters().round_trips - before;
    assert!(cost <= 2 + 2 * 10 + 4, "{cost} round trips for ten processes");
}

#[test]
fn a_refused_call_and_one_that_changes_nothing_commit_nothing() {
    let Some(server) = crate::server() else { return };
    let environment = HandEnvironment::at_epoch_ms(1_000);
    let mut registry = crate::registry_by_hand(server, &crate::new_schema(), &environment);
    register(&mut registry, "p");
    let lease = claim(&mut registry, "p", "ann", 1_000);
    let before = registry.store().counters().commits;
    registry.apply(&claim_call("p", "bob", 1_000)).unwrap();
    registry.apply(&claim_call("unknown", "bob", 1_000)).unwrap_err();
    registry.apply(&Call::RegisterProcess { registration: job("p") }).unwrap();
    environment.set_wall(5_000);
    registry.apply(&progress(&lease, json!(1))).unwrap_err();
    assert_eq!(registry.store().counters().commits, before);
}
