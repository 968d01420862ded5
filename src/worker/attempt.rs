//! One attempt of a worker on one row: win a lease, read again, start, run, end. Each step is carried out here and
//! decided in `rules/worker.rs`. From the claim to the outcome the lease is renewed by `renewal.rs`, which drops the
//! work where it stands once the lease is lost: this attempt then makes no call at all.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

use crate::environment::Environment;
use crate::environment::before;
use crate::model::error::RegistryError;
use crate::model::lease::LeaseOwnerIdentity;
use crate::model::process::{
    AbandonEvidence, AbandonWriter, ProcessAwaitOutput, ProcessRecord, ProcessStarted,
};
use crate::panics::catch_panic;
use crate::rules::worker::{BodyEnd, NextStep, Reading};
use crate::work::cancellation::CancellationToken;
use crate::work::effect::{Effects, ScopedEffectController};
use crate::work::engine::{
    InfrastructureFailure, InputKind, ProcessContext, ProcessEngine, ProcessExecutionContext,
};
use crate::work::lease_belief::LeaseBelief;
use crate::worker::attempt_end::{AttemptEnd, AttemptPurpose, PAUSE, draining};
use crate::worker::body::run_body;
use crate::worker::claim::{WonLease, win_lease};
use crate::worker::context::WorkerContext;
use crate::worker::renewal::keep_lease_during;
use crate::worker::state::AttemptSlot;

pub(super) struct Attempt<'a> {
    pub(super) worker: &'a WorkerContext,
    pub(super) purpose: AttemptPurpose,
    pub(super) owner: LeaseOwnerIdentity,
    /// The listed row at first, and what was read since.
    pub(super) record: ProcessRecord,
    pub(super) effects: ScopedEffectController<'a>,
    pub(super) execution: Arc<ProcessExecutionContext>,
    /// Fires when the caller wants the run to end.
    pub(super) cancellation: CancellationToken,
    /// Raised to make this attempt give up an owner-bound process it started.
    pub(super) drain: CancellationToken,
    /// The permit that lets the body run beside others.
    pub(super) permit: Option<OwnedSemaphorePermit>,
    pub(super) progress: AttemptProgress,
}

/// How far an attempt has come.
#[derive(Default)]
pub(super) struct AttemptProgress {
    /// The holder from whom a reclaim was tried, if any.
    observed_holder: Option<LeaseOwnerIdentity>,
    /// A first start was sent whose outcome is unknown.
    has_unknown_start: bool,
    /// An outcome was sent: whatever happens now, it may have been stored.
    has_sent_end: bool,
    /// The body's outcome could not be stored and another stands for it.
    has_replaced_output: bool,
    engine: Option<Arc<dyn ProcessEngine>>,
    /// Why the lease is released without an outcome.
    failure: Option<RegistryError>,
}

fn is_abandoned(output: &ProcessAwaitOutput) -> bool {
    matches!(output, ProcessAwaitOutput::Abandoned { .. })
}

fn is_settlement(step: &NextStep) -> bool {
    matches!(step, NextStep::End { output } if is_abandoned(output))
}

/// A step's decision, or the end of the attempt.
type Decided = Result<NextStep, AttemptEnd>;

impl Attempt<'_> {
    pub(super) async fn make(mut self) -> AttemptEnd {
        let permit = self.permit.take();
        let won = win_lease(self.worker, self.purpose, self.record.id(), &self.owner, permit).await;
        let WonLease { belief, next, observed_holder } = match won {
            Ok(won) => won,
            Err(end) => return end,
        };
        self.progress.observed_holder = observed_holder;
        let registry = Arc::clone(&self.worker.config.registry);
        let done = keep_lease_during(&belief, registry, Box::pin(self.carry_out(&belief, next))).await;
        let last = match done {
            // The work may have been told of the loss in the very poll it ended in.
            Some(Ok(last)) if belief.may_act() => last,
            Some(Err(end)) => return end,
            _ => {
                belief.retire();
                (self.worker.config.rules.after_body)(BodyEnd::LeaseLost)
            }
        };
        match last {
            NextStep::Release => self.release(&belief).await,
            // Only rules that are wrong go on without a lease.
            next @ (NextStep::End { .. } | NextStep::Settle { .. }) => {
                drop(self.step(&belief, next).await);
                self.left()
            }
            NextStep::Claim
            | NextStep::Reclaim { .. }
            | NextStep::Read
            | NextStep::Start
            | NextStep::Run
            | NextStep::Again
            | NextStep::Leave => self.left(),
        }
    }

    /// The result when no outcome is confirmed. An outcome that was sent may still have been stored.
    fn left(&mut self) -> AttemptEnd {
        let why = "the lease was lost before an answer came";
        let unknown = || RegistryError::unavailable("complete a process", why);
        let failure = self.progress.failure.take();
        AttemptEnd::Left(failure.or_else(|| self.progress.has_sent_end.then(unknown)).map(Box::new))
    }

    /// Makes steps that need the lease renewed meanwhile, and returns the first step that does not.
    async fn carry_out(&mut self, belief: &LeaseBelief, mut step: NextStep) -> Decided {
        let mut pause = PAUSE;
        let first_tried = self.environment().monotonic();
        let longest_pause = Duration::from_millis(belief.timings().renew_interval_ms()).max(PAUSE);
        loop {
            let last = match step {
                // Once: a repeat of the write must be the same write, down to its time.
                NextStep::Settle { writer } => NextStep::End { output: self.abandoned(writer) },
                NextStep::Read | NextStep::Start | NextStep::Run | NextStep::End { .. } => step,
                NextStep::Claim | NextStep::Reclaim { .. } => return Ok(step),
                NextStep::Again | NextStep::Release | NextStep::Leave => return Ok(step),
            };
            belief.wait_forever_if_lost().await;
            step = match self.step(belief, last.clone()).await? {
                NextStep::Again => {
                    // A body's outcome is worth any patience; a settlement can be made by anybody, later.
                    let ttl = Duration::from_millis(belief.timings().ttl_ms());
                    let is_late = self.environment().monotonic().saturating_sub(first_tried) >= ttl;
                    if is_late && is_settlement(&last) {
                        return Ok(NextStep::Release);
                    }
                    self.environment().sleep(pause).await;
                    pause = (pause * 2).min(longest_pause);
                    last
                }
                next => next,
            };
        }
    }

    async fn step(&mut self, belief: &LeaseBelief, step: NextStep) -> Decided {
        match step {
            NextStep::Read => Ok(self.read(belief).await),
            NextStep::Start => self.start(belief).await,
            NextStep::Run => self.run(belief).await,
            NextStep::Settle { writer } => {
                let output = self.abandoned(writer);
                self.end(belief, output).await
            }
            NextStep::End { output } => self.end(belief, output).await,
            last => Ok(last),
        }
    }

    fn environment(&self) -> &dyn Environment {
        self.worker.config.environment.as_ref()
    }

    async fn read(&mut self, belief: &LeaseBelief) -> NextStep {
        let config = &self.worker.config;
        let answer = belief.patiently(config.registry.read_process(self.record.id())).await;
        let next = self.after_read(&answer);
        match answer {
            Ok(Some(record)) => self.record = record,
            Ok(None) => {}
            Err(error) => {
                log::warn!("process `{}` could not be read under its lease: {error}", self.record.id());
                self.progress.failure = Some(error);
            }
        }
        next
    }

    fn after_read(&self, answer: &Reading) -> NextStep {
        let config = &self.worker.config;
        match (self.purpose, answer) {
            (AttemptPurpose::Drain, Ok(Some(record))) if !record.is_terminal() => {
                if self.worker.state.is_starter(record) {
                    NextStep::Settle { writer: AbandonWriter::OwnerDrain }
                } else {
                    NextStep::Release
                }
            }
            _ => {
                let is_dead = |owner: &LeaseOwnerIdentity| config.environment.is_definitely_dead(owner);
                (config.rules.after_read)(answer, self.progress.observed_holder.as_ref(), &is_dead)
            }
        }
    }

    /// The first start is the last thing before the body: whatever can fail without the work comes before it.
    async fn start(&mut self, belief: &LeaseBelief) -> Decided {
        let config = &self.worker.config;
        if self.progress.engine.is_none() {
            let kind = InputKind::of(&self.record.registration.input);
            let Some(engine) = config.engines.get(&kind) else {
                let why = InfrastructureFailure(format!("this worker has no engine for {kind:?}"));
                return Ok(self.failed(&why));
            };
            let prepared = catch_panic(async { engine.prepare(&self.record.registration).await }).await;
            if let Err(failure) = prepared.map_err(InfrastructureFailure).flatten() {
                return Ok(self.failed(&failure));
            }
            self.progress.engine = Some(Arc::clone(engine));
        }
        belief.wait_forever_if_lost().await;
        // Before the call: a start whose answer is lost may be ours to drain.
        if !self.worker.state.may_start(&self.record, &self.owner) {
            return self.refused(NextStep::Release, draining());
        }
        let owner = belief.lease().owner.clone();
        let started = ProcessStarted { owner, started_at_ms: config.environment.now_epoch_ms() };
        let call = config.registry.record_first_started_with_lease(belief.lease(), started);
        let answer = belief.patiently(call).await;
        let was_unknown = self.progress.has_unknown_start;
        let next = (config.rules.after_start)(&answer, self.record.disposition(), was_unknown);
        self.progress.has_unknown_start |= answer.as_ref().is_err_and(RegistryError::outcome_is_unknown);
        match answer {
            Ok(started) => self.record = started.into_record(),
            Err(refusal) if next != NextStep::Again => return self.refused(next, refusal),
            Err(_) => {}
        }
        Ok(next)
    }

    async fn run(&mut self, belief: &LeaseBelief) -> Decided {
        let config = &self.worker.config;
        let Some(engine) = self.progress.engine.clone() else {
            return Ok(NextStep::Start);
        };
        let context = ProcessContext::new(
            self.record.clone(),
            Arc::clone(&config.registry),
            self.worker.awaiter.clone(),
            Effects { controller: self.effects.clone(), belief: belief.clone() },
            Arc::clone(&self.execution),
        );
        let body = Box::pin({
            let context = context.clone();
            async move { engine.run(context).await }
        });
        Ok(match run_body(body, &context, &self.cancellation, &self.drain).await {
            Ok(end) => (config.rules.after_body)(end),
            Err(failure) => self.failed(&failure),
        })
    }

    /// Notes a failure of the infrastructure, which says nothing about the work.
    fn failed(&mut self, failure: &InfrastructureFailure) -> NextStep {
        log::warn!("process `{}` is left as it is: {failure}", self.record.id());
        self.progress.failure = Some(RegistryError::backend("run a process", failure.to_string()));
        (self.worker.config.rules.after_body)(BodyEnd::InfrastructureFailed)
    }

    /// A call under the grant was refused: the attempt ends, after a release if the lease is still ours.
    fn refused(&mut self, next: NextStep, refusal: RegistryError) -> Decided {
        if next == NextStep::Leave {
            return Err(AttemptEnd::refused(refusal));
        }
        self.progress.failure = Some(refusal);
        Ok(next)
    }

    fn abandoned(&self, writer: AbandonWriter) -> ProcessAwaitOutput {
        let owner = self.record.first_started.as_ref().map(|started| started.owner.clone());
        let epoch_ms = self.environment().now_epoch_ms();
        ProcessAwaitOutput::Abandoned { evidence: AbandonEvidence { writer, owner, epoch_ms } }
    }

    async fn end(&mut self, belief: &LeaseBelief, output: ProcessAwaitOutput) -> Decided {
        let config = &self.worker.config;
        self.progress.has_sent_end = true;
        let call = config.registry.complete_process_with_lease(belief.lease(), output.clone());
        let answer = belief.patiently(call).await;
        let next = (config.rules.after_completion)(&answer);
        match (next, answer) {
            (NextStep::Leave, Ok(_)) => {
                self.worker.state.forget_start(self.record.id());
                Err(AttemptEnd::Ended(Box::new(output)))
            }
            (NextStep::Leave, Err(error)) => {
                if matches!(
                    error,
                    RegistryError::AlreadyTerminal { .. } | RegistryError::UnknownProcess { .. }
                ) {
                    self.worker.state.forget_start(self.record.id());
                }
                Err(AttemptEnd::refused(error))
            }
            // Only the output of a body may be replaced, and only once. A settlement that is refused ends the attempt.
            (NextStep::End { .. }, Err(error))
                if self.progress.has_replaced_output || is_abandoned(&output) =>
            {
                log::warn!("process `{}` could not be ended: {error}", self.record.id());
                // No release for a grant whose body produced an outcome.
                self.refused(if is_abandoned(&output) { NextStep::Release } else { NextStep::Leave }, error)
            }
            (NextStep::End { output }, Err(_)) => {
                self.progress.has_replaced_output = true;
                Ok(NextStep::End { output })
            }
            (next, _) => Ok(next),
        }
    }

    /// Sent once: one that is lost costs the rest of the ttl, and no more.
    async fn release(&mut self, belief: &LeaseBelief) -> AttemptEnd {
        let completion = belief.lease().completion();
        let call = self.worker.config.registry.complete_process_lease(&completion);
        before(belief.deadline(), self.environment(), call).await;
        self.left()
    }
}

impl WorkerContext {
    /// A permit before the claim: a lease is never held while its work waits for its turn.
    pub(super) async fn attempt(
        &self,
        record: ProcessRecord,
        effects: ScopedEffectController<'_>,
        execution: Arc<ProcessExecutionContext>,
        cancellation: CancellationToken,
        slot: AttemptSlot,
    ) -> AttemptEnd {
        let Ok(permit) = Arc::clone(&self.state.permits).acquire_owned().await else {
            return AttemptEnd::refused(draining());
        };
        let attempt = Attempt {
            worker: self,
            purpose: AttemptPurpose::Run,
            owner: self.fresh_incarnation(),
            record,
            effects,
            execution,
            cancellation,
            drain: slot.drain.clone(),
            permit: Some(permit),
            progress: AttemptProgress::default(),
        };
        let end = attempt.make().await;
        slot.ended_as_drain.set(end.is_owner_drain());
        end
    }
}
