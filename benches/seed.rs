//! The CPU cost of a seed, compared with a bare event loop for the same calls: decided at the same instants by the same rules
//! on the same store, with the same random draws for messages and the same answers of the registry's probe, and without
//! tasks, recorder and laws. The loop replays a tape of the world's calls and decides nothing itself, so it is cheaper than
//! any loop that does. Ratios are medians of seven interleaved pairs.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fencepost::RegistryError;
use fencepost::environment::{BoxFuture, Environment};
use fencepost::model::lease::LeaseOwnerIdentity;
use fencepost::model::row::Tenure;
use fencepost::registry::calls::Reply;
use fencepost::store::{Access, MemoryStore, Store as _};
use fencepost_sim::generate::{WorldSize, generate_of_size};
use fencepost_sim::history::event::RunningHash;
use fencepost_sim::laws::{Finding, LawResult, Laws};
use fencepost_sim::plan::chance::{Purpose, Seed, below};
use fencepost_sim::plan::{Plan, Store};
use fencepost_sim::subject::Subject;
use fencepost_sim::world;
use fencepost_sim::world::DecidedCall;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// Futures of a kilobyte and more are made and dropped at every call; the system's allocator is slow with those.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 7;

/// The registry's surroundings in the bare loop: a clock that is set, and the entropy it has in the world.
#[derive(Clone)]
struct Bare(Arc<Mutex<Surroundings>>);

struct Surroundings {
    clock_ms: u64,
    life: u64,
    entropy: ChaCha8Rng,
    /// The answer of the world's probe to the call that is replayed.
    is_holder_dead: bool,
}

/// As the world keys it: by the registry's number and life.
fn entropy(seed: Seed, life: u64) -> ChaCha8Rng {
    seed.stream(Purpose::Entropy, [0, life])
}

impl Environment for Bare {
    fn now_epoch_ms(&self) -> u64 {
        self.0.lock().unwrap().clock_ms
    }
    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
    fn spawn(&self, _: BoxFuture<'static, ()>) {}
    fn fill_entropy(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap().entropy.fill_bytes(bytes);
    }
    fn is_definitely_dead(&self, _: &LeaseOwnerIdentity) -> bool {
        self.0.lock().unwrap().is_holder_dead
    }
}

/// What the loop takes from its heap: a call leaves its node, arrives, and its answer is back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Leaves,
    Arrives,
    Answers,
}

/// An empty store, in which the plan's processes have as few fences left as in the world.
fn store_of(plan: &Plan) -> MemoryStore {
    let mut store = MemoryStore::new();
    if let Some(left) = plan.fences_left {
        let tenure = Tenure { lease: None, highest_fence: u64::MAX - left };
        let preset = store.atomically(Access::Write, |rows| {
            plan.bodies().try_for_each(|(process, _)| rows.put_tenure(&process.to_string(), &tenure))
        });
        preset.unwrap();
    }
    store
}

fn bare(plan: &Plan, tape: &[DecidedCall]) -> u64 {
    let seed = Seed(plan.seed);
    let surroundings =
        Surroundings { clock_ms: 0, life: 1, entropy: entropy(seed, 1), is_holder_dead: false };
    let environment = Bare(Arc::new(Mutex::new(surroundings)));
    // The world's server draws its life's name from the same stream first.
    environment.fill_entropy(&mut [0; 16]);
    let mut registry = fencepost::Registry::new(store_of(plan), Arc::new(environment.clone()));
    let mut heap = BinaryHeap::new();
    for (number, taped) in tape.iter().enumerate() {
        heap.push(Reverse((taped.at_us.saturating_sub(1_000), number, Stage::Leaves)));
    }
    let mut answers: Vec<Option<Result<Reply, RegistryError>>> = vec![None; tape.len()];
    let mut answered = 0;
    while let Some(Reverse((at_us, number, stage))) = heap.pop() {
        let taped = &tape[number];
        match stage {
            Stage::Leaves => {
                std::hint::black_box(seed.draw(Purpose::Fate, [0, number as u64]));
                heap.push(Reverse((taped.at_us.max(at_us), number, Stage::Arrives)));
            }
            Stage::Arrives => {
                {
                    let mut surroundings = environment.0.lock().unwrap();
                    surroundings.clock_ms = taped.clock_ms;
                    surroundings.is_holder_dead = taped.is_holder_dead;
                    if surroundings.life != taped.life {
                        surroundings.life = taped.life;
                        surroundings.entropy = entropy(seed, taped.life);
                        surroundings.entropy.fill_bytes(&mut [0; 16]);
                    }
                }
                answers[number] = Some(registry.apply(taped.call.clone()));
                let fate = seed.draw(Purpose::Fate, [1, number as u64]);
                heap.push(Reverse((at_us + below(fate, 1_000), number, Stage::Answers)));
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

fn plans(size: WorldSize, count: u64) -> Vec<Arc<Plan>> {
    (0..count).map(|seed| Arc::new(generate_of_size(Seed(seed), Store::Memory, size))).collect()
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

fn measure(size: WorldSize, count: u64) -> Costs {
    let subject = Subject::fencepost();
    let plans = plans(size, count);
    let (mut calls, mut simulated_us, mut tapes) = (0, 0, Vec::new());
    for plan in &plans {
        let (outcome, tape) = world::run_with_calls(plan, &subject);
        simulated_us += outcome.simulated_us;
        calls += tape.len() as u64;
        tapes.push((plan, tape));
    }
    // The same job: as many calls as the world decided, and as many of them granted.
    let wanted: usize = tapes.iter().map(|(_, tape)| tape.iter().filter(|taped| taped.was_ok).count()).sum();
    let answered: u64 = tapes.iter().map(|(plan, tape)| bare(plan, tape)).sum();
    assert_eq!(answered, wanted as u64, "calls that the bare loop answered Ok, and those that the world did");
    let (mut bares, mut worlds, mut judgeds) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bares.push(timed(|| {
            std::hint::black_box(tapes.iter().map(|(plan, tape)| bare(plan, tape)).sum::<u64>());
        }));
        worlds.push(timed(|| plans.iter().for_each(|plan| drop(world::run(plan, &subject, &mut ())))));
        judgeds.push(timed(|| {
            for plan in &plans {
                let mut witness = (RunningHash::default(), Laws::new(plan));
                world::run(plan, &subject, &mut witness);
                let findings: Vec<Finding> = witness.1.all().iter().map(LawResult::finding).collect();
                std::hint::black_box(findings);
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
    let standard = WorldSize::Fixed { workers: 3, processes: 8, seconds: 60, faults: 25 };
    let sizes = [
        ("as searched", WorldSize::Any, 300),
        ("3 workers, 8 processes, 60 s, 25 faults", standard, 60),
        ("4 times the steps", WorldSize::Fixed { workers: 3, processes: 8, seconds: 60, faults: 100 }, 60),
        ("16 times the steps", WorldSize::Fixed { workers: 3, processes: 8, seconds: 60, faults: 400 }, 60),
        (
            "4 times the processes",
            WorldSize::Fixed { workers: 3, processes: 32, seconds: 60, faults: 25 },
            20,
        ),
        (
            "16 times the processes",
            WorldSize::Fixed { workers: 3, processes: 128, seconds: 60, faults: 25 },
            6,
        ),
        ("4 times the workers", WorldSize::Fixed { workers: 12, processes: 8, seconds: 60, faults: 25 }, 20),
        ("16 times the workers", WorldSize::Fixed { workers: 48, processes: 8, seconds: 60, faults: 25 }, 6),
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
