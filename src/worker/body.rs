//! Running a body: one future that polls, in this order, a drain, the wish to cancel, the permit and the body. It runs
//! inside `renewal.rs`, which has asked in the same poll whether the lease is still held.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use crate::environment::BoxFuture;
use crate::model::event::CANCEL_REQUESTED;
use crate::model::process::ProcessAwaitOutput;
use crate::panics::{drop_quietly, panic_message};
use crate::rules::worker::BodyEnd;
use crate::work::cancellation::CancellationToken;
use crate::work::engine::{InfrastructureFailure, ProcessContext};

type BodyFuture<'a> = BoxFuture<'a, Result<ProcessAwaitOutput, InfrastructureFailure>>;

/// Polls the body until it ends or is drained; then it is dropped.
pub(crate) async fn run_body(
    body: BodyFuture<'_>,
    context: &ProcessContext<'_>,
    callers_wish: &CancellationToken,
    drain: &CancellationToken,
) -> Result<BodyEnd, InfrastructureFailure> {
    let belief = &context.belief;
    let mut body = body;
    let mut drained = pin!(drain.cancelled());
    // The caller's token is raised for whatever else the caller does; what the log asks concerns this body alone.
    let mut wished = Some(Box::pin(callers_wish.cancelled()));
    let mut permit: Option<BoxFuture<'_, ()>> = None;
    let mut tidying: Option<BoxFuture<'_, _>> = None;
    let mut cancel_watch = Some(Box::pin(watch_for_cancel(context)));
    let end = poll_fn(|task| {
        if drained.as_mut().poll(task).is_ready() {
            return Poll::Ready(Ok(BodyEnd::Drained));
        }
        if cancel_watch.as_mut().is_some_and(|watch| watch.as_mut().poll(task).is_ready()) {
            cancel_watch = None;
        }
        if wished.as_mut().is_some_and(|wish| wish.as_mut().poll(task).is_ready()) {
            wished = None;
            context.cancellation.cancel();
        }
        // After a wait the body goes on only beside as many others as the bound allows.
        if belief.lacks_permit() {
            let fetched = permit.get_or_insert_with(|| Box::pin(belief.take_permit()));
            if fetched.as_mut().poll(task).is_pending() {
                return Poll::Pending;
            }
        }
        permit = None;
        // A wait that was given up, or left by an earlier attempt, is not shown any longer.
        if tidying.is_none() && context.shows_stale_wait() {
            tidying = Some(Box::pin(context.show_no_wait()));
        }
        if tidying.as_mut().is_some_and(|tidying| tidying.as_mut().poll(task).is_ready()) {
            tidying = None;
        }
        let polled = catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(task)));
        match polled {
            Ok(Poll::Pending) => {
                if belief.lacks_permit() {
                    // A wait ended in this poll: fetch the permit in the next.
                    task.waker().wake_by_ref();
                }
                Poll::Pending
            }
            Ok(Poll::Ready(Ok(output))) => Poll::Ready(Ok(BodyEnd::Output(output))),
            Ok(Poll::Ready(Err(failure))) => Poll::Ready(Err(failure)),
            Err(panic) => Poll::Ready(Ok(BodyEnd::Panicked { message: panic_message(panic.as_ref()) })),
        }
    })
    .await;
    drop_quietly(body);
    belief.retire();
    end
}

/// Raises the body's token once a cancel request stands in the log, however old.
async fn watch_for_cancel(context: &ProcessContext<'_>) {
    let mut watch = context.awaiter.watch(context.process_id());
    let mut cursor = 0;
    loop {
        match context.belief.patiently(context.registry.events_after(context.process_id(), cursor)).await {
            Ok(events) if events.iter().any(|event| event.event_type == CANCEL_REQUESTED) => {
                return context.cancellation.cancel();
            }
            Ok(events) => cursor = events.last().map_or(cursor, |last| last.sequence),
            Err(error) if error.is_refusal() => return,
            Err(_) => {}
        }
        watch.wait().await;
    }
}
