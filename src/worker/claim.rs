//! Winning a lease: claim, and when somebody holds it who is provably dead, reclaim from exactly that grant. A claim
//! whose outcome is unknown may have been granted, so it is asked for again by the same incarnation until that is known
//! or a ttl has passed since it was first sent.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

use crate::environment::before;
use crate::model::error::RegistryError;
use crate::model::lease::{LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome, same_incarnation};
use crate::rules::worker::NextStep;
use crate::work::lease_belief::{BeliefContext, LeaseBelief};
use crate::worker::attempt_end::{AttemptEnd, AttemptPurpose, PAUSE};
use crate::worker::context::WorkerContext;

/// A lease that was won, and the next step under it.
pub(super) struct WonLease {
    pub(super) belief: LeaseBelief,
    pub(super) next: NextStep,
    /// The holder from whom a reclaim was tried, if any.
    pub(super) observed_holder: Option<LeaseOwnerIdentity>,
}

pub(super) async fn win_lease(
    worker: &WorkerContext,
    purpose: AttemptPurpose,
    process_id: &str,
    owner: &LeaseOwnerIdentity,
    permit: Option<OwnedSemaphorePermit>,
) -> Result<WonLease, AttemptEnd> {
    let config = &worker.config;
    let environment = config.environment.as_ref();
    let ttl_ms = config.timings.ttl_ms();
    let is_dead = |owner: &LeaseOwnerIdentity| environment.is_definitely_dead(owner);
    let mut observed: Option<ProcessLease> = None;
    let mut observed_holder = None;
    let mut has_unknown_claim = false;
    let mut first_sent = environment.monotonic();
    loop {
        let call = async {
            match &observed {
                None => config.registry.claim_process_lease(process_id, owner, ttl_ms).await,
                Some(holder) => {
                    config.registry.reclaim_process_lease(process_id, owner, holder, ttl_ms).await
                }
            }
        };
        let deadline = first_sent.saturating_add(Duration::from_millis(ttl_ms));
        let Some(answer) = before(deadline, environment, call).await else {
            return Err(AttemptEnd::refused(RegistryError::unavailable("claim", "no answer came in time")));
        };
        // A failure of this call says nothing about an earlier unknown claim. If the holder is this incarnation, that
        // earlier claim was granted.
        let is_unsettled = has_unknown_claim
            && match &answer {
                Err(error) => !error.is_refusal(),
                Ok(ProcessLeaseClaimOutcome::Busy { holder }) => same_incarnation(&holder.owner, owner),
                Ok(ProcessLeaseClaimOutcome::Acquired(_)) => false,
            };
        has_unknown_claim = is_unsettled || answer.as_ref().is_err_and(RegistryError::outcome_is_unknown);
        let next = (config.rules.after_claim)(&answer, observed_holder.is_some(), &is_dead);
        match (next, answer) {
            (_, _) if is_unsettled => {
                observed = None;
                environment.sleep(PAUSE).await;
            }
            (next, Ok(ProcessLeaseClaimOutcome::Acquired(lease))) => {
                let belief = believe(worker, process_id, owner, lease, permit, first_sent)?;
                return Ok(WonLease { belief, next, observed_holder });
            }
            (NextStep::Reclaim { holder }, Ok(_)) if purpose == AttemptPurpose::Run => {
                if observed_holder.is_some() {
                    // Wait between questions in any case, so that no rule can make this loop spin.
                    environment.sleep(PAUSE).await;
                }
                first_sent = environment.monotonic();
                observed_holder = Some(holder.owner.clone());
                observed = Some(holder);
            }
            // As a claim after a reclaim, too: what it observed may be gone, by its own doing.
            (NextStep::Again, Err(_)) => {
                observed = None;
                environment.sleep(PAUSE).await;
            }
            (_, Ok(ProcessLeaseClaimOutcome::Busy { holder })) => {
                return Err(AttemptEnd::refused(RegistryError::LeaseSuperseded {
                    process_id: holder.process_id,
                    presented_fence: 0,
                    current_fence: holder.fencing_token,
                }));
            }
            (_, Err(error)) => return Err(AttemptEnd::refused(error)),
        }
    }
}

/// A granted lease, if it is ours and was not overtaken on its way.
fn believe(
    worker: &WorkerContext,
    process_id: &str,
    owner: &LeaseOwnerIdentity,
    lease: ProcessLease,
    permit: Option<OwnedSemaphorePermit>,
    first_sent: Duration,
) -> Result<LeaseBelief, AttemptEnd> {
    if lease.process_id != process_id || !same_incarnation(&lease.owner, owner) {
        let why = "the registry granted a lease to somebody else";
        return Err(AttemptEnd::refused(RegistryError::unavailable("claim", why)));
    }
    let context = BeliefContext {
        environment: Arc::clone(&worker.config.environment),
        timings: worker.config.timings,
        rules: worker.config.rules,
        permits: Arc::clone(&worker.state.permits),
    };
    let belief = LeaseBelief::new(lease, context, permit, first_sent);
    // Lost on arrival: it may be another's by now, so there is nothing to release.
    if belief.may_act() { Ok(belief) } else { Err(AttemptEnd::Left(None)) }
}
