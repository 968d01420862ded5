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
        let runtime = Runtime::with_seed_and_config(0, madsim::Config::default());
        runtime.block_on(async {
            let time = TimeHandle::current();
            let since_epoch = time.now_time().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            time.advance(Duration::from_millis(now_ms).saturating_sub(since_epoch));
            call.as_mut().poll(task)
        })
    })
    .await
}
