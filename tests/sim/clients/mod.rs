//! Other people's clients of leases on tokio nodes. A toy is honest, or wrong in one place; each wrong one is caught.

mod nodes;
mod toy_client;

use std::ops::ControlFlow;
use std::sync::Arc;

use fencepost_sim::generate::client_plan;
use fencepost_sim::history::event::{Event, EventKind};
use fencepost_sim::plan::chance::Seed;
use fencepost_sim::search::{SeededPlans, verdicts};
use fencepost_sim::{Options, Subject, check, world};

use toy_client::{CellFlaw, Cells, ToyClient};

fn toy(name: &'static str, flaw: CellFlaw) -> Subject {
    Subject::lease_client(name, Cells::open, ToyClient(flaw))
}

fn seeds(end: u64) -> Options {
    Options { seeds: 0..end, ..Options::default() }
}

#[test]
fn the_honest_client_breaks_no_law() {
    let shown = check(&toy("toy-client", CellFlaw::None), &seeds(1_000)).unwrap();
    assert_eq!((shown.seeds, shown.undecided), (1_000, 0));
}

#[test]
fn each_broken_client_is_caught() {
    for (name, flaw, most) in [
        ("toy-counts-from-the-answer", CellFlaw::CountsFromTheAnswer, 500),
        ("toy-takes-unconditionally", CellFlaw::TakesUnconditionally, 100),
        ("toy-holds-on-while-it-asks", CellFlaw::HoldsOnWhileItAsks, 300),
    ] {
        let needed = seeds_needed(&toy(name, flaw), "bodies-overlap-within-bound");
        println!("{name}: {needed:?} seeds");
        assert!(needed.is_some_and(|needed| needed <= most), "{name}: {needed:?}");
    }
}

fn seeds_needed(subject: &Subject, law: &str) -> Option<u64> {
    let mut needed = None;
    verdicts(0..2_000, &SeededPlans::of(subject), 1, |seed, verdict| {
        if !verdict.breaks(law) {
            return ControlFlow::Continue(());
        }
        needed = Some(seed + 1);
        ControlFlow::Break(())
    });
    needed
}

#[test]
fn a_client_that_panics_is_told_of_with_its_panic() {
    let failure = check(&toy("toy-panics", CellFlaw::Panics), &seeds(200)).unwrap_err();
    assert_eq!(failure.law(), Some("nobody-panics"), "{failure}");
    assert!(failure.to_string().contains("the toy lost"), "{failure}");
}

#[test]
fn the_same_plan_gives_the_same_events_on_any_thread() {
    let subject = toy("toy-again", CellFlaw::CountsFromTheAnswer);
    let hashes = |jobs| {
        let mut hashes = Vec::new();
        verdicts(0..300, &SeededPlans::of(&subject), jobs, |_, verdict| {
            hashes.push((verdict.hash, verdict.events));
            ControlFlow::Continue(())
        });
        hashes
    };
    let (once, again, on_two) = (hashes(1), hashes(1), hashes(2));
    assert_eq!(once, again);
    assert_eq!(once, on_two);
}

#[test]
fn leaders_lead_in_most_plans() {
    let subject = toy("toy-leads", CellFlaw::None);
    let led = |seed: &u64| {
        let mut events: Vec<Event> = Vec::new();
        world::run(&Arc::new(client_plan(Seed(*seed), None)), &subject, &mut events);
        events.iter().any(|event| event.kind() == EventKind::BodyBegan)
    };
    assert!((0..50).filter(led).count() > 40);
}
