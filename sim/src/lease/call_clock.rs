//! The readings that a service takes of its clock, call by call: a lease lasts from the last reading of the call that granted
//! it, and what the call changes is written down at that same reading.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fencepost::environment::{BoxFuture, Environment};
use fencepost::model::lease::LeaseOwnerIdentity;

/// A node's environment, whose clock notes its readings and can be made to stand.
pub(super) struct CallClock {
    inner: Arc<dyn Environment>,
    /// The last reading that the call which is polled now has taken.
    noted_ms: Mutex<Option<u64>>,
    stands_at_ms: Mutex<Option<u64>>,
}

impl CallClock {
    pub fn new(inner: Arc<dyn Environment>) -> Self {
        Self { inner, noted_ms: Mutex::default(), stands_at_ms: Mutex::default() }
    }

    /// The answer of a call, and the reading it was decided on: its last, or the present one if it took none.
    pub async fn timed<T>(&self, call: impl Future<Output = T>) -> (T, u64) {
        let mut call = pin!(call);
        let mut reading_ms = None;
        let answer = std::future::poll_fn(|task| {
            // Others may be polled while this call waits.
            replace(&self.noted_ms, reading_ms);
            let polled = call.as_mut().poll(task);
            reading_ms = replace(&self.noted_ms, None);
            polled
        })
        .await;
        (answer, reading_ms.unwrap_or_else(|| self.inner.now_epoch_ms()))
    }

    /// Every decision within `decide` reads this instant.
    pub fn standing_at<T>(&self, at_ms: u64, decide: impl FnOnce() -> T) -> T {
        replace(&self.stands_at_ms, Some(at_ms));
        let decided = decide();
        replace(&self.stands_at_ms, None);
        decided
    }
}

fn replace(reading: &Mutex<Option<u64>>, by: Option<u64>) -> Option<u64> {
    std::mem::replace(&mut *reading.lock().unwrap_or_else(PoisonError::into_inner), by)
}

impl Environment for CallClock {
    fn now_epoch_ms(&self) -> u64 {
        let stands_at_ms = *self.stands_at_ms.lock().unwrap_or_else(PoisonError::into_inner);
        let now_ms = stands_at_ms.unwrap_or_else(|| self.inner.now_epoch_ms());
        replace(&self.noted_ms, Some(now_ms));
        now_ms
    }

    fn monotonic(&self) -> Duration {
        self.inner.monotonic()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.inner.sleep(duration)
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.inner.spawn(task);
    }

    fn fill_entropy(&self, bytes: &mut [u8]) {
        self.inner.fill_entropy(bytes);
    }

    fn is_definitely_dead(&self, owner: &LeaseOwnerIdentity) -> bool {
        self.inner.is_definitely_dead(owner)
    }
}
