//! Renewing a lease while work is done under it, from the claim to the outcome: one future that sends the renewals, and
//! asks before each poll of the work whether the lease is still held. So no work is polled after its lease is lost, and
//! every call and effect is started in a poll that found the lease held.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::environment::BoxFuture;
use crate::model::error::RegistryError;
use crate::model::lease::ProcessLease;
use crate::panics::drop_quietly;
use crate::registry::ProcessRegistry;
use crate::rules::worker::Renewal;
use crate::work::lease_belief::LeaseBelief;

/// A renewal that was given up on may still answer. At most this many are waited for.
const RENEWALS_IN_FLIGHT: usize = 3;

/// The work's answer, or `None` once the lease is lost: by then the work has been dropped where it stood.
pub(crate) async fn keep_lease_during<T>(
    belief: &LeaseBelief,
    registry: Arc<dyn ProcessRegistry>,
    work: BoxFuture<'_, T>,
) -> Option<T> {
    let mut renewals = RenewalLoop::new(belief.clone(), registry);
    let mut work = Some(work);
    let answer = poll_fn(|task| {
        loop {
            if renewals.check(task).is_ready() {
                return Poll::Ready(None);
            }
            if let Some(Poll::Ready(answer)) = work.as_mut().map(|work| work.as_mut().poll(task)) {
                return Poll::Ready(Some(answer));
            }
            // The work itself may have been told that its lease is gone, or have outlasted it in this very poll.
            if !belief.may_act() {
                return Poll::Ready(None);
            }
            if renewals.wait(task).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await;
    drop_quietly(work);
    answer
}

struct RenewalLoop {
    belief: LeaseBelief,
    registry: Arc<dyn ProcessRegistry>,
    next_at: Duration,
    last_sent: Option<Duration>,
    /// Renewals without an answer, oldest first, each with the instant at which it was first sent.
    in_flight: Vec<(Duration, BoxFuture<'static, Result<ProcessLease, RegistryError>>)>,
    alarm: Option<(Duration, BoxFuture<'static, ()>)>,
}

impl RenewalLoop {
    fn new(belief: LeaseBelief, registry: Arc<dyn ProcessRegistry>) -> Self {
        let first_in = Duration::from_millis((belief.rules().first_renewal_in_ms)(belief.timings()));
        let next_at = belief.extended_at().saturating_add(first_in);
        Self { belief, registry, next_at, last_sent: None, in_flight: Vec::new(), alarm: None }
    }

    /// Becomes ready when the lease is lost, and stays ready.
    fn check(&mut self, task: &mut Context<'_>) -> Poll<()> {
        loop {
            if !self.belief.may_act() || self.hear_answers(task).is_ready() {
                return Poll::Ready(());
            }
            let now = self.belief.environment().monotonic();
            if now < self.next_at {
                return Poll::Pending;
            }
            self.send(now);
        }
    }

    /// Ready when there is something to check.
    fn wait(&mut self, task: &mut Context<'_>) -> Poll<()> {
        let now = self.belief.environment().monotonic();
        let deadline = self.belief.deadline();
        // A deadline that has passed is no reason to wake again, whatever the rules made of it.
        let wake_at = if deadline > now { self.next_at.min(deadline) } else { self.next_at };
        if self.alarm.as_ref().is_none_or(|(at, _)| *at != wake_at) {
            self.alarm = Some((wake_at, self.belief.environment().sleep(wake_at.saturating_sub(now))));
        }
        let rings = self.alarm.as_mut().map_or(Poll::Pending, |(_, alarm)| alarm.as_mut().poll(task));
        if rings.is_ready() {
            self.alarm = None;
        }
        rings
    }

    /// A renewal is given up on after an interval, or what is left if that is less: then the next one is sent, while
    /// the answer of the first may still come and count.
    fn send(&mut self, now: Duration) {
        let timings = self.belief.timings();
        let left = self.belief.deadline().saturating_sub(now);
        let patience = Duration::from_millis(timings.renew_interval_ms()).min(left);
        self.next_at = now.saturating_add(patience.max(Duration::from_millis(1)));
        if self.in_flight.len() == RENEWALS_IN_FLIGHT {
            drop(self.in_flight.remove(0));
        }
        let (registry, lease, ttl_ms) =
            (Arc::clone(&self.registry), self.belief.lease().clone(), timings.ttl_ms());
        let renewal = async move { registry.renew_process_lease(&lease, ttl_ms).await };
        self.in_flight.push((now, Box::pin(renewal)));
        self.last_sent = Some(now);
    }

    /// Ready when an answer says that the lease is lost. Only the newest renewal's answer decides when the next is
    /// sent: an older one has been followed already.
    fn hear_answers(&mut self, task: &mut Context<'_>) -> Poll<()> {
        let mut place = 0;
        while let Some((first_sent, renewal)) = self.in_flight.get_mut(place) {
            let first_sent = *first_sent;
            let Poll::Ready(answer) = renewal.as_mut().poll(task) else {
                place += 1;
                continue;
            };
            drop(self.in_flight.remove(place));
            let (next_from, next_in_ms) = match (self.belief.rules().after_renewal)(
                &answer,
                self.belief.lease(),
                self.belief.timings(),
            ) {
                Renewal::Lost => {
                    let told = answer.err().map(|error| error.to_string());
                    self.belief.lose(told.as_deref().unwrap_or("its renewal was answered with another's"));
                    return Poll::Ready(());
                }
                Renewal::Believed { next_in_ms } => {
                    self.belief.extend(first_sent);
                    (first_sent, next_in_ms)
                }
                Renewal::NotBelieved { next_in_ms } => {
                    (self.belief.environment().monotonic(), next_in_ms.max(1))
                }
            };
            if self.last_sent == Some(first_sent) {
                self.next_at = next_from.saturating_add(Duration::from_millis(next_in_ms));
            }
        }
        Poll::Pending
    }
}
