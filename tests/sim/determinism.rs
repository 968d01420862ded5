//! A run is a function of its plan: and when it is not, the check says so and names the first event that differs.

use std::sync::atomic::{AtomicU64, Ordering};

use fencepost_sim::plan::chance::Seed;
use fencepost_sim::search::SeededPlans;
use fencepost_sim::search::determinism::{hashes, within_a_process};
use fencepost_sim::subject::{Schedule, Subject, Wakeup};

#[test]
fn the_same_plan_gives_the_same_events_later_and_on_other_threads() {
    let (first, differences) = within_a_process(0..200, 1, &SeededPlans::of(&Subject::fencepost()));
    assert_eq!(differences, []);
    assert_eq!(hashes(0..200, 2, &SeededPlans::of(&Subject::fencepost())), first);
    let distinct: std::collections::BTreeSet<_> = first.iter().collect();
    assert_eq!(distinct.len(), 200, "different plans give different events");
}

/// Orders tasks by something that is not in the plan.
struct Leaky(fn(Wakeup) -> u64);

impl Schedule for Leaky {
    fn place(&mut self, wakeup: Wakeup) -> u64 {
        (self.0)(wakeup)
    }
}

/// Where something happens to lie in memory.
fn by_address(_: Wakeup) -> u64 {
    scatter(std::ptr::from_ref(Box::leak(Box::new(0_u64))) as u64)
}

/// The order of a map that is keyed anew in every process.
#[allow(clippy::disallowed_types, reason = "the leak that must be found")]
fn by_map_order(wakeup: Wakeup) -> u64 {
    thread_local! {
        static MAP: std::collections::HashMap<u64, u64> = (0..8).map(|key| (key, key)).collect();
    }
    MAP.with(|map| map.keys().nth((wakeup.task % 8) as usize).copied().unwrap_or_default())
}

/// A number that the process drew, not the run.
fn by_entropy(_: Wakeup) -> u64 {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    scatter(DRAWN.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed))
}

/// Whoever asks first, by a coin that the run does not own: an unbiased select.
fn by_a_coin(wakeup: Wakeup) -> u64 {
    static TOSSES: AtomicU64 = AtomicU64::new(1);
    let toss = TOSSES.fetch_add(1, Ordering::Relaxed);
    if scatter(toss) & 1 == 0 { wakeup.task } else { u64::MAX - wakeup.task }
}

fn scatter(number: u64) -> u64 {
    (number ^ number >> 31).wrapping_mul(0xd6e8_feb8_6659_fd93).rotate_left(17)
}

/// How a schedule is made that leaks.
type MakesLeaky = fn(Seed) -> Box<dyn Schedule>;

const LEAKS: [(&str, MakesLeaky); 4] = [
    ("an address", |_| Box::new(Leaky(by_address))),
    ("a map's order", |_| Box::new(Leaky(by_map_order))),
    ("entropy", |_| Box::new(Leaky(by_entropy))),
    ("an unbiased select", |_| Box::new(Leaky(by_a_coin))),
];

#[test]
fn a_leak_is_found_and_the_first_event_that_differs_is_named_with_both_sides() {
    for (name, leak) in LEAKS {
        let subject = Subject { schedule: Some(leak), ..Subject::fencepost() };
        let (_, differences) = within_a_process(0..60, 1, &SeededPlans::of(&subject));
        let named = differences.iter().find_map(|difference| difference.first.clone());
        let (place, one, other) = named.unwrap_or_else(|| panic!("{name} went unnoticed"));
        assert!(one != other && !one.is_empty() && place > 0, "{name}: {one} and {other}");
    }
}
