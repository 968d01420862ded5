//! Starts, waits, ends, requests and lists.

use serde_json::json;

use super::bench::*;
use crate::model::error::RegistryError as E;
use crate::model::event::lifecycle;
use crate::model::process::{
    AbandonWriter, ProcessAwaitOutput, ProcessListFilter, ProcessStatus, ProcessStatusKind,
    RecoveryDisposition::{ExternallyOwned, OwnerBound, Rerunnable},
};

pub async fn the_output_decides_the_status(t: Bench) {
    let failure = ProcessAwaitOutput::Failure {
        class: "tool".into(),
        code: Some("E7".into()),
        message: String::new(),
        raw: Some(json!({"exit": 7})),
    };
    let cancelled = ProcessAwaitOutput::Cancelled { message: "enough".into(), raw: None };
    let outputs = [
        ("s", success(1), ProcessStatusKind::Completed, lifecycle::COMPLETED),
        ("f", failure, ProcessStatusKind::Failed, lifecycle::FAILED),
        ("c", cancelled, ProcessStatusKind::Cancelled, lifecycle::CANCELLED),
        ("a", abandoned(AbandonWriter::Sweep), ProcessStatusKind::Abandoned, lifecycle::ABANDONED),
    ];
    for (id, output, kind, event_type) in outputs {
        let lease = t.started(id).await;
        let record = t.registry.complete_process_with_lease(&lease, output.clone()).await.expect("ended");
        assert_eq!((record.status.kind(), record.status.output()), (kind, Some(&output)));
        assert_eq!(t.read(id).await, record);
        assert_eq!(t.event_types(id).await, [lifecycle::STARTED, event_type]);
    }
}

pub async fn a_process_ends_once_with_one_terminal_event(t: Bench) {
    let ended = t.ended("p").await;
    assert_eq!(ended.updated_at_ms, START_MS);
    let events = t.registry.events_after("p", 0).await.expect("read");
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].event_type, lifecycle::COMPLETED);
    assert_eq!(events[0].payload, serde_json::to_value(success(1)).expect("plain data"));
}

pub async fn the_same_output_again_ends_an_externally_owned_process_once(t: Bench) {
    t.register_as("p", ExternallyOwned).await;
    let ended = t.registry.complete_process("p", success(1)).await.expect("completed");
    t.advance(4);
    assert_eq!(t.registry.complete_process("p", success(1)).await, Ok(ended.clone()));
    assert_eq!(ended.updated_at_ms, START_MS);
    assert_eq!(t.event_types("p").await, [lifecycle::COMPLETED]);
}

pub async fn another_output_after_the_end_is_refused_with_the_stored_one(t: Bench) {
    t.register_as("p", ExternallyOwned).await;
    t.registry.complete_process("p", success(1)).await.expect("completed");
    match t.registry.complete_process("p", success(2)).await {
        Err(E::AlreadyTerminal { process_id, status }) => {
            assert_eq!((process_id.as_str(), status.output()), ("p", Some(&success(1))));
        }
        other => panic!("expected the stored outcome, got {other:?}"),
    }
}

pub async fn ending_clears_the_wait_without_a_resumed_event(t: Bench) {
    let lease = t.claimed("p").await;
    t.registry.set_process_wait_with_lease(&lease, wait_for("go")).await.expect("waits");
    let ended = t.registry.complete_process_with_lease(&lease, success(1)).await.expect("completed");
    assert_eq!(ended.wait, None);
    assert_eq!(t.event_types("p").await, [lifecycle::WAITING, lifecycle::COMPLETED]);
}

pub async fn ending_clears_the_lease(t: Bench) {
    t.ended("p").await;
    assert_eq!(t.registry.get_process_lease("p").await, Ok(None));
    t.register_as("x", ExternallyOwned).await;
    t.claim("x", &ann()).await;
    t.registry.complete_process("x", success(1)).await.expect("completed");
    assert_eq!(t.registry.get_process_lease("x").await, Ok(None));
}

pub async fn a_first_start_writes_its_event_and_never_changes(t: Bench) {
    let lease = t.claimed("p").await;
    let record = t.registry.record_first_started("p", start_of(&lease)).await.expect("started");
    assert_eq!(record.first_started, Some(start_of(&lease)));
    t.advance(TTL_MS);
    let next = t.claim("p", &bob()).await;
    let again = t.registry.record_first_started("p", start_of(&next)).await.expect("answers the stored fact");
    assert_eq!(again, record);
    assert_eq!(t.event_types("p").await, [lifecycle::STARTED]);
}

pub async fn a_first_start_needs_the_starter_to_hold_the_live_lease(t: Bench) {
    t.register("p").await;
    let unleased = crate::model::process::ProcessStarted { owner: ann(), started_at_ms: 1 };
    refused!(t.registry.record_first_started("p", unleased.clone()).await, E::LeaseRequired { .. });
    let lease = t.claim("p", &bob()).await;
    refused!(t.registry.record_first_started("p", unleased).await, E::LeaseRequired { .. });
    t.advance(TTL_MS);
    refused!(t.registry.record_first_started("p", start_of(&lease)).await, E::LeaseRequired { .. });
    let nobody = crate::model::process::ProcessStarted {
        owner: crate::model::lease::LeaseOwnerIdentity::opaque("ann", ""),
        started_at_ms: 1,
    };
    refused!(t.registry.record_first_started("p", nobody).await, E::InvalidArgument { .. });
    assert_eq!(t.read("p").await.first_started, None);
}

pub async fn a_first_start_after_the_end_is_refused(t: Bench) {
    let lease = t.claimed("p").await;
    t.registry.complete_process_with_lease(&lease, success(1)).await.expect("completed");
    refused!(t.registry.record_first_started("p", start_of(&lease)).await, E::LeaseRequired { .. });
    refused!(
        t.registry.record_first_started_with_lease(&lease, start_of(&lease)).await,
        E::AlreadyTerminal { .. }
    );
}

pub async fn abandon_requests_keep_the_first_one_and_end_nothing(t: Bench) {
    t.register("p").await;
    t.advance(2);
    let requested =
        t.registry.request_process_abandon("p", abandon_request("host")).await.expect("requested");
    assert_eq!(requested.abandon_request, Some(abandon_request("host")));
    assert_eq!((requested.status.clone(), requested.updated_at_ms), (ProcessStatus::Running, START_MS + 2));
    t.advance(2);
    let again =
        t.registry.request_process_abandon("p", abandon_request("other")).await.expect("the first stands");
    assert_eq!(again, requested);
    refused!(t.registry.request_process_abandon("p", abandon_request(" ")).await, E::InvalidArgument { .. });
}

pub async fn an_abandon_request_after_the_end_is_refused(t: Bench) {
    t.ended("p").await;
    refused!(
        t.registry.request_process_abandon("p", abandon_request("host")).await,
        E::AlreadyTerminal { .. }
    );
    let lease = t.claimed("q").await;
    t.registry.request_process_abandon("q", abandon_request("host")).await.expect("requested");
    t.registry.complete_process_with_lease(&lease, success(1)).await.expect("completed");
    refused!(
        t.registry.request_process_abandon("q", abandon_request("host")).await,
        E::AlreadyTerminal { .. }
    );
}

pub async fn a_wait_is_set_and_cleared_with_an_event_each(t: Bench) {
    let lease = t.claimed("p").await;
    let set = t.registry.set_process_wait_with_lease(&lease, wait_for("go")).await.expect("waits");
    assert_eq!(set.wait, Some(wait_for("go")));
    let changed = t.registry.set_process_wait_with_lease(&lease, wait_for("stop")).await.expect("waits");
    assert_eq!(changed.wait, Some(wait_for("stop")));
    let cleared = t.registry.clear_process_wait_with_lease(&lease).await.expect("resumed");
    assert_eq!(cleared.wait, None);
    assert_eq!(t.event_types("p").await, [lifecycle::WAITING, lifecycle::WAITING, lifecycle::RESUMED]);
}

pub async fn the_same_wait_again_and_clearing_none_change_nothing(t: Bench) {
    let lease = t.claimed("p").await;
    let before = t.read("p").await;
    assert_eq!(t.registry.clear_process_wait_with_lease(&lease).await, Ok(before));
    let set = t.registry.set_process_wait_with_lease(&lease, wait_for("go")).await.expect("waits");
    t.advance(3);
    assert_eq!(t.registry.set_process_wait_with_lease(&lease, wait_for("go")).await, Ok(set));
    assert_eq!(t.event_types("p").await, [lifecycle::WAITING]);
}

pub async fn times_that_callers_send_are_kept_as_sent(t: Bench) {
    let lease = t.started("p").await;
    t.registry.request_process_abandon("p", abandon_request("host")).await.expect("requested");
    let record = t.registry.set_process_wait_with_lease(&lease, wait_for("go")).await.expect("waits");
    assert_eq!(record.first_started.as_ref().map(|start| start.started_at_ms), Some(77));
    assert_eq!(record.abandon_request.as_ref().map(|request| request.requested_at_ms), Some(88));
    assert_eq!(record.wait.as_ref().map(|wait| wait.since_ms), Some(99));
}

pub async fn the_update_time_follows_the_clock_back_too(t: Bench) {
    t.register("p").await;
    t.environment.set_wall(START_MS - 500);
    t.registry.append_event("p", signal("go")).await.expect("appended");
    let record = t.read("p").await;
    assert_eq!((record.created_at_ms, record.updated_at_ms), (START_MS, START_MS - 500));
}

async fn ids(t: &Bench, filter: &ProcessListFilter) -> Vec<String> {
    let records = t.registry.list_processes(filter).await.expect("listed");
    records.iter().map(|record| record.id().to_owned()).collect()
}

async fn work_list(t: &Bench) -> Vec<String> {
    let records = t.registry.list_non_terminal().await.expect("listed");
    records.iter().map(|record| record.id().to_owned()).collect()
}

pub async fn lists_are_in_byte_order_of_ids(t: Bench) {
    for id in ["b", "é", "a", "Z", "a ", "~", "aa"] {
        t.register(id).await;
    }
    let sorted = ["Z", "a", "a ", "aa", "b", "~", "é"];
    assert_eq!(work_list(&t).await, sorted);
    assert_eq!(ids(&t, &ProcessListFilter::any()).await, sorted);
}

pub async fn waiting_processes_are_in_the_work_list(t: Bench) {
    let lease = t.claimed("p").await;
    t.registry.set_process_wait_with_lease(&lease, wait_for("go")).await.expect("waits");
    assert_eq!(work_list(&t).await, ["p"]);
}

pub async fn ended_processes_are_not_in_the_work_list(t: Bench) {
    t.ended("done").await;
    t.register("open").await;
    assert_eq!(work_list(&t).await, ["open"]);
}

pub async fn list_filters_are_joined_by_and(t: Bench) {
    t.ended("done").await;
    t.register_as("bound", OwnerBound).await;
    let lease = t.claimed("waiting").await;
    t.registry.set_process_wait_with_lease(&lease, wait_for("go")).await.expect("waits");
    let mut plain = registration("plain", Rerunnable);
    plain.identity.definition = None;
    t.registry.register_process(plain).await.expect("stored");

    let running = ProcessListFilter::default();
    assert_eq!(ids(&t, &running).await, ["bound", "plain", "waiting"]);
    let any = ProcessListFilter::any();
    assert_eq!(ids(&t, &any).await, ["bound", "done", "plain", "waiting"]);
    let default: ProcessListFilter = serde_json::from_str("{}").expect("every field has a default");
    assert_eq!(default, running);
    let completed =
        ProcessListFilter { status: Some(ProcessStatusKind::Completed), ..ProcessListFilter::default() };
    assert_eq!(ids(&t, &completed).await, ["done"]);
    let failed =
        ProcessListFilter { status: Some(ProcessStatusKind::Failed), ..ProcessListFilter::default() };
    assert_eq!(ids(&t, &failed).await, Vec::<String>::new());
    assert_eq!(ids(&t, &ProcessListFilter { waiting: Some(true), ..any.clone() }).await, ["waiting"]);
    let not_waiting = ProcessListFilter { waiting: Some(false), ..running.clone() };
    assert_eq!(ids(&t, &not_waiting).await, ["bound", "plain"]);
    let running_bound = ProcessListFilter { disposition: Some(OwnerBound), ..running.clone() };
    assert_eq!(ids(&t, &running_bound).await, ["bound"]);
    let bound = ProcessListFilter { disposition: Some(OwnerBound), ..any.clone() };
    assert_eq!(ids(&t, &bound).await, ["bound"]);
    let nightly = ProcessListFilter { definition: Some("nightly".into()), ..any.clone() };
    assert_eq!(ids(&t, &nightly).await, ["bound", "done", "waiting"]);
    let nothing = ProcessListFilter { definition: Some("nightly".into()), ..bound };
    let nothing = ProcessListFilter { waiting: Some(true), ..nothing };
    assert_eq!(ids(&t, &nothing).await, Vec::<String>::new());
    let unknown = ProcessListFilter { definition: Some("weekly".into()), ..any };
    assert_eq!(ids(&t, &unknown).await, Vec::<String>::new());
}

pub async fn list_limits_and_cursors_mean_what_they_say(t: Bench) {
    for id in ["a", "b", "c", "d"] {
        t.register(id).await;
    }
    let page = |limit, after: Option<&str>| ProcessListFilter {
        limit,
        after: after.map(str::to_owned),
        ..ProcessListFilter::default()
    };
    assert_eq!(ids(&t, &page(Some(2), None)).await, ["a", "b"]);
    assert_eq!(ids(&t, &page(Some(2), Some("b"))).await, ["c", "d"]);
    assert_eq!(ids(&t, &page(None, Some("a"))).await, ["b", "c", "d"]);
    assert_eq!(ids(&t, &page(Some(0), None)).await, Vec::<String>::new());
    assert_eq!(ids(&t, &page(Some(usize::MAX), Some("bb"))).await, ["c", "d"]);
    assert_eq!(ids(&t, &page(None, Some("d"))).await, Vec::<String>::new());
    assert_eq!(ids(&t, &page(None, Some(""))).await, ["a", "b", "c", "d"]);
    let mut filtered = page(Some(1), Some("a"));
    filtered.definition = Some("nightly".into());
    assert_eq!(ids(&t, &filtered).await, ["b"]);
}

pub async fn reading_an_unknown_process_answers_none(t: Bench) {
    assert_eq!(t.registry.read_process("nobody").await, Ok(None));
    assert_eq!(t.registry.get_process("nobody").await, None);
    let record = t.register("p").await;
    assert_eq!(t.registry.get_process("p").await, Some(record));
}

pub async fn lifecycle_events_carry_their_facts(t: Bench) {
    let lease = t.started("p").await;
    t.registry.set_process_wait_with_lease(&lease, wait_for("go")).await.expect("waits");
    t.registry.clear_process_wait_with_lease(&lease).await.expect("resumed");
    t.registry.complete_process_with_lease(&lease, success(7)).await.expect("completed");
    let events = t.registry.events_after("p", 0).await.expect("read");
    let facts: Vec<_> =
        events.iter().map(|event| (event.event_type.as_str(), event.payload.clone())).collect();
    let expected = [
        (lifecycle::STARTED, json!(start_of(&lease))),
        (lifecycle::WAITING, json!(wait_for("go"))),
        (lifecycle::RESUMED, json!(wait_for("go"))),
        (lifecycle::COMPLETED, json!(success(7))),
    ];
    assert_eq!(facts, expected);
    assert!(events.iter().all(|event| event.replay_key.is_none() && event.wake.is_none()));
}

pub async fn every_lifecycle_change_moves_the_record(t: Bench) {
    let lease = t.claimed("p").await;
    let moved =
        |record: &crate::model::process::ProcessRecord, by| assert_eq!(record.updated_at_ms, START_MS + by);
    t.advance(1);
    match t.registry.record_first_started_with_lease(&lease, start_of(&lease)).await {
        Ok(crate::model::process::FirstStart::Started(record)) => moved(&record, 1),
        other => panic!("expected a start, got {other:?}"),
    }
    t.advance(1);
    moved(&t.registry.set_process_wait_with_lease(&lease, wait_for("go")).await.expect("waits"), 2);
    t.advance(1);
    moved(&t.registry.clear_process_wait_with_lease(&lease).await.expect("resumed"), 3);
    t.advance(1);
    moved(&t.registry.request_process_abandon("p", abandon_request("host")).await.expect("requested"), 4);
    t.advance(1);
    moved(&t.registry.complete_process_with_lease(&lease, success(1)).await.expect("completed"), 5);
    moved(&t.read("p").await, 5);
    let events = t.registry.events_after("p", 0).await.expect("read");
    let times: Vec<_> = events.iter().map(|event| event.occurred_at_ms - START_MS).collect();
    assert_eq!(times, [1, 2, 3, 5]);
}

pub async fn times_that_callers_send_decide_nothing(t: Bench) {
    let lease = t.claimed("p").await;
    let extreme = crate::model::process::ProcessStarted { owner: ann(), started_at_ms: u64::MAX };
    t.registry.record_first_started_with_lease(&lease, extreme).await.expect("started");
    let wait = crate::model::process::WaitState { since_ms: u64::MAX, ..wait_for("go") };
    t.registry.set_process_wait_with_lease(&lease, wait).await.expect("waits");
    let request = crate::model::process::AbandonRequest { requested_at_ms: 0, ..abandon_request("host") };
    t.registry.request_process_abandon("p", request).await.expect("requested");
    busy(t.registry.claim_process_lease("p", &bob(), TTL_MS).await);
    let record = t.read("p").await;
    assert_eq!((record.created_at_ms, record.updated_at_ms), (START_MS, START_MS));
    assert_eq!(record.first_started.map(|start| start.started_at_ms), Some(u64::MAX));
}
