//! A worker's belief about its lease, and where it decides that the lease is lost. The belief ends by the worker's own
//! clock, one ttl after the last call that is known to have extended the lease was FIRST sent: the registry cannot have
//! counted from an earlier instant. Every effect and every call under the grant asks here in the poll that starts it.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::environment::{Environment, before};
use crate::model::error::RegistryError;
use crate::model::lease::ProcessLease;
use crate::model::lease_timings::LeaseTimings;
use crate::rules::worker::WorkerRules;

/// Clones are the same belief.
#[derive(Clone)]
pub(crate) struct LeaseBelief(Arc<SharedBelief>);

/// The parts that all beliefs of one worker share.
pub(crate) struct BeliefContext {
    pub(crate) environment: Arc<dyn Environment>,
    pub(crate) timings: LeaseTimings,
    pub(crate) rules: WorkerRules,
    pub(crate) permits: Arc<Semaphore>,
}

struct SharedBelief {
    lease: ProcessLease,
    context: BeliefContext,
    state: Mutex<BeliefState>,
}

struct BeliefState {
    /// When the last call that is known to have extended the lease was first sent.
    extended_at: Duration,
    deadline: Duration,
    is_lost: bool,
    /// The right to run beside others; given back while the body waits for somebody else.
    permit: Option<OwnedSemaphorePermit>,
    /// How many waits for others the body is in.
    waits: usize,
    /// Parts of the body that wait for a permit, to be polled again once there is one.
    without_permit: Vec<Waker>,
}

/// One wait for somebody else, however it ends.
struct IdleWait<'a>(&'a LeaseBelief);

impl Drop for IdleWait<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        assert!(state.waits > 0, "a wait ends that never began");
        state.waits -= 1;
    }
}

impl LeaseBelief {
    /// `first_sent` is when the claim that won the lease was first sent.
    pub(crate) fn new(
        lease: ProcessLease,
        context: BeliefContext,
        permit: Option<OwnedSemaphorePermit>,
        first_sent: Duration,
    ) -> Self {
        let deadline = first_sent.saturating_add(Duration::from_millis(context.timings.ttl_ms()));
        Self(Arc::new(SharedBelief {
            lease,
            context,
            state: Mutex::new(BeliefState {
                extended_at: first_sent,
                deadline,
                is_lost: false,
                permit,
                waits: 0,
                without_permit: Vec::new(),
            }),
        }))
    }

    fn state(&self) -> MutexGuard<'_, BeliefState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn lease(&self) -> &ProcessLease {
        &self.0.lease
    }

    pub(crate) fn timings(&self) -> &LeaseTimings {
        &self.0.context.timings
    }

    pub(crate) fn rules(&self) -> &WorkerRules {
        &self.0.context.rules
    }

    pub(crate) fn environment(&self) -> &dyn Environment {
        self.0.context.environment.as_ref()
    }

    /// The end of the lease on the monotonic clock.
    pub(crate) fn deadline(&self) -> Duration {
        self.state().deadline
    }

    /// Extends the lease. The renewal that was sent last counts, whatever the order of the answers.
    pub(crate) fn extend(&self, first_sent: Duration) {
        let until = first_sent.saturating_add(Duration::from_millis(self.timings().ttl_ms()));
        let mut state = self.state();
        state.extended_at = state.extended_at.max(first_sent);
        state.deadline = state.deadline.max(until);
        assert!(
            state.deadline.saturating_sub(state.extended_at)
                <= Duration::from_millis(self.timings().ttl_ms()),
            "a belief lasts at most one ttl after the call that extended it was sent"
        );
    }

    pub(crate) fn extended_at(&self) -> Duration {
        self.state().extended_at
    }

    /// The loss is final: a worker that was told of it never acts again under the same grant.
    pub(crate) fn lose(&self, why: &str) {
        if !std::mem::replace(&mut self.state().is_lost, true) {
            self.log_loss(why);
        }
    }

    fn log_loss(&self, why: &str) {
        let lease = self.lease();
        log::warn!(
            "the lease of process `{}` under fence {} is lost: {why}",
            lease.process_id,
            lease.fencing_token
        );
    }

    /// True if a call or an effect may be started under the grant at this instant.
    pub(crate) fn may_act(&self) -> bool {
        let now = self.environment().monotonic();
        let (may_act, is_news) = {
            let mut state = self.state();
            let may_act = (self.rules().may_act)(now, state.deadline, state.is_lost);
            let is_news = !may_act && !state.is_lost;
            state.is_lost |= !may_act;
            (may_act, is_news)
        };
        if is_news {
            self.log_loss("it was not extended in time");
        }
        may_act
    }

    /// Returns at once while the lease is believed in. Once it is lost this never returns: whoever awaits it is about
    /// to be dropped.
    pub(crate) async fn wait_forever_if_lost(&self) {
        if !self.may_act() {
            std::future::pending::<()>().await;
        }
    }

    /// The answer of a call, or "unknown" once a renewal interval has passed without one: a call that hangs must not
    /// stop a worker whose lease is healthy.
    pub(crate) async fn patiently<T>(
        &self,
        call: impl Future<Output = Result<T, RegistryError>>,
    ) -> Result<T, RegistryError> {
        let patience = Duration::from_millis(self.timings().renew_interval_ms());
        let until = self.environment().monotonic().saturating_add(patience);
        let no_answer = || RegistryError::unavailable("wait for the registry", "it did not answer");
        before(until, self.environment(), call).await.unwrap_or_else(|| Err(no_answer()))
    }

    /// Runs `wait` without a permit, so that a parent does not keep its child from running. Of several waits at once
    /// the last one to end goes on only with a permit again; the body's runner fetches it, after a wait that was
    /// dropped too.
    pub(crate) async fn while_idle<T>(&self, wait: impl Future<Output = T>) -> T {
        if !(self.rules().gives_permit_back_while_waiting)() {
            return wait.await;
        }
        {
            let mut state = self.state();
            state.waits += 1;
            state.permit = None;
            // While another wait goes on, no part of the body needs a permit.
            std::mem::take(&mut state.without_permit)
        }
        .into_iter()
        .for_each(Waker::wake);
        let waiting = IdleWait(self);
        let result = wait.await;
        drop(waiting);
        poll_fn(|task| {
            if !self.lacks_permit() {
                return Poll::Ready(());
            }
            self.state().without_permit.push(task.waker().clone());
            Poll::Pending
        })
        .await;
        result
    }

    /// True if the body may not go on until it has a permit.
    pub(crate) fn lacks_permit(&self) -> bool {
        let state = self.state();
        state.permit.is_none() && state.waits == 0 && !self.0.context.permits.is_closed()
    }

    /// A permit for a body that goes on; none once the worker drains, which lets what runs run out.
    pub(crate) async fn take_permit(&self) {
        let permit = Arc::clone(&self.0.context.permits).acquire_owned().await.ok();
        let waiting = {
            let mut state = self.state();
            assert!(state.permit.is_none(), "a body takes a second permit");
            state.permit = permit;
            std::mem::take(&mut state.without_permit)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Gives the permit back for good.
    pub(crate) fn retire(&self) {
        self.state().permit = None;
    }
}
