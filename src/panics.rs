//! Panics in code that is not ours (bodies, engines, event sinks): caught, and turned into the message they carried.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// The answer of somebody else's code, or the message it panicked with.
pub(crate) async fn catch_panic<T>(foreign: impl Future<Output = T>) -> Result<T, String> {
    let mut foreign = pin!(foreign);
    poll_fn(|task| match catch_unwind(AssertUnwindSafe(|| foreign.as_mut().poll(task))) {
        Ok(polled) => polled.map(Ok),
        Err(panic) => Poll::Ready(Err(panic_message(panic.as_ref()))),
    })
    .await
}

/// Drops what belongs to somebody else; a panic in its destructor ends there.
pub(crate) fn drop_quietly<T>(foreign: T) {
    drop(catch_unwind(AssertUnwindSafe(|| drop(foreign))));
}

pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "the body panicked without a message".to_owned())
}
