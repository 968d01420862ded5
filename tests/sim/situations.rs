//! Hard situations, one small plan each: that it happens as the step says, and that the true system stands it.

use std::sync::Arc;

use fencepost_sim::history::event::{CallKind, CallResult, Event, EventKind, What};
use fencepost_sim::judge::{judge, record};
use fencepost_sim::plan::Plan;
use fencepost_sim::subject::Subject;

use crate::stories::plan;

/// The events of the plan's run. No law objects to it.
fn events_of(plan: Plan) -> Vec<Event> {
    let plan = Arc::new(plan);
    assert_eq!(judge(&plan, &Subject::fencepost()).broken(), None);
    record(&plan, &Subject::fencepost()).events
}

/// The first event of this kind, and the store's wait that belongs to it.
fn after_a_wait(events: &[Event], kind: EventKind) -> (Event, u64, u64) {
    let place = events.iter().position(|event| event.kind() == kind).expect("it happened");
    let waited = events[..place].iter().rev().find_map(|event| match event.what() {
        What::StoreWaited { arrived_ms, wrote_ms } if event.at_us == events[place].at_us => {
            Some((arrived_ms, wrote_ms))
        }
        _ => None,
    });
    let (arrived_ms, wrote_ms) = waited.expect("it waited");
    (events[place], arrived_ms, wrote_ms)
}

#[test]
fn a_decision_reads_the_clock_after_its_wait_for_the_lock() {
    let events = events_of(Plan::clone(&plan(&[
        "0ms store slow by 400ms for 500ms",
        "100ms register p1 rerunnable 1 steps of 1s",
    ])));
    let (registered, arrived_ms, wrote_ms) = after_a_wait(&events, EventKind::Registered);
    assert_eq!((registered.clock - arrived_ms, wrote_ms), (400, registered.clock));
}

#[test]
fn a_decision_reads_the_clock_after_a_wait_under_the_lock_and_writes_after_another() {
    let events = events_of(Plan::clone(&plan(&[
        "100ms store slow to read its clock by 300ms for 8ms",
        "100ms store slow to write by 200ms for 8ms",
        "100ms register p1 rerunnable 1 steps of 1s",
    ])));
    let (registered, arrived_ms, wrote_ms) = after_a_wait(&events, EventKind::Registered);
    assert_eq!((registered.clock - arrived_ms, wrote_ms - registered.clock), (300, 200));
}

#[test]
fn a_call_that_waits_under_the_lock_keeps_every_other_call_out() {
    let events = events_of(Plan::clone(&plan(&[
        "100ms store slow to write by 1s for 8ms",
        "100ms register p1 rerunnable 1 steps of 1s",
        "200ms register p2 rerunnable 1 steps of 1s",
    ])));
    let registered: Vec<&Event> =
        events.iter().filter(|event| event.kind() == EventKind::Registered).collect();
    let [first, second] = registered[..] else { panic!("two were registered") };
    assert_eq!((first.process, second.process), (1, 2));
    // The store is quick again when the second arrives, which waits for the lock alone.
    assert!(first.at_us > 1_100_000 && second.at_us == first.at_us, "{} {}", first.at_us, second.at_us);
    assert!(second.clock - first.clock >= 1_000);
}

/// The reasons for which calls of this kind were refused, in order.
fn refusals(events: &[Event], kind: CallKind) -> Vec<CallResult> {
    let refused = events.iter().filter_map(|event| match event.what() {
        What::Refused { call, why } if call == kind => Some(why),
        _ => None,
    });
    refused.collect()
}

#[test]
fn a_lease_with_another_token_is_refused_and_so_is_that_of_another_process() {
    for forged in ["with another token", "with the lease of p2"] {
        let renew = format!("2s stale-call p1 renew {forged}");
        let complete = format!("2s stale-call p1 complete {forged}");
        let release = format!("2s stale-call p1 release {forged}");
        let events = events_of(Plan::clone(&plan(&[
            "0ms register p1 rerunnable 1 steps of 5s",
            "0ms register p2 rerunnable 1 steps of 5s",
            &renew,
            &complete,
            &release,
        ])));
        assert_eq!(refusals(&events, CallKind::Renew), [CallResult::Superseded], "{forged}");
        assert_eq!(refusals(&events, CallKind::Complete), [CallResult::Superseded], "{forged}");
        let ended = events.iter().filter(|event| event.kind() == EventKind::Ended).count();
        assert_eq!(ended, 2, "{forged}");
    }
}

#[test]
fn asking_again_for_less_leaves_the_lease_as_long_as_it_was() {
    let events = events_of(Plan::clone(&plan(&[
        "0ms register p1 rerunnable 1 steps of 5s",
        "2s stale-call p1 claim again for 10ms",
        "2.1s stale-call p1 renew again for 10ms",
    ])));
    let mut expires_ms = 0;
    let mut was_reentered = false;
    for event in &events {
        if let What::Granted { expires_ms: until, .. }
        | What::Renewed { expires_ms: until, .. }
        | What::Reentered { expires_ms: until, .. } = event.what()
        {
            assert!(until >= expires_ms, "the lease became shorter");
            expires_ms = until;
            was_reentered |= event.kind() == EventKind::Reentered;
        }
    }
    assert!(was_reentered);
}

#[test]
fn a_worker_may_ask_for_leases_of_its_own_length() {
    let mut plan = Plan::clone(&plan(&["0ms register p1 rerunnable 1 steps of 1s"]));
    plan.workers = "2".parse().unwrap();
    plan.leases = vec!["worker-2 ttl 900ms renew 300ms".parse().unwrap()];
    let events = events_of(plan);
    let asked = events.iter().find_map(|event| match event.what() {
        What::Claims { asked_ms } => Some(asked_ms),
        _ => None,
    });
    assert_eq!(asked, Some(900));
}
