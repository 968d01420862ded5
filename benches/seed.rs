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

/// The stages of a call in the loop's heap: it leaves its node, it arrives, and its answer is back.
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
                answers[number] = Some(registry.apply(&taped.call));
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

fn plans(store: Store, size: WorldSize, count: u64) -> Vec<Arc<Plan>> {
    (0..count).map(|seed| Arc::new(generate_of_size(Seed(seed), store, size))).collect()
}

struct Costs {
    calls: u64,
    simulated_us: u64,
    /// The bare loop's cost and the ratio to it. None on SQLite: the bare loop cannot replay the disk's faults.
    bare: Option<(u64, u64)>,
    world: u64,
    judged: u64,
    to_world: u64,
}

fn measure(store: Store, size: WorldSize, count: u64) -> Costs {
    let subject = Subject::fencepost();
    let plans = plans(store, size, count);
    let (mut calls, mut simulated_us, mut tapes) = (0, 0, Vec::new());
    for plan in &plans {
        let (outcome, tape) = world::run_with_calls(plan, &subject);
        simulated_us += outcome.simulated_us;
        calls += tape.len() as u64;
        tapes.push((plan, tape));
    }
    if store == Store::Sqlite {
        tapes.clear();
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
    let ratio = |to: &[u64]| median(judgeds.iter().zip(to).map(|(judged, to)| judged * 100 / to).collect());
    let (to_bare, to_world) = (ratio(&bares), ratio(&worlds));
    let bare = (store == Store::Memory).then(|| (median(bares), to_bare));
    Costs { calls, simulated_us, bare, world: median(worlds), judged: median(judgeds), to_world }
}

fn main() {
    let of = |workers, processes, faults| WorldSize::Fixed { workers, processes, seconds: 60, faults };
    let sizes = [
        ("as searched", Store::Memory, WorldSize::Any, 300),
        ("3 workers, 8 processes, 60 s, 25 faults", Store::Memory, of(3, 8, 25), 60),
        ("4 times the steps", Store::Memory, of(3, 8, 100), 60),
        ("16 times the steps", Store::Memory, of(3, 8, 400), 60),
        ("4 times the processes", Store::Memory, of(3, 32, 25), 20),
        ("16 times the processes", Store::Memory, of(3, 128, 25), 6),
        ("4 times the workers", Store::Memory, of(12, 8, 25), 20),
        ("16 times the workers", Store::Memory, of(48, 8, 25), 6),
        ("as searched, on SQLite", Store::Sqlite, WorldSize::Any, 60),
    ];
    println!(
        "{:<42} {:>9} {:>9} {:>9} {:>9} {:>10} {:>10} {:>9}",
        "ns of CPU a call", "calls", "bare", "world", "judged", "to bare", "to world", "sim:CPU"
    );
    for (name, store, size, count) in sizes {
        let costs = measure(store, size, count);
        let per_call = |us: u64| us * 1_000 / costs.calls;
        let (bare, to_bare) = match costs.bare {
            Some((bare, to_bare)) => (per_call(bare).to_string(), shown(to_bare)),
            None => ("-".to_owned(), "-".to_owned()),
        };
        println!(
            "{name:<42} {:>9} {bare:>9} {:>9} {:>9} {to_bare:>10} {:>10} {:>9}",
            costs.calls,
            per_call(costs.world),
            per_call(costs.judged),
            shown(costs.to_world),
            costs.simulated_us / costs.judged,
        );
    }
}
