//! Std's clock for crates that ask the machine for the time and cannot be handed a clock: it shows what their node's shows.

use std::future::poll_fn;
use std::pin::pin;
use std::time::{Duration, SystemTime};

use fencepost::environment::Environment;
use madsim::runtime::Runtime;
use madsim::time::TimeHandle;

/// Polls a call so that `SystemTime::now()` in it, that of C code included, is `environment`'s wall clock. Each poll takes one
/// reading of that clock, and time stands still during a poll.
///
/// It is for registries whose clock cannot be injected: `with_std_clock(&*environment, registry.claim(…)).await`. It works
/// where runs do: on their thread, in a binary built with `--cfg madsim`. Readings before 2023 are shown as some time of 2022,
/// and `Instant` shows no passage of time.
pub async fn with_std_clock<T>(environment: &dyn Environment, call: impl Future<Output = T>) -> T {
    let mut call = pin!(call);
    poll_fn(|task| {
        let now_ms = environment.now_epoch_ms();
        // A runtime's clock only goes forward, and a node's may step back.
        runtime_of(0).block_on(async {
            TimeHandle::current().advance(Duration::from_millis(now_ms).saturating_sub(shown()));
            call.as_mut().poll(task)
        })
    })
    .await
}

/// The most that a clock is ahead of its node's, so that it is never ahead by the millisecond at which it is set back.
const HALF_A_MS_IN_NS: u64 = 500_000;

/// Std's clock on one node: `SystemTime` and whatever asks for it shows the node's wall clock, `Instant` keeps pace with it, and
/// entropy is drawn from the node's seed.
pub struct NodeStdClock {
    seed: u64,
    runtime: Runtime,
    /// How often it was set back.
    steps_back: u64,
    times_shown: u64,
}

impl NodeStdClock {
    pub fn new(seed: u64) -> Self {
        Self { seed, runtime: runtime_of(seed), steps_back: 0, times_shown: 0 }
    }

    /// Time stands still while `work` runs. Each time the clock shows a nanosecond more: no timer of a real machine wakes exactly
    /// at an instant, and a client that polls until the instant is past would poll for ever.
    pub fn during<T>(&mut self, wall_ms: u64, work: impl FnOnce() -> T) -> T {
        self.times_shown += 1;
        let wall = Duration::from_millis(wall_ms) + Duration::from_nanos(self.times_shown % HALF_A_MS_IN_NS);
        // It passes some nanoseconds by itself.
        if self.runtime.block_on(async { shown() }) >= wall + Duration::from_millis(1) {
            self.set_back();
        }
        self.runtime.block_on(async {
            TimeHandle::current().advance(wall.saturating_sub(shown()));
            work()
        })
    }

    /// A runtime's clock only goes forward. A new one of the same seed counts from the same beginning, so `Instant` steps back as
    /// far as the wall clock, and no further.
    fn set_back(&mut self) {
        const DRAWN_A_STEP: u64 = 4_096;
        self.runtime = runtime_of(self.seed);
        self.steps_back += 1;
        // Else it would draw the same entropy again.
        let drawn = self.steps_back * DRAWN_A_STEP;
        self.runtime.block_on(async {
            for _ in 0..drawn {
                let _: u64 = madsim::rand::random();
            }
        });
    }
}

fn shown() -> Duration {
    TimeHandle::current().now_time().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

fn runtime_of(seed: u64) -> Runtime {
    Runtime::with_seed_and_config(seed, madsim::Config::default())
}
