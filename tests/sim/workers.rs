//! Another's worker, in place of ours: an honest one passes, and one whose body runs on when its lease is lost is caught.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use fencepost::driver::{ProcessAttach, ProcessRunHandle};
use fencepost::environment::Environment;
use fencepost::model::event::ProcessEventAppendRequest;
use fencepost::model::lease::{LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::{
    AbandonEvidence, AbandonWriter, FirstStart, ProcessAwaitOutput, ProcessRecord, ProcessStarted,
    RecoveryDisposition,
};
use fencepost::store::MemoryStore;
use fencepost::work::cancellation::CancellationToken;
use fencepost::{ProcessRegistry, Registry, RegistryError};
use fencepost_sim::subject::{BodyActions, Workplace};
use fencepost_sim::{Options, Subject, check};

/// A small worker: it claims, starts, runs the body beside its renewals, and completes, one process at a time.
struct Small {
    workplace: Workplace,
    runs_on_when_lost: bool,
    /// It records a first start by the call that names the starter and presents no lease.
    starts_unfenced: bool,
}

/// The bodies of this worker hear no cancels and wait by asking again and again.
struct Bare<'a> {
    small: &'a Small,
    lease: ProcessLease,
    cancellation: CancellationToken,
    /// Its lease is lost: nothing more is sent under it.
    is_lost: &'a AtomicBool,
}

#[async_trait]
impl BodyActions for Bare<'_> {
    async fn emit(&self, request: ProcessEventAppendRequest) -> Result<(), String> {
        let appended = self.small.workplace.registry.append_event_with_lease(&self.lease, request).await;
        if appended.as_ref().is_err_and(RegistryError::is_refusal) && !self.small.runs_on_when_lost {
            self.is_lost.store(true, Ordering::Relaxed);
            // Until the renewals notice, and the attempt ends.
            std::future::pending::<()>().await;
        }
        appended.map(drop).map_err(|error| error.to_string())
    }

    async fn wait_for_signal(&self, name: &str) -> Result<(), String> {
        let (registry, environment) = (&self.small.workplace.registry, &self.small.workplace.environment);
        loop {
            let events = registry.events_after(&self.lease.process_id, 0).await.unwrap_or_default();
            if events.iter().any(|event| event.event_type == format!("signal.{name}")) {
                return Ok(());
            }
            environment.sleep(Duration::from_millis(50)).await;
        }
    }

    async fn await_process(&self, process_id: &str) -> Result<(), String> {
        loop {
            match self.small.workplace.registry.read_process(process_id).await {
                Ok(Some(record)) if !record.is_terminal() => {}
                Ok(_) => return Ok(()),
                Err(_) => {}
            }
            self.small.workplace.environment.sleep(Duration::from_millis(50)).await;
        }
    }

    fn cancellation(&self) -> &CancellationToken {
        &self.cancellation
    }
}

/// Whichever of the two is done first; the first one, if both are.
async fn first<A: Future, B: Future>(one: A, other: B) -> Result<A::Output, B::Output> {
    let (mut one, mut other) = (pin!(one), pin!(other));
    poll_fn(|task| {
        if let Poll::Ready(done) = one.as_mut().poll(task) {
            return Poll::Ready(Ok(done));
        }
        other.as_mut().poll(task).map(Err)
    })
    .await
}

impl Small {
    /// Ends when the lease is lost, by an answer or by its own clock.
    async fn renews(&self, mut lease: ProcessLease, since: Duration, is_lost: &AtomicBool) {
        let Workplace { registry, environment, timings, .. } = &self.workplace;
        let ttl = Duration::from_millis(timings.ttl_ms());
        let interval = Duration::from_millis(timings.renew_interval_ms());
        let mut deadline = since + ttl;
        loop {
            let left = deadline.saturating_sub(environment.monotonic());
            environment.sleep(interval.min(left)).await;
            let sent = environment.monotonic();
            if sent >= deadline || is_lost.load(Ordering::Relaxed) {
                return;
            }
            let renewal = registry.renew_process_lease(&lease, timings.ttl_ms());
            match first(environment.sleep(deadline - sent), renewal).await {
                Err(Ok(renewed)) => {
                    lease = renewed;
                    deadline = sent + ttl;
                }
                Err(Err(error)) if !error.is_refusal() => {}
                _ => return,
            }
        }
    }

    async fn attempts(&self, listed: ProcessRecord) -> Result<(), RegistryError> {
        let Workplace { registry, environment, timings, owner_id, liveness, .. } = &self.workplace;
        let mut entropy = [0; 8];
        environment.fill_entropy(&mut entropy);
        let incarnation_id = format!("{entropy:?}");
        let owner =
            LeaseOwnerIdentity { owner_id: owner_id.clone(), incarnation_id, liveness: liveness.clone() };
        let since = environment.monotonic();
        let claim = registry.claim_process_lease(listed.id(), &owner, timings.ttl_ms()).await?;
        let ProcessLeaseClaimOutcome::Acquired(lease) = claim else { return Ok(()) };
        let is_lost = AtomicBool::new(false);
        let work = self.works(listed.id(), &lease, owner, &is_lost);
        if self.runs_on_when_lost {
            return work.await;
        }
        match first(self.renews(lease.clone(), since, &is_lost), work).await {
            // Lost: not even a release.
            Ok(()) => Ok(()),
            Err(worked) => worked,
        }
    }

    async fn works(
        &self,
        process_id: &str,
        lease: &ProcessLease,
        owner: LeaseOwnerIdentity,
        is_lost: &AtomicBool,
    ) -> Result<(), RegistryError> {
        let registry = &self.workplace.registry;
        let Some(record) = registry.read_process(process_id).await? else { return Ok(()) };
        match self.output(&record, lease, owner, is_lost).await? {
            Some(output) => registry.complete_process_with_lease(lease, output).await.map(drop),
            None => registry.complete_process_lease(&lease.completion()).await,
        }
    }

    /// None: nothing is to be written under this lease.
    async fn output(
        &self,
        record: &ProcessRecord,
        lease: &ProcessLease,
        owner: LeaseOwnerIdentity,
        is_lost: &AtomicBool,
    ) -> Result<Option<ProcessAwaitOutput>, RegistryError> {
        let Workplace { registry, environment, .. } = &self.workplace;
        if record.is_terminal() {
            return Ok(None);
        }
        let is_rerunnable = record.disposition() == RecoveryDisposition::Rerunnable;
        if !is_rerunnable && (record.first_started.is_some() || !record.disposition().is_worker_run()) {
            let owner = record.first_started.as_ref().map(|started| started.owner.clone());
            let writer = AbandonWriter::ReconciledRequest;
            let evidence = AbandonEvidence { writer, owner, epoch_ms: environment.now_epoch_ms() };
            return Ok(record
                .abandon_request
                .is_some()
                .then_some(ProcessAwaitOutput::Abandoned { evidence }));
        }
        let started = ProcessStarted { owner, started_at_ms: environment.now_epoch_ms() };
        let is_ours = match self.starts_unfenced {
            true => {
                let record = registry.record_first_started(record.id(), started.clone()).await?;
                record.first_started.as_ref() == Some(&started)
            }
            false => {
                let start = registry.record_first_started_with_lease(lease, started).await?;
                !matches!(start, FirstStart::AlreadyStarted(_))
            }
        };
        if !is_rerunnable && !is_ours {
            return Ok(None);
        }
        let means =
            Bare { small: self, lease: lease.clone(), cancellation: CancellationToken::new(), is_lost };
        Ok(self.workplace.run(record, lease.fencing_token, &means).await)
    }
}

#[async_trait]
impl ProcessRunHandle for Small {
    async fn claim_and_run_pending(&self, _: &str) -> Result<(), RegistryError> {
        for record in self.workplace.registry.list_non_terminal().await? {
            let ttl = Duration::from_millis(self.workplace.timings.ttl_ms());
            let longest = self.workplace.environment.sleep(10 * ttl);
            drop(first(self.attempts(record), longest).await);
        }
        Ok(())
    }

    fn environment(&self) -> Arc<dyn Environment> {
        Arc::clone(&self.workplace.environment)
    }
}

/// Laws that this worker cannot keep: it takes one process at a time, sends an outcome once and lets panics through.
const NOT_CLAIMED: &[&str] = &["calm-ends-everything", "outcomes-are-not-dropped", "nobody-panics"];

fn worked_by_small(runs_on_when_lost: bool, starts_unfenced: bool) -> Subject {
    Subject::of("small", |environment| Registry::new(MemoryStore::new(), environment).inline())
        .worked_by(move |workplace| Arc::new(Small { workplace, runs_on_when_lost, starts_unfenced }))
        .without_claiming(NOT_CLAIMED)
}

#[test]
fn an_honest_worker_of_anybodys_passes() {
    for starts_unfenced in [false, true] {
        let subject = worked_by_small(false, starts_unfenced);
        let shown = check(&subject, &Options { seeds: 0..200, ..Options::default() }).unwrap();
        assert_eq!(shown.seeds, 200);
    }
}

#[test]
fn a_worker_whose_body_runs_on_when_its_lease_is_lost_is_caught() {
    let failure = check(&worked_by_small(true, false), &Options { seeds: 0..200, ..Options::default() })
        .expect_err("it runs on");
    assert!(
        ["lost-means-silent", "bodies-overlap-within-bound"].contains(&failure.law().unwrap_or_default()),
        "{failure}"
    );
}

/// Waits that answer with whatever they last heard, and not with the truth.
struct Hasty(Arc<dyn ProcessRegistry>);

#[async_trait]
impl ProcessAttach for Hasty {
    async fn await_terminal(&self, process_id: &str) -> Result<ProcessAwaitOutput, RegistryError> {
        self.0.read_process(process_id).await?;
        Ok(ProcessAwaitOutput::Success { value: "it will be fine".into() })
    }
}

#[test]
fn waits_of_anybodys_that_do_not_tell_the_truth_are_caught() {
    let hasty = Subject::fencepost().waited_for_by(|registry, _| Arc::new(Hasty(registry)));
    let failure = check(&hasty, &Options { seeds: 0..100, ..Options::default() }).expect_err("they lie");
    assert_eq!(failure.law(), Some("waits-tell-the-truth"), "{failure}");
}
