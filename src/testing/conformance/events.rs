//! The log and its wakes.

use serde_json::json;

use super::bench::*;
use crate::model::error::RegistryError as E;
use crate::model::event::{
    ProcessEventAppendRequest, ProcessEventType, ProcessWakeInput, ProcessWakeSpec, lifecycle,
};
use crate::model::handle::SessionScope;
use crate::model::lease::ProcessLease;
use crate::model::process::{ProcessRegistration, RecoveryDisposition::Rerunnable};

async fn append(t: &Bench, lease: &ProcessLease, number: u64) -> u64 {
    let appended = t.registry.append_event_with_lease(lease, progress(json!(number))).await;
    appended.expect("a live grant appends").event.sequence
}

fn cancel(key: Option<&str>) -> ProcessEventAppendRequest {
    ProcessEventAppendRequest {
        replay: key.map(str::to_owned),
        ..ProcessEventAppendRequest::new("process.cancel_requested", json!({}))
    }
}

pub async fn sequences_are_dense_and_start_at_one(t: Bench) {
    let lease = t.claimed("p").await;
    assert_eq!(append(&t, &lease, 10).await, 1);
    assert_eq!(append(&t, &lease, 20).await, 2);
    t.registry.append_event("p", signal("go")).await.expect("signalled");
    t.registry.complete_process_with_lease(&lease, success(1)).await.expect("completed");
    let events = t.registry.events_after("p", 0).await.expect("read");
    assert_eq!(events.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(t.event_types("p").await, ["progress", "progress", "signal.go", lifecycle::COMPLETED]);
}

pub async fn a_replayed_append_answers_the_stored_event_and_changes_nothing(t: Bench) {
    let lease = t.claimed("p").await;
    let request = progress(json!(1)).with_replay("k");
    let first = t.registry.append_event_with_lease(&lease, request.clone()).await.expect("appended");
    assert!(!first.replayed);
    let before = t.everything_about("p").await;
    t.advance(7);
    let again = t.registry.append_event_with_lease(&lease, request).await.expect("replayed");
    assert!(again.replayed);
    assert_eq!(again.event, first.event);
    assert_eq!(t.everything_about("p").await, before);
}

pub async fn a_replay_key_with_other_content_is_a_conflict(t: Bench) {
    let lease = t.claimed("p").await;
    let first = progress(json!(1)).with_replay("k");
    t.registry.append_event_with_lease(&lease, first).await.expect("appended");
    let payload = progress(json!(2)).with_replay("k");
    refused!(
        t.registry.append_event_with_lease(&lease, payload).await,
        E::ReplayConflict { sequence: 1, .. }
    );
    let other_type = signal("go").with_replay("k");
    refused!(t.registry.append_event("p", other_type).await, E::ReplayConflict { .. });
    assert_eq!(t.event_types("p").await, ["progress"]);
}

pub async fn replay_keys_belong_to_one_process(t: Bench) {
    for id in ["p", "q"] {
        t.register(id).await;
        let appended = t.registry.append_event(id, signal("go").with_replay("k")).await.expect("appended");
        assert!(!appended.replayed);
        assert_eq!(appended.event.process_id, id);
    }
}

pub async fn an_undeclared_type_is_refused(t: Bench) {
    let lease = t.claimed("p").await;
    for name in ["undeclared", "process.other", "Progress"] {
        let request = ProcessEventAppendRequest::new(name, json!({}));
        refused!(
            t.registry.append_event_with_lease(&lease, request.clone()).await,
            E::UndeclaredEventType { .. }
        );
        refused!(t.registry.append_event("p", request).await, E::UndeclaredEventType { .. });
    }
    assert_eq!(t.event_types("p").await, Vec::<String>::new());
}

pub async fn signals_and_cancel_requests_are_always_declared(t: Bench) {
    let mut bare = registration("p", Rerunnable);
    bare.event_types.clear();
    t.registry.register_process(bare).await.expect("stored");
    t.registry.append_event("p", signal("a-B_9")).await.expect("signalled");
    t.registry.append_event("p", cancel(Some("why"))).await.expect("requested");
}

pub async fn a_malformed_signal_name_is_undeclared(t: Bench) {
    t.register("p").await;
    for name in ["", " go", "a.b", "é", "a/b"] {
        refused!(t.registry.append_event("p", signal(name)).await, E::UndeclaredEventType { .. });
    }
}

pub async fn a_cancel_request_needs_a_replay_key(t: Bench) {
    t.register("p").await;
    refused!(t.registry.append_event("p", cancel(None)).await, E::InvalidArgument { .. });
    refused!(t.registry.append_event("p", cancel(Some(""))).await, E::InvalidArgument { .. });
    t.registry.append_event("p", cancel(Some("why"))).await.expect("requested");
    let again = t.registry.append_event("p", cancel(Some("why"))).await.expect("replayed");
    assert!(again.replayed);
}

pub async fn lifecycle_types_cannot_be_appended(t: Bench) {
    let lease = t.claimed("p").await;
    for name in lifecycle::ALL {
        let request = ProcessEventAppendRequest::new(name, json!({}));
        refused!(t.registry.append_event("p", request.clone()).await, E::InvalidArgument { .. });
        refused!(t.registry.append_event_with_lease(&lease, request).await, E::InvalidArgument { .. });
    }
}

pub async fn a_terminal_process_accepts_no_new_event(t: Bench) {
    t.ended("p").await;
    let before = t.everything_about("p").await;
    refused!(t.registry.append_event("p", signal("go")).await, E::AlreadyTerminal { .. });
    refused!(t.registry.append_event("p", cancel(Some("late"))).await, E::AlreadyTerminal { .. });
    assert_eq!(t.everything_about("p").await, before);
}

pub async fn a_replay_is_answered_after_the_end(t: Bench) {
    let lease = t.claimed("p").await;
    let first = t.registry.append_event("p", signal("go").with_replay("k")).await.expect("appended");
    t.registry.complete_process_with_lease(&lease, success(1)).await.expect("completed");
    let again = t.registry.append_event("p", signal("go").with_replay("k")).await.expect("replayed");
    assert!(again.replayed);
    assert_eq!(again.event, first.event);
}

pub async fn events_after_is_exclusive_and_ascending(t: Bench) {
    let lease = t.claimed("p").await;
    for number in 1..=5 {
        append(&t, &lease, number).await;
    }
    let after = t.registry.events_after("p", 2).await.expect("read");
    assert_eq!(after.iter().map(|event| event.sequence).collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!(t.registry.events_after("p", 5).await, Ok(vec![]));
}

pub async fn the_largest_cursor_is_past_the_end(t: Bench) {
    let lease = t.claimed("p").await;
    append(&t, &lease, 1).await;
    assert_eq!(t.registry.events_after("p", u64::MAX).await, Ok(vec![]));
    assert_eq!(t.registry.wake_events_after("p", u64::MAX).await, Ok(vec![]));
    assert_eq!(t.registry.count_events_through("p", "progress", u64::MAX).await, Ok(1));
}

pub async fn recent_events_are_the_last_ones_ascending(t: Bench) {
    let lease = t.claimed("p").await;
    for number in 1..=4 {
        append(&t, &lease, number).await;
    }
    let sequences = async |limit| {
        let events = t.registry.recent_events("p", limit).await.expect("read");
        events.into_iter().map(|event| event.sequence).collect::<Vec<_>>()
    };
    assert_eq!(sequences(2).await, [3, 4]);
    assert_eq!(sequences(0).await, Vec::<u64>::new());
    assert_eq!(sequences(usize::MAX).await, [1, 2, 3, 4]);
}

pub async fn counting_events_includes_the_bound(t: Bench) {
    let lease = t.claimed("p").await;
    append(&t, &lease, 1).await;
    t.registry.append_event("p", signal("go")).await.expect("signalled");
    append(&t, &lease, 2).await;
    let count = async |name, through| t.registry.count_events_through("p", name, through).await;
    assert_eq!(count("progress", 0).await, Ok(0));
    assert_eq!(count("progress", 1).await, Ok(1));
    assert_eq!(count("progress", 2).await, Ok(1));
    assert_eq!(count("progress", 3).await, Ok(2));
    assert_eq!(count("signal.go", 3).await, Ok(1));
    assert_eq!(count("undeclared", 3).await, Ok(0));
}

async fn asked(t: &Bench, payload: serde_json::Value) -> Option<crate::model::event::ProcessWakeDelivery> {
    let lease = t.claim("p", &ann()).await;
    let request = ProcessEventAppendRequest::new("ask", payload);
    let appended = t.registry.append_event_with_lease(&lease, request).await.expect("appended");
    assert_eq!(appended.event.wake.is_some(), appended.wake_delivery.is_some());
    appended.wake_delivery
}

pub async fn a_wake_needs_what_it_looks_for_to_be_true(t: Bench) {
    t.register("p").await;
    for untrue in [json!(null), json!(false), json!(""), json!([]), json!({})] {
        assert_eq!(asked(&t, json!({"urgent": untrue, "text": "?"})).await, None);
    }
    assert_eq!(asked(&t, json!({"text": "?"})).await, None, "a missing pointer is no wake");
    for truthy in [json!(0), json!(true), json!("no"), json!([0]), json!({"a": 0})] {
        assert!(asked(&t, json!({"urgent": truthy, "text": "?"})).await.is_some());
    }
}

pub async fn a_wake_takes_its_input_from_the_payload(t: Bench) {
    let specs = [
        ("whole", ProcessWakeSpec { when: None, input: ProcessWakeInput::Payload }),
        ("part", ProcessWakeSpec { when: None, input: ProcessWakeInput::Pointer("/a/0".into()) }),
    ];
    let event_types = specs.map(|(name, wake)| ProcessEventType { name: name.into(), wake: Some(wake) });
    let declared = ProcessRegistration { event_types: event_types.into(), ..registration("p", Rerunnable) };
    t.registry.register_process(declared).await.expect("stored");
    let lease = t.claim("p", &ann()).await;
    for (name, input) in [("whole", json!({"a": [7]})), ("part", json!(7))] {
        let request = ProcessEventAppendRequest::new(name, json!({"a": [7]}));
        let appended = t.registry.append_event_with_lease(&lease, request).await.expect("appended");
        let delivery = appended.wake_delivery.expect("it wakes");
        assert_eq!((delivery.input, delivery.target), (input, SessionScope::session("home")));
        assert_eq!((delivery.process_id.as_str(), delivery.sequence), ("p", appended.event.sequence));
    }
}

pub async fn a_wake_without_its_input_appends_nothing(t: Bench) {
    let lease = t.claimed("p").await;
    let before = t.everything_about("p").await;
    let request = ProcessEventAppendRequest::new("ask", json!({"urgent": true}));
    refused!(t.registry.append_event_with_lease(&lease, request).await, E::InvalidArgument { .. });
    assert_eq!(t.everything_about("p").await, before);
}

pub async fn a_wake_goes_to_the_scope_of_the_append_before_the_registered_one(t: Bench) {
    let lease = t.claimed("p").await;
    let elsewhere = SessionScope::frame("away", "f1");
    let request =
        ProcessEventAppendRequest { wake_target_scope: Some(elsewhere.clone()), ..urgent_question() };
    let appended = t.registry.append_event_with_lease(&lease, request).await.expect("appended");
    assert_eq!(appended.wake_delivery.expect("it wakes").target, elsewhere);
}

pub async fn a_wake_without_a_target_is_kept_and_not_delivered(t: Bench) {
    let lease = t.claimed("p").await;
    t.registry.delete_session_process_state("home").await.expect("the target is gone");
    let appended = t.registry.append_event_with_lease(&lease, urgent_question()).await.expect("appended");
    assert_eq!(appended.wake_delivery, None);
    assert_eq!(appended.event.wake.as_ref().expect("kept").input, json!("well?"));
    assert_eq!(t.registry.wake_events_after("p", 0).await, Ok(vec![appended.event]));
}

pub async fn a_replay_answers_the_same_delivery(t: Bench) {
    let lease = t.claimed("p").await;
    let request = urgent_question().with_replay("k");
    let first = t.registry.append_event_with_lease(&lease, request.clone()).await.expect("appended");
    t.registry.delete_session_process_state("home").await.expect("the target is gone");
    let again = t.registry.append_event_with_lease(&lease, request).await.expect("replayed");
    assert!(again.replayed && again.wake_delivery.is_some());
    assert_eq!((again.event, again.wake_delivery), (first.event, first.wake_delivery));
}

pub async fn wakes_are_listed_until_acked(t: Bench) {
    let lease = t.claimed("p").await;
    append(&t, &lease, 1).await;
    for _ in 0..3 {
        t.registry.append_event_with_lease(&lease, urgent_question()).await.expect("appended");
    }
    let pending = async |after| {
        let events = t.registry.wake_events_after("p", after).await.expect("read");
        events.into_iter().map(|event| event.sequence).collect::<Vec<_>>()
    };
    assert_eq!(pending(0).await, [2, 3, 4]);
    assert_eq!(pending(2).await, [3, 4]);
    t.registry.ack_wake("p", 3).await.expect("acked");
    assert_eq!(pending(0).await, [2, 4]);
}

pub async fn an_ack_is_idempotent_and_allowed_after_the_end(t: Bench) {
    let lease = t.claimed("p").await;
    t.registry.append_event_with_lease(&lease, urgent_question()).await.expect("appended");
    t.registry.complete_process_with_lease(&lease, success(1)).await.expect("completed");
    t.registry.ack_wake("p", 1).await.expect("acked");
    t.registry.ack_wake("p", 1).await.expect("again is fine");
    assert_eq!(t.registry.wake_events_after("p", 0).await, Ok(vec![]));
}

pub async fn an_ack_of_no_wake_is_an_invalid_argument(t: Bench) {
    let lease = t.claimed("p").await;
    append(&t, &lease, 1).await;
    for sequence in [0, 1, 2, u64::MAX] {
        refused!(t.registry.ack_wake("p", sequence).await, E::InvalidArgument { .. });
    }
    refused!(t.registry.ack_wake("nobody", 1).await, E::UnknownProcess { .. });
}

pub async fn reading_the_log_of_an_unknown_process_is_an_error(t: Bench) {
    refused!(t.registry.events_after("nobody", 0).await, E::UnknownProcess { .. });
    refused!(t.registry.wake_events_after("nobody", 0).await, E::UnknownProcess { .. });
    refused!(t.registry.recent_events("nobody", 1).await, E::UnknownProcess { .. });
    refused!(t.registry.count_events_through("nobody", "progress", 1).await, E::UnknownProcess { .. });
    refused!(t.registry.append_event("nobody", signal("go")).await, E::UnknownProcess { .. });
}

pub async fn an_append_moves_the_record_and_an_ack_does_not(t: Bench) {
    let lease = t.claimed("p").await;
    t.advance(5);
    let appended = t.registry.append_event_with_lease(&lease, urgent_question()).await.expect("appended");
    assert_eq!(appended.event.occurred_at_ms, START_MS + 5);
    assert_eq!(t.read("p").await.updated_at_ms, START_MS + 5);
    t.advance(5);
    t.registry.ack_wake("p", 1).await.expect("acked");
    assert_eq!(t.read("p").await.updated_at_ms, START_MS + 5);
}
