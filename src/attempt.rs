//! One attempt of a worker on one row: claim, read again, start, run, end. Each step is carried out here and decided in
//! `rules/attempt.rs`. After every await comes the question whether the lease still holds, and the next call is begun in
//! the same poll; once the answer is no, this attempt makes no call at all.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

use crate::cancellation::CancellationToken;
use crate::effect::{Effects, ScopedEffectController};
use crate::engine::{
    InfrastructureFailure, InputKind, ProcessContext, ProcessEngine, ProcessExecutionContext,
};
use crate::environment::{Environment, before};
use crate::error::RegistryError;
use crate::hold::{Hold, Tenancy};
use crate::lease::{LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome, same_incarnation};
use crate::process::{AbandonEvidence, AbandonWriter, ProcessAwaitOutput, ProcessRecord, ProcessStarted};
use crate::rules::attempt::{BodyEnd, Next};
use crate::run::{caught, run_body};
use crate::worker::Inner;

/// Between two tries of a step whose outcome is unknown.
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) struct Attempt<'a> {
    pub(crate) worker: &'a Inner,
    pub(crate) purpose: Purpose,
    pub(crate) owner: LeaseOwnerIdentity,
    /// The listed row at first, and what was read since.
    pub(crate) record: ProcessRecord,
    pub(crate) effects: ScopedEffectController<'a>,
    pub(crate) execution: Arc<ProcessExecutionContext>,
    /// The caller's wish.
    pub(crate) cancellation: CancellationToken,
    /// Raised to make this attempt give up an owner-bound process it started.
    pub(crate) drain: CancellationToken,
    pub(crate) progress: Progress,
}

/// What an attempt is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Run,
    /// Gives up what this worker life started and lost; takes nothing from anybody, dead or alive.
    Drain,
}

/// What an attempt has won so far.
#[derive(Default)]
pub(crate) struct Progress {
    permit: Option<OwnedSemaphorePermit>,
    /// When the claim whose outcome is still unknown was first sent.
    first_sent: Option<Duration>,
    last_holder: Option<LeaseOwnerIdentity>,
    hold: Option<Hold>,
    /// A claim was sent whose outcome is still unknown: it may yet be granted.
    has_unknown_claim: bool,
    /// An outcome was sent: whatever happens now, it may have been stored.
    has_sent_end: bool,
    /// The body's outcome could not be stored and another stands for it.
    has_replaced_output: bool,
    engine: Option<Arc<dyn ProcessEngine>>,
}

impl Progress {
    pub(crate) fn with_permit(permit: OwnedSemaphorePermit) -> Self {
        Self { permit: Some(permit), ..Self::default() }
    }
}

/// How an attempt went.
#[derive(Debug)]
pub(crate) enum AttemptEnd {
    /// Its own write ended the process.
    Ended(Box<ProcessAwaitOutput>),
    /// It left the row as it is; the error, if any, says why.
    Left(Option<Box<RegistryError>>),
}

impl AttemptEnd {
    /// Whether its own write gave the process up.
    pub(crate) fn is_owner_drain(&self) -> bool {
        matches!(self, Self::Ended(output) if matches!(output.as_ref(),
            ProcessAwaitOutput::Abandoned { evidence } if evidence.writer == AbandonWriter::OwnerDrain))
    }
}

/// A step's decision, or the end of the attempt.
type Decided = Result<Next, AttemptEnd>;

impl Attempt<'_> {
    pub(crate) async fn make(mut self) -> AttemptEnd {
        let mut step = Next::Claim;
        loop {
            let decided = match step.clone() {
                Next::Claim => self.claim(None).await,
                Next::Reclaim { holder } => self.claim(Some(holder)).await,
                Next::Read => self.read().await,
                Next::Start => self.start().await,
                Next::Run => self.run().await,
                // Once: a repeat of the write must be the same write, down to its time.
                Next::Settle { writer } => Ok(Next::End { output: self.abandoned(writer) }),
                Next::End { output } => self.end(output).await,
                Next::Release => self.release().await,
                Next::Again | Next::Leave => return AttemptEnd::Left(None),
            };
            step = match decided {
                Err(end) => return end,
                Ok(Next::Again) => {
                    self.environment().sleep(PAUSE).await;
                    if self.progress.hold.as_ref().is_some_and(|hold| !hold.may_act()) {
                        return self.lost();
                    }
                    step
                }
                Ok(next) => next,
            };
        }
    }

    /// The lease is gone. An outcome that was sent may have been stored all the same.
    fn lost(&self) -> AttemptEnd {
        let unknown =
            || RegistryError::unavailable("complete a process", "the lease ran out before an answer came");
        AttemptEnd::Left(self.progress.has_sent_end.then(|| Box::new(unknown())))
    }

    fn environment(&self) -> &dyn Environment {
        self.worker.config.environment.as_ref()
    }

    /// Claims, or reclaims from the observed holder. While the outcome is unknown it is asked for again, by a claim of
    /// the same incarnation, until a ttl after the first call has passed.
    async fn claim(&mut self, observed: Option<ProcessLease>) -> Decided {
        let config = &self.worker.config;
        let ttl_ms = config.timings.ttl_ms();
        let first_sent = *self.progress.first_sent.get_or_insert_with(|| config.environment.monotonic());
        let deadline = first_sent.saturating_add(Duration::from_millis(ttl_ms));
        let call = async {
            let process_id = self.record.id();
            match &observed {
                None => config.registry.claim_process_lease(process_id, &self.owner, ttl_ms).await,
                Some(holder) => {
                    config.registry.reclaim_process_lease(process_id, &self.owner, holder, ttl_ms).await
                }
            }
        };
        let Some(answer) = before(deadline, config.environment.as_ref(), call).await else {
            return Err(AttemptEnd::Left(None));
        };
        // What failed now says nothing of the claim before it; and a lease that is ours was granted by that one.
        let is_unsettled = self.progress.has_unknown_claim
            && match &answer {
                Err(error) => !error.is_refusal(),
                Ok(ProcessLeaseClaimOutcome::Busy { holder }) => same_incarnation(&holder.owner, &self.owner),
                Ok(ProcessLeaseClaimOutcome::Acquired(_)) => false,
            };
        if is_unsettled {
            config.environment.sleep(PAUSE).await;
            return Ok(Next::Claim);
        }
        self.progress.has_unknown_claim = answer.as_ref().is_err_and(RegistryError::outcome_is_unknown);
        let is_dead = |owner: &LeaseOwnerIdentity| config.environment.is_definitely_dead(owner);
        let next = (config.rules.after_claim)(&answer, observed.is_some(), &is_dead);
        let next = match next {
            Next::Reclaim { .. } if self.purpose == Purpose::Drain => Next::Leave,
            next => next,
        };
        match (next, answer) {
            // Also after a reclaim: what it observed may be gone, by its own doing.
            (Next::Again, _) if observed.is_some() => {
                config.environment.sleep(PAUSE).await;
                Ok(Next::Claim)
            }
            (Next::Again, _) => Ok(Next::Again),
            (next, Ok(ProcessLeaseClaimOutcome::Acquired(lease))) => self.take(next, lease, first_sent),
            (Next::Leave, Ok(ProcessLeaseClaimOutcome::Busy { holder })) => {
                Err(AttemptEnd::Left(Some(Box::new(RegistryError::LeaseSuperseded {
                    process_id: holder.process_id,
                    presented_fence: 0,
                    current_fence: holder.fencing_token,
                }))))
            }
            (next, Ok(ProcessLeaseClaimOutcome::Busy { holder })) => {
                self.progress.first_sent = None;
                self.progress.last_holder = Some(holder.owner);
                Ok(next)
            }
            (Next::Leave, Err(error)) => Err(AttemptEnd::Left(Some(Box::new(error)))),
            (next, Err(_)) => Ok(next),
        }
    }

    /// Believes in a granted lease, if it is ours and was not overtaken on its way.
    fn take(&mut self, next: Next, lease: ProcessLease, first_sent: Duration) -> Decided {
        if lease.process_id != self.record.id() || !same_incarnation(&lease.owner, &self.owner) {
            let why = "the registry granted a lease to somebody else";
            return Err(AttemptEnd::Left(Some(Box::new(RegistryError::unavailable("claim", why)))));
        }
        let config = &self.worker.config;
        let tenancy = Tenancy {
            environment: Arc::clone(&config.environment),
            timings: config.timings,
            rules: config.rules,
            permits: Arc::clone(&self.worker.permits),
        };
        let hold = Hold::new(lease, tenancy, self.progress.permit.take(), first_sent);
        let is_held = hold.may_act();
        self.progress.hold = Some(hold);
        // Lost on arrival: it may be another's by now, so there is nothing to release.
        if is_held { Ok(next) } else { Err(AttemptEnd::Left(None)) }
    }

    fn hold(&self) -> Result<Hold, AttemptEnd> {
        self.progress.hold.clone().ok_or(AttemptEnd::Left(None))
    }

    /// Makes a call under the grant. No answer counts once the lease is lost.
    async fn under<T>(&self, hold: &Hold, call: impl Future<Output = T>) -> Result<T, AttemptEnd> {
        let answer = before(hold.deadline(), self.environment(), call).await;
        answer.filter(|_| hold.may_act()).ok_or(AttemptEnd::Left(None))
    }

    async fn read(&mut self) -> Decided {
        let config = &self.worker.config;
        let hold = self.hold()?;
        let answer = self.under(&hold, config.registry.read_process(self.record.id())).await?;
        let is_dead = |owner: &LeaseOwnerIdentity| config.environment.is_definitely_dead(owner);
        let next = match (self.purpose, &answer) {
            (Purpose::Drain, Ok(Some(record))) if !record.is_terminal() => {
                if self.worker.is_starter(record) {
                    Next::Settle { writer: AbandonWriter::OwnerDrain }
                } else {
                    Next::Release
                }
            }
            _ => (config.rules.after_read)(&answer, self.progress.last_holder.as_ref(), &is_dead),
        };
        match answer {
            Ok(Some(record)) => self.record = record,
            Ok(None) => {}
            Err(error) => {
                log::warn!("process `{}` could not be read under its lease: {error}", self.record.id())
            }
        }
        Ok(next)
    }

    /// The first start is the last thing before the body: whatever can fail without the work comes before it.
    async fn start(&mut self) -> Decided {
        let config = &self.worker.config;
        let hold = self.hold()?;
        if self.progress.engine.is_none() {
            let kind = InputKind::of(&self.record.registration.input);
            let Some(engine) = config.engines.get(&kind) else {
                log::warn!(
                    "process `{}` needs an engine for {kind:?}; this worker has none",
                    self.record.id()
                );
                return Ok((config.rules.after_body)(BodyEnd::InfrastructureFailed));
            };
            let prepare = caught(async { engine.prepare(&self.record.registration).await });
            let prepared = self.under(&hold, prepare).await?;
            if let Err(failure) = prepared.map_err(InfrastructureFailure).flatten() {
                log::warn!("process `{}` could not be prepared: {failure}", self.record.id());
                return Ok((config.rules.after_body)(BodyEnd::InfrastructureFailed));
            }
            self.progress.engine = Some(Arc::clone(engine));
        }
        // Before the call: a start whose answer is lost may be ours to drain.
        if !self.worker.may_start(&self.record, &self.owner) {
            return Ok(Next::Release);
        }
        let owner = hold.lease().owner.clone();
        let started = ProcessStarted { owner, started_at_ms: config.environment.now_epoch_ms() };
        let call = config.registry.record_first_started_with_lease(hold.lease(), started);
        let answer = self.under(&hold, call).await?;
        let next = (config.rules.after_start)(&answer, self.record.disposition());
        if let Ok(started) = answer {
            self.record = started.into_record();
        }
        Ok(next)
    }

    async fn run(&mut self) -> Decided {
        let config = &self.worker.config;
        let hold = self.hold()?;
        let Some(engine) = &self.progress.engine else {
            return Ok(Next::Start);
        };
        let context = ProcessContext {
            record: Arc::new(self.record.clone()),
            registry: Arc::clone(&config.registry),
            awaiter: self.worker.awaiter.clone(),
            effects: Effects { controller: self.effects.clone(), hold: hold.clone() },
            hold: hold.clone(),
            cancellation: CancellationToken::new(),
            execution: Arc::clone(&self.execution),
            progress: Arc::default(),
        };
        let body = Box::pin({
            let context = context.clone();
            async move { engine.run(context).await }
        });
        let end = run_body(body, &context, &self.cancellation, &self.drain).await;
        Ok((config.rules.after_body)(end))
    }

    fn abandoned(&self, writer: AbandonWriter) -> ProcessAwaitOutput {
        let owner = self.record.first_started.as_ref().map(|started| started.owner.clone());
        let epoch_ms = self.environment().now_epoch_ms();
        ProcessAwaitOutput::Abandoned { evidence: AbandonEvidence { writer, owner, epoch_ms } }
    }

    async fn end(&mut self, output: ProcessAwaitOutput) -> Decided {
        let config = &self.worker.config;
        let hold = self.hold()?;
        let call = config.registry.complete_process_with_lease(hold.lease(), output.clone());
        self.progress.has_sent_end = true;
        let answer =
            before(hold.deadline(), config.environment.as_ref(), call).await.ok_or_else(|| self.lost())?;
        let next = (config.rules.after_completion)(&answer);
        match (next, answer) {
            (Next::Leave, Ok(_)) => {
                self.worker.forget_start(self.record.id());
                Err(AttemptEnd::Ended(Box::new(output)))
            }
            (Next::Leave, Err(error)) => {
                if matches!(
                    error,
                    RegistryError::AlreadyTerminal { .. } | RegistryError::UnknownProcess { .. }
                ) {
                    self.worker.forget_start(self.record.id());
                }
                Err(AttemptEnd::Left(Some(Box::new(error))))
            }
            // Only what a body gave may be replaced, and once: a settlement that is refused settles nothing.
            (Next::End { .. }, Err(error))
                if self.progress.has_replaced_output
                    || matches!(output, ProcessAwaitOutput::Abandoned { .. }) =>
            {
                log::warn!("process `{}` could not be ended: {error}", self.record.id());
                Ok(Next::Release)
            }
            (Next::End { output }, Err(_)) => {
                self.progress.has_replaced_output = true;
                Ok(Next::End { output })
            }
            (next, _) => Ok(next),
        }
    }

    /// Sent once: one that is lost costs the rest of the ttl, and no more.
    async fn release(&self) -> Decided {
        let hold = self.hold()?;
        let completion = hold.lease().completion();
        let call = self.worker.config.registry.complete_process_lease(&completion);
        before(hold.deadline(), self.environment(), call).await;
        Ok(Next::Leave)
    }
}
