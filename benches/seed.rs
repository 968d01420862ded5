//! What a seed costs, beside a bare event loop of the same job: the same calls, decided at the same instants by the same
//! rules on the same store, taken from a heap by hand, with the same draws for the fates of their messages; no tasks, no
//! record, no laws. It replays a tape of the world's own calls, so it does exactly as many, and it decides nothing
//! itself: it is cheaper than any loop that did. Ratios are of CPU time (getrusage), in interleaved pairs, the median of seven.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fencepost::RegistryError;
use fencepost::call::{Call, Reply};
use fencepost::environment::{BoxFuture, Environment};
use fencepost::lease::{LeaseOwnerIdentity, LeaseOwnerLiveness};
use fencepost::store::MemoryStore;
use fencepost_sim::event::RunningHash;
use fencepost_sim::generate::{Size, generate};
use fencepost_sim::laws::Laws;
use fencepost_sim::plan::Plan;
use fencepost_sim::seed::{Purpose, Seed, below};
use fencepost_sim::subject::Subject;
use fencepost_sim::world;

/// Futures of a kilobyte and more are made and dropped at every call; the system's allocator is slow with those.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 7;

/// The registry's surroundings in the bare loop: a clock that is set, and tokens that are counted.
#[derive(Clone, Default)]
struct Bare(Arc<Mutex<(u64, u64)>>);

impl Environment for Bare {
    fn now_epoch_ms(&self) -> u64 {
        self.0.lock().unwrap().0
    }
    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
    fn spawn(&self, _: BoxFuture<'static, ()>) {}
    fn fill_entropy(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().unwrap();
        for chunk in bytes.chunks_mut(8) {
            state.1 = state.1.wrapping_add(0x9e37_79b9_7f4a_7c15);
            chunk.copy_from_slice(&state.1.to_le_bytes()[..chunk.len()]);
        }
    }
    fn is_definitely_dead(&self, owner: &LeaseOwnerIdentity) -> bool {
        !matches!(owner.liveness, LeaseOwnerLiveness::Opaque)
    }
}

/// What the loop takes from its heap: a call leaves its node, arrives, and its answer is back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Leaves,
    Arrives,
    Answers,
}

fn bare(seed: Seed, tape: &[(u64, Call)]) -> u64 {
    let environment = Bare::default();
    let mut registry = fencepost::Registry::new(MemoryStore::new(), Arc::new(environment.clone()));
    let mut heap = BinaryHeap::new();
    for (number, (at_us, _)) in tape.iter().enumerate() {
        heap.push(Reverse((at_us.saturating_sub(1_000), Stage::Leaves, number)));
    }
    let mut answers: Vec<Option<Result<Reply, RegistryError>>> = vec![None; tape.len()];
    let mut answered = 0;
    while let Some(Reverse((at_us, stage, number))) = heap.pop() {
        match stage {
            Stage::Leaves => {
                let fate = seed.draw(Purpose::Fate, [0, number as u64]);
                let arrives_us = tape[number].0.max(at_us + below(fate, 1_000));
                heap.push(Reverse((arrives_us, Stage::Arrives, number)));
            }
            Stage::Arrives => {
                environment.0.lock().unwrap().0 = 1_700_000_000_000 + at_us / 1_000;
                answers[number] = Some(registry.apply(tape[number].1.clone()));
                let fate = seed.draw(Purpose::Fate, [1, number as u64]);
                heap.push(Reverse((at_us + below(fate, 1_000), Stage::Answers, number)));
            }
            Stage::Answers => {
                answered += u64::from(answers[number].take().is_some_and(|answer| answer.is_ok()))
            }
        }
    }
    answered
}

fn cpu_us() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    u64::try_from(now.tv_sec).unwrap() * 1_000_000 + u64::try_from(now.tv_nsec).unwrap() / 1_000
}

fn timed(job: impl FnOnce()) -> u64 {
    let began = cpu_us();
    job();
    (cpu_us() - began).max(1)
}

fn median(mut figures: Vec<u64>) -> u64 {
    figures.sort_unstable();
    figures[figures.len() / 2]
}

/// A ratio in hundredths.
fn shown(hundredths: u64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn plans(size: Size, count: u64) -> Vec<Arc<Plan>> {
    (0..count).map(|seed| Arc::new(generate(Seed(seed), size))).collect()
}

struct Costs {
    calls: u64,
    simulated_us: u64,
    bare: u64,
    world: u64,
    judged: u64,
    to_bare: u64,
    to_world: u64,
}

fn measure(size: Size, count: u64) -> Costs {
    let subject = Subject::fencepost();
    let plans = plans(size, count);
    let (mut calls, mut simulated_us, mut tapes) = (0, 0, Vec::new());
    for plan in &plans {
        let (outcome, tape) = world::run_taped(plan, &subject);
        calls += outcome.calls;
        simulated_us += outcome.simulated_us;
        tapes.push(tape);
    }
    let taped: usize = tapes.iter().map(Vec::len).sum();
    assert!(calls.abs_diff(taped as u64) * 8 <= calls, "the tapes have {taped} of {calls} calls");
    let (mut bares, mut worlds, mut judgeds) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bares.push(timed(|| {
            std::hint::black_box(tapes.iter().map(|tape| bare(Seed(1), tape)).sum::<u64>());
        }));
        worlds.push(timed(|| plans.iter().for_each(|plan| drop(world::run(plan, &subject, &mut ())))));
        judgeds.push(timed(|| {
            for plan in &plans {
                let mut witness = (RunningHash::default(), Laws::new(plan));
                world::run(plan, &subject, &mut witness);
                std::hint::black_box(witness.1.first_broken());
            }
        }));
    }
    let to_bare = median(judgeds.iter().zip(&bares).map(|(judged, bare)| judged * 100 / bare).collect());
    let to_world = median(judgeds.iter().zip(&worlds).map(|(judged, world)| judged * 100 / world).collect());
    Costs {
        calls,
        simulated_us,
        bare: median(bares),
        world: median(worlds),
        judged: median(judgeds),
        to_bare,
        to_world,
    }
}

fn main() {
    let standard = Size::Fixed { workers: 3, processes: 8, seconds: 60, faults: 25 };
    let sizes = [
        ("as searched", Size::Any, 300),
        ("3 workers, 8 processes, 60 s, 25 faults", standard, 60),
        ("4 times the steps", Size::Fixed { workers: 3, processes: 8, seconds: 60, faults: 100 }, 60),
        ("16 times the steps", Size::Fixed { workers: 3, processes: 8, seconds: 60, faults: 400 }, 60),
        ("4 times the processes", Size::Fixed { workers: 3, processes: 32, seconds: 60, faults: 25 }, 20),
        ("16 times the processes", Size::Fixed { workers: 3, processes: 128, seconds: 60, faults: 25 }, 6),
        ("4 times the workers", Size::Fixed { workers: 12, processes: 8, seconds: 60, faults: 25 }, 20),
        ("16 times the workers", Size::Fixed { workers: 48, processes: 8, seconds: 60, faults: 25 }, 6),
    ];
    println!(
        "{:<42} {:>9} {:>9} {:>9} {:>9} {:>10} {:>10} {:>9}",
        "ns of CPU a call", "calls", "bare", "world", "judged", "to bare", "to world", "sim:CPU"
    );
    for (name, size, count) in sizes {
        let costs = measure(size, count);
        let per_call = |us: u64| us * 1_000 / costs.calls;
        println!(
            "{name:<42} {:>9} {:>9} {:>9} {:>9} {:>10} {:>10} {:>9}",
            costs.calls,
            per_call(costs.bare),
            per_call(costs.world),
            per_call(costs.judged),
            shown(costs.to_bare),
            shown(costs.to_world),
            costs.simulated_us / costs.judged,
        );
    }
}
