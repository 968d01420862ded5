//! Running a body under its lease: one future that polls, in this order, whether the lease still holds, the renewals,
//! a drain, the wish to cancel, and the body. So no body is polled after its lease is lost, and what it starts in a
//! poll it starts in the poll that found the lease held.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::cancellation::CancellationToken;
use crate::engine::{InfrastructureFailure, ProcessContext};
use crate::environment::BoxFuture;
use crate::error::RegistryError;
use crate::event::CANCEL_REQUESTED;
use crate::hold::Hold;
use crate::lease::ProcessLease;
use crate::process::ProcessAwaitOutput;
use crate::registry::ProcessRegistry;
use crate::rules::attempt::{BodyEnd, Renewal};

type Body<'a> = BoxFuture<'a, Result<ProcessAwaitOutput, InfrastructureFailure>>;

/// Renewals that were given up on may still answer; more than this many are not waited for.
const RENEWALS_IN_FLIGHT: usize = 3;

/// Polls the body until it ends or may not go on; then it is dropped.
pub(crate) async fn run_body(
    body: Body<'_>,
    context: &ProcessContext<'_>,
    callers_wish: &CancellationToken,
    drain: &CancellationToken,
) -> BodyEnd {
    let hold = &context.hold;
    let mut body = Some(body);
    let mut renewals = Renewals::new(hold.clone(), Arc::clone(&context.registry));
    let mut drained = pin!(drain.cancelled());
    // The caller's token is raised for whatever else the caller does; what the log asks concerns this body alone.
    let mut wished = Some(Box::pin(callers_wish.cancelled()));
    let mut permit: Option<BoxFuture<'_, ()>> = None;
    let mut cancel_watch = Some(Box::pin(watch_for_cancel(context)));
    let end = poll_fn(|task| {
        if renewals.poll(task).is_ready() {
            return Poll::Ready(BodyEnd::LeaseLost);
        }
        if drained.as_mut().poll(task).is_ready() {
            return Poll::Ready(BodyEnd::Drained);
        }
        if cancel_watch.as_mut().is_some_and(|watch| watch.as_mut().poll(task).is_ready()) {
            cancel_watch = None;
        }
        if wished.as_mut().is_some_and(|wish| wish.as_mut().poll(task).is_ready()) {
            wished = None;
            context.cancellation.cancel();
        }
        let Some(running) = &mut body else {
            return Poll::Ready(BodyEnd::LeaseLost);
        };
        // After a wait the body goes on only beside as many others as the bound allows.
        if hold.lacks_permit() {
            let fetched = permit.get_or_insert_with(|| Box::pin(hold.take_permit()));
            if fetched.as_mut().poll(task).is_pending() {
                return Poll::Pending;
            }
        }
        permit = None;
        let polled = catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(task)));
        // The body itself may have been told that its lease is gone.
        if !hold.may_act() {
            return Poll::Ready(BodyEnd::LeaseLost);
        }
        match polled {
            Ok(Poll::Pending) => {
                if hold.lacks_permit() {
                    // A wait ended in this poll: fetch the permit in the next.
                    task.waker().wake_by_ref();
                }
                Poll::Pending
            }
            Ok(Poll::Ready(Ok(output))) => Poll::Ready(BodyEnd::Output(output)),
            Ok(Poll::Ready(Err(failure))) => {
                log::warn!("process `{}` met a failure that is not its own: {failure}", context.process_id());
                Poll::Ready(BodyEnd::InfrastructureFailed)
            }
            Err(panic) => Poll::Ready(BodyEnd::Panicked { message: panic_message(panic.as_ref()) }),
        }
    })
    .await;
    // What a body does when it is dropped is its own affair, a panic too.
    drop(catch_unwind(AssertUnwindSafe(|| body = None)));
    hold.retire();
    end
}

/// The answer of somebody else's code, or what it said when it panicked.
pub(crate) async fn caught<T>(foreign: impl Future<Output = T>) -> Result<T, String> {
    let mut foreign = pin!(foreign);
    poll_fn(|task| match catch_unwind(AssertUnwindSafe(|| foreign.as_mut().poll(task))) {
        Ok(polled) => polled.map(Ok),
        Err(panic) => Poll::Ready(Err(panic_message(panic.as_ref()))),
    })
    .await
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "the body panicked without a message".to_owned())
}

/// Raises the body's token once a cancel request stands in the log, however old.
async fn watch_for_cancel(context: &ProcessContext<'_>) {
    let mut watch = context.awaiter.watch(context.process_id());
    let mut cursor = 0;
    loop {
        match context.hold.patiently(context.registry.events_after(context.process_id(), cursor)).await {
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

/// Keeps a lease, and knows when it is lost.
struct Renewals {
    hold: Hold,
    registry: Arc<dyn ProcessRegistry>,
    next_at: Duration,
    /// With the instant each was first sent, oldest first.
    in_flight: Vec<(Duration, BoxFuture<'static, Result<ProcessLease, RegistryError>>)>,
    alarm: Option<(Duration, BoxFuture<'static, ()>)>,
}

impl Renewals {
    fn new(hold: Hold, registry: Arc<dyn ProcessRegistry>) -> Self {
        let first_in = Duration::from_millis((hold.rules().first_renewal_in_ms)(hold.timings()));
        // Counted as the deadline is: what came before the body has used up part of the lease.
        let next_at = hold.extended_at().saturating_add(first_in);
        Self { hold, registry, next_at, in_flight: Vec::new(), alarm: None }
    }

    /// Ready once the lease is lost, for ever.
    fn poll(&mut self, task: &mut Context<'_>) -> Poll<()> {
        loop {
            if !self.hold.may_act() || self.hear_answers(task).is_ready() {
                return Poll::Ready(());
            }
            let now = self.hold.environment().monotonic();
            if now >= self.next_at {
                self.send(now);
                continue;
            }
            let deadline = self.hold.deadline();
            // A deadline that has passed is no reason to wake again, whatever the rules made of it.
            let wake_at = if deadline > now { self.next_at.min(deadline) } else { self.next_at };
            if self.alarm.as_ref().is_none_or(|(at, _)| *at != wake_at) {
                self.alarm = Some((wake_at, self.hold.environment().sleep(wake_at.saturating_sub(now))));
            }
            let rings = self.alarm.as_mut().is_some_and(|(_, alarm)| alarm.as_mut().poll(task).is_ready());
            if !rings {
                return Poll::Pending;
            }
            self.alarm = None;
        }
    }

    /// A renewal is given up on after an interval, or what is left if that is less: then the next one is sent, while
    /// the answer of the first may still come and count.
    fn send(&mut self, now: Duration) {
        let timings = self.hold.timings();
        let left = self.hold.deadline().saturating_sub(now);
        let patience = Duration::from_millis(timings.renew_interval_ms()).min(left);
        self.next_at = now.saturating_add(patience.max(Duration::from_millis(1)));
        if self.in_flight.len() == RENEWALS_IN_FLIGHT {
            drop(self.in_flight.remove(0));
        }
        let (registry, lease, ttl_ms) =
            (Arc::clone(&self.registry), self.hold.lease().clone(), timings.ttl_ms());
        let renewal = async move { registry.renew_process_lease(&lease, ttl_ms).await };
        self.in_flight.push((now, Box::pin(renewal)));
    }

    /// Ready when an answer says that the lease is lost.
    fn hear_answers(&mut self, task: &mut Context<'_>) -> Poll<()> {
        let mut place = 0;
        while let Some((first_sent, renewal)) = self.in_flight.get_mut(place) {
            let first_sent = *first_sent;
            let Poll::Ready(answer) = renewal.as_mut().poll(task) else {
                place += 1;
                continue;
            };
            drop(self.in_flight.remove(place));
            match (self.hold.rules().after_renewal)(&answer, self.hold.lease(), self.hold.timings()) {
                Renewal::Lost => {
                    self.hold.lose();
                    return Poll::Ready(());
                }
                Renewal::Believed { next_in_ms } => {
                    self.hold.extend(first_sent);
                    self.next_at = first_sent.saturating_add(Duration::from_millis(next_in_ms));
                }
                Renewal::NotBelieved { next_in_ms } => {
                    let now = self.hold.environment().monotonic();
                    self.next_at = now.saturating_add(Duration::from_millis(next_in_ms));
                }
            }
        }
        Poll::Pending
    }
}
