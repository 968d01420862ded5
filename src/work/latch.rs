//! A value that is set once, and those who wait for it. Much smaller than a channel: every attempt has several, and
//! nobody waits for most of them.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Clones are the same latch.
#[derive(Debug, Clone)]
pub(crate) struct Latch<T>(Arc<Mutex<LatchState<T>>>);

#[derive(Debug)]
struct LatchState<T> {
    value: Option<T>,
    /// The wakers of all waits, by the number of the wait.
    waiting: Vec<(u64, Waker)>,
    waits: u64,
}

impl<T: Copy> Latch<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(LatchState { value: None, waiting: Vec::new(), waits: 0 })))
    }

    fn state(&self) -> MutexGuard<'_, LatchState<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the value, unless one is set already.
    pub(crate) fn set(&self, value: T) {
        let waiting = {
            let mut state = self.state();
            state.value.get_or_insert(value);
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(|(_, waker)| waker.wake());
    }

    pub(crate) fn get(&self) -> Option<T> {
        self.state().value
    }

    pub(crate) fn wait(&self) -> LatchWait<T> {
        LatchWait { latch: self.clone(), number: None }
    }
}

/// Waits until the value is set; at once, if it is.
pub(crate) struct LatchWait<T: Copy> {
    latch: Latch<T>,
    number: Option<u64>,
}

impl<T: Copy> Future for LatchWait<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<T> {
        let latch = self.latch.clone();
        let mut state = latch.state();
        if let Some(value) = state.value {
            return Poll::Ready(value);
        }
        let number = *self.number.get_or_insert_with(|| {
            state.waits += 1;
            state.waits
        });
        match state.waiting.iter_mut().find(|(of, _)| *of == number) {
            Some((_, waker)) => waker.clone_from(task.waker()),
            None => state.waiting.push((number, task.waker().clone())),
        }
        Poll::Pending
    }
}

impl<T: Copy> Drop for LatchWait<T> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.latch.state().waiting.retain(|(of, _)| *of != number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_hears_the_first_value_and_whoever_gave_up_is_forgotten() {
        let latch = Latch::new();
        let mut task = Context::from_waker(Waker::noop());
        let mut waits = [latch.wait(), latch.wait()];
        assert!(Pin::new(&mut waits[0]).poll(&mut task).is_pending());
        assert!(Pin::new(&mut waits[1]).poll(&mut task).is_pending());
        assert!(Pin::new(&mut waits[1]).poll(&mut task).is_pending());
        assert_eq!(latch.state().waiting.len(), 2);
        let [first, second] = waits;
        drop(second);
        assert_eq!(latch.state().waiting.len(), 1);
        latch.set(1);
        latch.set(2);
        assert_eq!((latch.get(), Pin::new(&mut { first }).poll(&mut task)), (Some(1), Poll::Ready(1)));
        assert_eq!(Pin::new(&mut latch.wait()).poll(&mut task), Poll::Ready(1));
    }
}
