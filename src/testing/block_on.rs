//! Waiting for a future on the calling thread, without any runtime.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use crate::testing::manual_environment::HandEnvironment;

/// How often [`block_on_beside`] looks again while somebody sleeps and somebody else may yet wake the future, and how long
/// it waits before each look: five seconds in all.
const LOOKS: u32 = 500;
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

struct Unpark {
    thread: Thread,
    is_woken: AtomicBool,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.is_woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

impl Unpark {
    fn new() -> Arc<Self> {
        Arc::new(Self { thread: std::thread::current(), is_woken: AtomicBool::new(false) })
    }
}

/// Waits for a future that other threads complete. Nothing here turns a clock: see
/// [`crate::testing::manual_environment::HandEnvironment::run`].
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Unpark::new());
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        std::thread::park();
    }
}

/// As [`block_on`], and runs the tasks of an environment whose clocks stand still. `None` when the future waits for its
/// sleepers, whom nobody will wake.
pub fn block_on_beside<T>(environment: &HandEnvironment, future: impl Future<Output = T>) -> Option<T> {
    let unpark = Unpark::new();
    let waker = Waker::from(Arc::clone(&unpark));
    let mut future = pin!(future);
    let mut looks = 0;
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(output);
        }
        environment.settle();
        // Two wakers are held here. Who holds another one, and does not sleep, can wake the future.
        let wakers = Arc::strong_count(&unpark) - 2;
        // Who gave one back has used it before.
        fence(Ordering::Acquire);
        if unpark.is_woken.swap(false, Ordering::Acquire) {
            looks = 0;
            continue;
        }
        if wakers <= environment.sleepers_with(&waker) || looks == LOOKS {
            return None;
        }
        if environment.has_sleepers() {
            // A thread may bring the answer, or nobody: a sleeper may hold the waker by way of another one.
            looks += 1;
            std::thread::park_timeout(BETWEEN_LOOKS);
        } else {
            std::thread::park();
        }
    }
}
