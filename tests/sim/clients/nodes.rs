//! Faults of a node act on the tokio runtimes of its candidates: a pause holds them, a crash drops them, and they go by the
//! node's clock.

#![expect(clippy::disallowed_methods, reason = "clients ask the machine for the time, and sleep on tokio")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use fencepost_sim::generate::client_plan;
use fencepost_sim::history::event::{Event, EventKind, What};
use fencepost_sim::lease::{Candidacy, LeaseClient, LeasePlace, LeaseStore};
use fencepost_sim::plan::Node;
use fencepost_sim::plan::chance::Seed;
use fencepost_sim::{Subject, world};

use super::toy_client::{CellFlaw, Cells, ToyClient};

fn events_of(seed: u64, subject: &Subject) -> Vec<Event> {
    let mut events = Vec::new();
    world::run(&Arc::new(client_plan(Seed(seed), None)), subject, &mut events);
    events
}

#[test]
fn a_candidate_does_nothing_while_its_node_is_paused_or_down() {
    let subject = Subject::lease_client("toy-nodes", Cells::open, ToyClient(CellFlaw::None));
    let (mut pauses, mut crashes) = (0, 0);
    for seed in 0..150 {
        let (mut still, mut down) = (BTreeSet::new(), BTreeSet::new());
        for event in events_of(seed, &subject) {
            match event.what() {
                What::Paused => {
                    pauses += 1;
                    still.insert(event.node);
                }
                What::Resumed => {
                    still.remove(&event.node);
                }
                What::Crashed { .. } => {
                    crashes += 1;
                    still.remove(&event.node);
                    down.insert(event.node);
                }
                What::Restarted { .. } => {
                    down.remove(&event.node);
                }
                What::Sent { .. } | What::Heard { .. } | What::BodyBegan { .. } => {
                    assert!(!still.contains(&event.node), "seed {seed}: {event:?} during a pause");
                    assert!(!down.contains(&event.node), "seed {seed}: {event:?} after a crash");
                }
                _ => {}
            }
        }
    }
    assert!(pauses > 50 && crashes > 50, "{pauses} pauses, {crashes} crashes");
}

/// Takes what std's clock showed to a candidate, beside its node's clock.
struct ClockStore {
    place: LeasePlace,
    seen: Arc<Mutex<Vec<Readings>>>,
}

/// In ms.
#[derive(Debug, Clone, Copy)]
struct Readings {
    node_wall: u64,
    std_wall: u64,
}

impl LeaseStore for ClockStore {
    type Request = u64;
    type Answer = ();

    fn answer(&self, std_wall: &u64) {
        let readings = Readings { node_wall: self.place.callers_now_ms(), std_wall: *std_wall };
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(readings);
    }

    fn tell_request(request: &u64) -> String {
        request.to_string()
    }

    fn tell_answer((): &()) -> String {
        String::new()
    }
}

struct ClockClient;

impl LeaseClient for ClockClient {
    type Store = ClockStore;

    async fn contend(self: Arc<Self>, candidacy: Candidacy<ClockStore>) {
        // Whoever it is, its work ends, and so does the run.
        candidacy.leadership.begins();
        while !candidacy.leadership.is_done() {
            let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let _ = candidacy.store.ask(since_epoch.as_millis() as u64).await;
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
}

#[test]
fn stds_clock_is_the_nodes() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    let open = move |place| ClockStore { place, seen: Arc::clone(&kept) };
    let subject = Subject::lease_client("clocks", open, ClockClient);
    let (mut read, mut far) = (0, 0);
    for seed in 0..40 {
        events_of(seed, &subject);
        for readings in seen.lock().unwrap().drain(..) {
            read += 1;
            // A request is on its way for longer only where it is sent again; clocks are up to 10 s apart, and steps more.
            far += u64::from(readings.node_wall.abs_diff(readings.std_wall) > 500);
        }
    }
    assert!(read > 1_000 && far * 10 < read, "{far} of {read} readings are far from the node's clock");
}

/// Sleeps until an instant of its clock, and then polls until that instant is past, as clients do that compare with `>`.
struct PollsPastAnInstant;

impl LeaseClient for PollsPastAnInstant {
    type Store = ClockStore;

    async fn contend(self: Arc<Self>, candidacy: Candidacy<ClockStore>) {
        candidacy.leadership.begins();
        while !candidacy.leadership.is_done() {
            let until = SystemTime::now() + Duration::from_millis(250);
            while SystemTime::now() <= until {
                tokio::time::sleep(until.duration_since(SystemTime::now()).unwrap_or_default()).await;
            }
            let past = SystemTime::now().duration_since(until).unwrap_or_default();
            let _ = candidacy.store.ask(past.as_millis() as u64).await;
        }
    }
}

#[test]
fn time_passes_for_a_client_that_polls_without_a_pause() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    let open = move |place| ClockStore { place, seen: Arc::clone(&kept) };
    let subject = Subject::lease_client("polls", open, PollsPastAnInstant);
    for seed in 0..10 {
        assert_eq!(events_of(seed, &subject), events_of(seed, &subject), "seed {seed}");
    }
    assert!(seen.lock().unwrap().len() > 100, "{seen:?}");
}

#[test]
fn a_run_shows_the_requests_of_clients() {
    let subject = Subject::lease_client("toy-told", Cells::open, ToyClient(CellFlaw::None));
    let events = events_of(3, &subject);
    let of_workers = |event: &&Event| matches!(Node::from_code(event.node), Node::Worker(_));
    let sent = events.iter().filter(of_workers).filter(|event| event.kind() == EventKind::Sent).count();
    assert!(sent > 10, "{sent}");
}
