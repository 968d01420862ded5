//! The stage: one registry in memory, workers that reach it through a director who can delay, fail or hang any call,
//! and a ledger outside that takes their effects.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use fencepost::environment::Environment;
use fencepost::model::lease::{LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::lease_timings::LeaseTimings;
use fencepost::model::process::*;
use fencepost::registry::calls::{Answer, Call, Facade, Reply, Submit, dispatch};
use fencepost::rules::worker::WorkerRules;
use fencepost::store::MemoryStore;
use fencepost::testing::block_on;
use fencepost::testing::manual_environment::HandEnvironment;
use fencepost::work::effect::{Effect, EffectController, EffectError};
use fencepost::work::engine::{Engines, InfrastructureFailure, InputKind, ProcessContext, ProcessEngine};
use fencepost::worker::{DurableProcessWorker, DurableProcessWorkerConfig};
use fencepost::{ProcessRegistry, Registry, RegistryError};
use serde_json::{Value, json};

pub const TTL_MS: u64 = 3_000;
pub const RENEW_MS: u64 = 1_000;

/// The fate of a call.
#[derive(Clone)]
pub enum Fault {
    /// It fails before it is applied.
    Fails,
    /// It fails before it is applied, and that is known only later.
    FailsAfter(u64),
    /// It is not applied, and this is its answer.
    Answers(RegistryError),
    /// Nothing is known of it, and it was not applied.
    LostBefore,
    /// It is applied and its answer is lost.
    LostAfter,
    /// It is never applied and never answers.
    HangsBefore,
    /// It is applied and never answers.
    HangsAfter,
    /// It is applied at once and answers late.
    AnswersAfter(u64),
    /// It is on its way for so long.
    ArrivesAfter(u64),
    /// It is applied, and the lease it answers with is not the one that was granted.
    AnswersAnothers(Anothers),
    /// Something else happens first.
    First(Arc<dyn Fn() + Send + Sync>),
}

/// The part of an answered lease that is another's.
#[derive(Debug, Clone, Copy)]
pub enum Anothers {
    Fence,
    Token,
    Incarnation,
    Process,
}

impl Anothers {
    fn put_into(self, reply: &mut Reply) {
        let (Reply::Lease(lease) | Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease))) = reply else {
            panic!("no lease is answered with {reply:?}");
        };
        match self {
            Self::Fence => lease.fencing_token += 1,
            Self::Token => lease.lease_token.push('x'),
            Self::Incarnation => lease.owner.incarnation_id.push('x'),
            Self::Process => lease.process_id.push('x'),
        }
    }
}

/// Stands between one worker and the registry.
#[derive(Clone)]
pub struct Director(Arc<Directing>);

struct Directing {
    registry: Arc<dyn ProcessRegistry>,
    environment: HandEnvironment,
    faults: Mutex<BTreeMap<&'static str, VecDeque<Option<Fault>>>>,
    made: Mutex<Vec<Arc<Call>>>,
}

impl Director {
    /// The nth call of this method from now on (1 is the next) meets the fault.
    pub fn plan(&self, method: &'static str, nth: usize, fault: Fault) {
        let mut faults = self.0.faults.lock().unwrap();
        let queue = faults.entry(method).or_default();
        while queue.len() < nth {
            queue.push_back(None);
        }
        queue[nth - 1] = Some(fault);
    }

    /// Drops everything that was planned and has not happened yet.
    pub fn forgive(&self) {
        self.0.faults.lock().unwrap().clear();
    }

    /// The calls made so far, by method.
    pub fn made(&self, method: &str) -> usize {
        self.0.made.lock().unwrap().iter().filter(|call| call.method() == method).count()
    }

    pub fn all_made(&self) -> Vec<&'static str> {
        self.0.made.lock().unwrap().iter().map(|call| call.method()).collect()
    }
}

#[async_trait]
impl Submit for Director {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let method = call.method();
        self.0.made.lock().unwrap().push(Arc::clone(&call));
        let fault = {
            let mut faults = self.0.faults.lock().unwrap();
            faults.get_mut(method).and_then(VecDeque::pop_front).flatten()
        };
        let registry = self.0.registry.as_ref();
        let lost = || RegistryError::unavailable(method, "the answer was lost");
        match fault {
            None => dispatch(registry, &call).await,
            Some(Fault::Fails) => Err(RegistryError::backend(method, "the store failed")),
            Some(Fault::FailsAfter(delay_ms)) => {
                self.0.environment.sleep(Duration::from_millis(delay_ms)).await;
                Err(RegistryError::backend(method, "the store failed"))
            }
            Some(Fault::Answers(answer)) => Err(answer),
            Some(Fault::LostBefore) => Err(lost()),
            Some(Fault::LostAfter) => {
                drop(dispatch(registry, &call).await);
                Err(lost())
            }
            Some(Fault::HangsBefore) => std::future::pending().await,
            Some(Fault::HangsAfter) => {
                drop(dispatch(registry, &call).await);
                std::future::pending().await
            }
            Some(Fault::AnswersAfter(delay_ms)) => {
                let answer = dispatch(registry, &call).await;
                self.0.environment.sleep(Duration::from_millis(delay_ms)).await;
                answer
            }
            Some(Fault::ArrivesAfter(delay_ms)) => {
                // On its way whether or not its sender still waits.
                let (answer, answered) = tokio::sync::oneshot::channel();
                let (registry, environment) = (Arc::clone(&self.0.registry), self.0.environment.clone());
                self.0.environment.spawn(Box::pin(async move {
                    environment.sleep(Duration::from_millis(delay_ms)).await;
                    drop(answer.send(dispatch(registry.as_ref(), &call).await));
                }));
                answered.await.unwrap_or_else(|_| Err(lost()))
            }
            Some(Fault::AnswersAnothers(anothers)) => {
                let mut answer = dispatch(registry, &call).await;
                if let Ok(reply) = &mut answer {
                    anothers.put_into(reply);
                }
                answer
            }
            Some(Fault::First(happens)) => {
                happens();
                dispatch(registry, &call).await
            }
        }
    }

    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Inline
    }
}

/// The world outside: takes effects, refuses fences below the highest it saw, remembers everything.
#[derive(Clone)]
pub struct Ledger {
    environment: HandEnvironment,
    taken: Arc<Mutex<Vec<(u64, Effect)>>>,
}

#[async_trait]
impl EffectController for Ledger {
    async fn perform(&self, effect: Effect) -> Result<Value, EffectError> {
        let mut taken = self.taken.lock().unwrap();
        let of_process = taken.iter().filter(|(_, earlier)| earlier.process_id == effect.process_id);
        let highest = of_process.map(|(_, earlier)| earlier.fence).max().unwrap_or(0);
        if effect.fence < highest {
            return Err(EffectError::Stale { key: effect.key, fence: effect.fence, highest });
        }
        taken.push((self.environment.now_epoch_ms(), effect));
        Ok(json!(taken.len()))
    }
}

impl Ledger {
    /// The fences of a process's effects, in the order they came.
    pub fn taken_of(&self, process_id: &str) -> Vec<u64> {
        let taken = self.taken.lock().unwrap();
        let of_process = taken.iter().filter(|(_, effect)| effect.process_id == process_id);
        of_process.map(|(_, effect)| effect.fence).collect()
    }

    /// When, under which fence, and what.
    pub fn taken(&self) -> Vec<(u64, u64, String)> {
        let taken = self.taken.lock().unwrap();
        taken.iter().map(|(at, effect)| (*at, effect.fence, effect.key.clone())).collect()
    }
}

/// Bodies by the word in their payload's `do`.
pub struct Bodies {
    environment: HandEnvironment,
    bodies_begun: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl ProcessEngine for Bodies {
    async fn prepare(&self, registration: &ProcessRegistration) -> Result<(), InfrastructureFailure> {
        match &registration.input {
            ProcessInput::Engine { payload, .. } if payload["prepare_ms"].is_u64() => {
                let prepare_ms = payload["prepare_ms"].as_u64().unwrap_or_default();
                self.environment.sleep(Duration::from_millis(prepare_ms)).await;
                Ok(())
            }
            ProcessInput::Engine { payload, .. } if payload["do"] == "panic in prepare" => {
                panic!("the engine gave up")
            }
            ProcessInput::Engine { payload, .. } if payload["do"] == "fail to prepare" => {
                Err(InfrastructureFailure("no connection".into()))
            }
            _ => Ok(()),
        }
    }

    async fn run(&self, context: ProcessContext<'_>) -> Result<ProcessAwaitOutput, InfrastructureFailure> {
        let begun_before = {
            let mut begun = self.bodies_begun.lock().unwrap();
            begun.push(context.process_id().to_owned());
            begun.iter().filter(|id| *id == context.process_id()).count() - 1
        };
        let ProcessInput::Engine { payload, .. } = context.registration().input.clone() else {
            return Err(InfrastructureFailure("not mine".into()));
        };
        let done = |value: Value| Ok(ProcessAwaitOutput::Success { value });
        match payload["do"].as_str().unwrap_or_default() {
            "nothing" => done(json!("done")),
            "steps the second time" if begun_before == 0 => {
                Err(InfrastructureFailure("the network is down".into()))
            }
            "steps" | "steps the second time" => {
                for step in 0..payload["steps"].as_u64().unwrap_or(0) {
                    let effect = context.effects().perform(&format!("step {step}"), json!(null)).await;
                    if let Err(refused) = effect {
                        let message = refused.to_string();
                        return Ok(ProcessAwaitOutput::Failure {
                            class: "effect".into(),
                            code: None,
                            message,
                            raw: None,
                        });
                    }
                    self.environment
                        .sleep(Duration::from_millis(payload["step_ms"].as_u64().unwrap_or(0)))
                        .await;
                }
                done(json!({"by fence": context.fence()}))
            }
            "emit" => {
                for number in 0..3 {
                    let request =
                        fencepost::model::event::ProcessEventAppendRequest::new("progress", json!(number));
                    if let Err(refused) = context.emit(request).await {
                        let message = refused.to_string();
                        return Ok(ProcessAwaitOutput::Failure {
                            class: "emit".into(),
                            code: None,
                            message,
                            raw: None,
                        });
                    }
                    self.environment.sleep(Duration::from_millis(100)).await;
                }
                done(json!("emitted"))
            }
            "panic" => panic!("the body gave up"),
            "abandon" => Ok(ProcessAwaitOutput::Abandoned {
                evidence: AbandonEvidence { writer: AbandonWriter::Sweep, owner: None, epoch_ms: 0 },
            }),
            "infrastructure" => Err(InfrastructureFailure("the network is down".into())),
            "unstorable" => done((0..100).fold(json!(1), |inner, _| json!([inner]))),
            "until cancelled" => {
                context.cancellation().cancelled().await;
                Ok(ProcessAwaitOutput::Cancelled { message: "as requested".into(), raw: None })
            }
            "two signals" => {
                let first = context.wait_for_signal("go").await;
                let second = context.wait_for_signal("go").await;
                match (first, second) {
                    (Ok(first), Ok(second)) => done(json!([first.payload, second.payload])),
                    refused => done(json!(format!("{refused:?}"))),
                }
            }
            "two signals at once" => {
                let mut waits = [
                    Some(Box::pin(context.wait_for_signal("go"))),
                    Some(Box::pin(context.wait_for_signal("go"))),
                ];
                let mut taken = Vec::new();
                std::future::poll_fn(|task| {
                    for wait in &mut waits {
                        let polled = wait.as_mut().map(|wait| wait.as_mut().poll(task));
                        if let Some(std::task::Poll::Ready(Ok(event))) = polled {
                            taken.push(event.payload.as_u64());
                            *wait = None;
                        }
                    }
                    let is_done = waits.iter().all(Option::is_none);
                    if is_done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
                })
                .await;
                taken.sort();
                done(json!(taken))
            }
            "signal then sleep" => {
                if let Err(refused) = context.wait_for_signal("go").await {
                    return done(json!(format!("{refused:?}")));
                }
                self.environment.sleep(Duration::from_millis(500)).await;
                done(json!("went on"))
            }
            "wait briefly" => {
                // The body drops the wait and goes on.
                let never = context.await_process("never");
                let enough = self.environment.sleep(Duration::from_millis(100));
                fencepost::environment::before(
                    self.environment.monotonic() + Duration::from_millis(100),
                    &self.environment,
                    never,
                )
                .await
                .map_or(Ok(()), |_| Err(InfrastructureFailure("it ended".into())))?;
                enough.await;
                self.environment.sleep(Duration::from_secs(1)).await;
                done(json!("went on"))
            }
            "await child" => {
                let child = payload["child"].as_str().unwrap_or_default();
                match context.await_process(child).await {
                    Ok(output) => done(json!({ "child": output })),
                    Err(refused) => done(json!({ "refused": refused.to_string() })),
                }
            }
            other => panic!("no such body: {other}"),
        }
    }
}

/// Sees every call as the registry decides it: the lease stored before, whether the process had ended, the clock, and
/// whether the call was accepted.
pub type Judge = Arc<dyn Fn(&Call, &Option<ProcessLease>, bool, u64, bool) + Send + Sync>;

/// Calls the judge for each call that names a process, in the order of decisions.
struct Judged {
    registry: Arc<dyn ProcessRegistry>,
    environment: HandEnvironment,
    judge: Judge,
}

#[async_trait]
impl Submit for Judged {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let Some(process_id) = call.process_id().map(str::to_owned) else {
            return dispatch(self.registry.as_ref(), &call).await;
        };
        let before = self.registry.get_process_lease(&process_id).await.unwrap_or_default();
        let record = self.registry.read_process(&process_id).await.unwrap_or_default();
        let now_ms = self.environment.now_epoch_ms();
        let answer = dispatch(self.registry.as_ref(), &call).await;
        (self.judge)(
            &call,
            &before,
            record.is_some_and(|record| record.is_terminal()),
            now_ms,
            answer.is_ok(),
        );
        answer
    }

    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Inline
    }
}

thread_local! {
    /// The worker's rules in this test; wrong ones show whether its stories notice.
    static RULES: Cell<WorkerRules> = const { Cell::new(WorkerRules::LAWFUL) };
}

/// Plays a story with other rules in every worker.
pub fn under(rules: WorkerRules, story: impl FnOnce()) {
    RULES.set(rules);
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(story));
    RULES.set(WorkerRules::LAWFUL);
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}

pub struct Stage {
    pub environment: HandEnvironment,
    /// The registry itself, with no director in between.
    pub registry: Arc<dyn ProcessRegistry>,
    pub ledger: Ledger,
    pub bodies_begun: Arc<Mutex<Vec<String>>>,
}

impl Stage {
    pub fn new() -> Self {
        let environment = HandEnvironment::at_epoch_ms(1_000_000);
        let registry = Registry::new(MemoryStore::new(), Arc::new(environment.clone())).inline();
        Self {
            registry: Arc::new(registry),
            ledger: Ledger { environment: environment.clone(), taken: Arc::default() },
            bodies_begun: Arc::default(),
            environment,
        }
    }

    /// A stage whose every decision is seen by a judge.
    pub fn judged(judge: Judge) -> Self {
        let mut stage = Self::new();
        let judged =
            Judged { registry: Arc::clone(&stage.registry), environment: stage.environment.clone(), judge };
        stage.registry = Arc::new(Facade(judged));
        stage
    }

    /// A worker and its director.
    pub fn worker(&self, owner_id: &str) -> (DurableProcessWorker, Director) {
        self.worker_with(owner_id, |_| {})
    }

    pub fn worker_with(
        &self,
        owner_id: &str,
        adjust: impl FnOnce(&mut DurableProcessWorkerConfig),
    ) -> (DurableProcessWorker, Director) {
        let director = Director(Arc::new(Directing {
            registry: Arc::clone(&self.registry),
            environment: self.environment.clone(),
            faults: Mutex::default(),
            made: Mutex::default(),
        }));
        let bodies =
            Bodies { environment: self.environment.clone(), bodies_begun: Arc::clone(&self.bodies_begun) };
        let mut engines = Engines::new();
        engines.insert(InputKind::Engine("body".into()), Arc::new(bodies));
        let registry = Arc::new(Facade(director.clone()));
        let environment = Arc::new(self.environment.clone());
        let mut config = DurableProcessWorkerConfig::new(registry, engines, environment, owner_id);
        config.timings = LeaseTimings::new(TTL_MS, RENEW_MS).unwrap();
        config.effects = Arc::new(self.ledger.clone());
        config.rules = RULES.get();
        adjust(&mut config);
        (DurableProcessWorker::new(config), director)
    }

    pub fn register(&self, id: &str, disposition: RecoveryDisposition, input: Value) -> ProcessRecord {
        let registration = registration(id, disposition, input);
        block_on(self.registry.register_process(registration)).unwrap()
    }

    /// Registers a rerunnable process.
    pub fn rerunnable(&self, id: &str, input: Value) {
        self.register(id, RecoveryDisposition::Rerunnable, input);
    }

    pub fn owner_bound(&self, id: &str, input: Value) {
        self.register(id, RecoveryDisposition::OwnerBound, input);
    }

    /// One sweep, and everything that follows from it without time passing.
    pub fn sweep(&self, worker: &DurableProcessWorker) {
        self.environment
            .run(worker.drive_pending_processes())
            .expect("a sweep ends")
            .expect("a list is read");
        self.environment.settle();
    }

    pub fn pass_ms(&self, by_ms: u64) {
        self.environment.pass(Duration::from_millis(by_ms));
    }

    /// Time moves and nobody runs: every worker sleeps through it.
    pub fn sleep_through_ms(&self, by_ms: u64) {
        self.environment.advance(Duration::from_millis(by_ms));
    }

    pub fn record(&self, id: &str) -> ProcessRecord {
        block_on(self.registry.read_process(id)).unwrap().expect("the process is known")
    }

    pub fn lease(&self, id: &str) -> Option<ProcessLease> {
        block_on(self.registry.get_process_lease(id)).unwrap()
    }

    pub fn output(&self, id: &str) -> Option<ProcessAwaitOutput> {
        self.record(id).status.output().cloned()
    }

    pub fn events(&self, id: &str) -> Vec<String> {
        let events = block_on(self.registry.events_after(id, 0)).unwrap();
        events.into_iter().map(|event| event.event_type).collect()
    }

    pub fn bodies_begun(&self, id: &str) -> usize {
        self.bodies_begun.lock().unwrap().iter().filter(|begun| *begun == id).count()
    }

    /// Somebody who is no worker takes the lease, if it is free.
    pub fn claim_as(&self, id: &str, who: &str) -> Option<ProcessLease> {
        let owner = LeaseOwnerIdentity::opaque(who, format!("{who}-1"));
        match block_on(self.registry.claim_process_lease(id, &owner, TTL_MS)) {
            Ok(ProcessLeaseClaimOutcome::Acquired(lease)) => Some(lease),
            _ => None,
        }
    }
}

/// The registry's clock runs ahead of ann's; bob takes `p` from her and ends it.
pub fn overtaken_by_bob(stage: &Stage) -> Arc<dyn Fn() + Send + Sync> {
    let (environment, registry) = (stage.environment.clone(), Arc::clone(&stage.registry));
    Arc::new(move || {
        environment.set_wall(environment.now_epoch_ms() + TTL_MS);
        let bob = LeaseOwnerIdentity::opaque("bob", "bob-1");
        let claimed = block_on(registry.claim_process_lease("p", &bob, TTL_MS));
        let Ok(ProcessLeaseClaimOutcome::Acquired(lease)) = claimed else { panic!("it has expired") };
        let output = ProcessAwaitOutput::Success { value: json!("bob's") };
        block_on(registry.complete_process_with_lease(&lease, output)).unwrap();
    })
}

pub fn registration(id: &str, disposition: RecoveryDisposition, input: Value) -> ProcessRegistration {
    ProcessRegistration {
        id: id.to_owned(),
        input: ProcessInput::Engine { kind: "body".into(), payload: input },
        disposition,
        identity: ProcessIdentity { kind: "job".into(), label: None, definition: None },
        event_types: vec![fencepost::model::event::ProcessEventType { name: "progress".into(), wake: None }],
        provenance: ProcessProvenance { originator: ProcessOriginator::Host, caused_by: None },
        wake_target: None,
    }
}

pub fn nothing() -> Value {
    json!({"do": "nothing"})
}

pub fn steps(steps: u64, step_ms: u64) -> Value {
    json!({"do": "steps", "steps": steps, "step_ms": step_ms})
}

pub fn success(value: Value) -> Option<ProcessAwaitOutput> {
    Some(ProcessAwaitOutput::Success { value })
}
