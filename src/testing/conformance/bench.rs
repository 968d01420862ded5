//! The tools of a case: a registry on an environment that the case turns, and short words for long calls.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::model::error::RegistryError;
use crate::model::event::{ProcessEventAppendRequest, ProcessEventType, ProcessWakeInput, ProcessWakeSpec};
use crate::model::handle::{ProcessHandleDescriptor, SessionScope};
use crate::model::lease::{LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome};
use crate::model::process::{
    AbandonEvidence, AbandonRequest, AbandonWriter, ProcessAwaitOutput, ProcessIdentity, ProcessInput,
    ProcessOriginator, ProcessProvenance, ProcessRecord, ProcessRegistration, ProcessStarted,
    RecoveryDisposition, WaitKind, WaitState,
};
use crate::registry::ProcessRegistry;
use crate::testing::manual_environment::HandEnvironment;

/// A way to open the registry under test.
pub trait Backend {
    /// A new, empty registry that takes time, entropy and liveness from `environment`.
    fn open(&mut self, environment: &HandEnvironment) -> Arc<dyn ProcessRegistry>;

    /// The same registry opened anew on what it kept, after every use of the first is gone; `None` if nothing outlives
    /// an opening.
    fn reopen(&mut self, _environment: &HandEnvironment) -> Option<Arc<dyn ProcessRegistry>> {
        None
    }
}

/// The registry under test, at ten million milliseconds past the epoch.
pub struct Bench {
    pub registry: Arc<dyn ProcessRegistry>,
    pub environment: HandEnvironment,
    backend: Box<dyn Backend>,
}

pub const START_MS: u64 = 10_000_000;
pub const TTL_MS: u64 = 1_000;

impl Bench {
    pub fn new(mut backend: Box<dyn Backend>) -> Self {
        let environment = HandEnvironment::at_epoch_ms(START_MS);
        let registry = backend.open(&environment);
        Self { registry, environment, backend }
    }

    /// False when this registry does not outlive its opening.
    pub fn reopen(&mut self) -> bool {
        // The old registry must be gone before the new one opens its files.
        self.registry = Arc::new(crate::registry::calls::Facade(Closed));
        match self.backend.reopen(&self.environment) {
            Some(registry) => {
                self.registry = registry;
                true
            }
            None => false,
        }
    }

    pub fn advance(&self, by_ms: u64) {
        self.environment.advance(Duration::from_millis(by_ms));
    }

    pub async fn register(&self, id: &str) -> ProcessRecord {
        self.register_as(id, RecoveryDisposition::Rerunnable).await
    }

    pub async fn register_as(&self, id: &str, disposition: RecoveryDisposition) -> ProcessRecord {
        let registered = self.registry.register_process(registration(id, disposition)).await;
        registered.expect("a valid registration is stored")
    }

    /// A lease that lives for the bench's one ttl, a second.
    pub async fn claim(&self, id: &str, owner: &LeaseOwnerIdentity) -> ProcessLease {
        acquired(self.registry.claim_process_lease(id, owner, TTL_MS).await)
    }

    /// Registers a rerunnable process and claims it for `ann`.
    pub async fn claimed(&self, id: &str) -> ProcessLease {
        self.register(id).await;
        self.claim(id, &ann()).await
    }

    /// Registers an owner-bound process, claims it for `ann` and starts it.
    pub async fn started(&self, id: &str) -> ProcessLease {
        self.register_as(id, RecoveryDisposition::OwnerBound).await;
        let lease = self.claim(id, &ann()).await;
        let started = self.registry.record_first_started_with_lease(&lease, start_of(&lease)).await;
        started.expect("a live grant starts");
        lease
    }

    /// Registers and ends a process.
    pub async fn ended(&self, id: &str) -> ProcessRecord {
        let lease = self.claimed(id).await;
        let ended = self.registry.complete_process_with_lease(&lease, success(1)).await;
        ended.expect("a live grant completes")
    }

    pub async fn read(&self, id: &str) -> ProcessRecord {
        self.registry.read_process(id).await.expect("a read answers").expect("the process is known")
    }

    pub async fn event_types(&self, id: &str) -> Vec<String> {
        let events = self.registry.events_after(id, 0).await.expect("a log is read");
        events.into_iter().map(|event| event.event_type).collect()
    }

    /// Everything that a refused call must leave as it was.
    pub async fn everything_about(&self, id: &str) -> impl PartialEq + std::fmt::Debug + use<> {
        (
            self.registry.read_process(id).await.expect("a read answers"),
            self.registry.get_process_lease(id).await.expect("a lease is read"),
            self.registry.events_after(id, 0).await.expect("a log is read"),
            self.registry.handle_grants_for_process(id).await.expect("handles are read"),
            self.registry.wake_events_after(id, 0).await.expect("wakes are read"),
        )
    }
}

/// Stands where the old registry was, so that it is dropped.
struct Closed;

#[async_trait::async_trait]
impl crate::registry::calls::Submit for Closed {
    async fn submit(&self, _: Arc<crate::registry::calls::Call>) -> crate::registry::calls::Answer {
        Err(RegistryError::backend("call a registry", "it is closed"))
    }

    fn durability_tier(&self) -> crate::model::process::DurabilityTier {
        crate::model::process::DurabilityTier::Inline
    }
}

pub fn acquired(answer: Result<ProcessLeaseClaimOutcome, RegistryError>) -> ProcessLease {
    match answer {
        Ok(ProcessLeaseClaimOutcome::Acquired(lease)) => lease,
        other => panic!("expected a grant, got {other:?}"),
    }
}

pub fn busy(answer: Result<ProcessLeaseClaimOutcome, RegistryError>) -> ProcessLease {
    match answer {
        Ok(ProcessLeaseClaimOutcome::Busy { holder }) => holder,
        other => panic!("expected busy, got {other:?}"),
    }
}

/// Panics unless the fence of the new grant is above that of the old one. How far above is the registry's own choice.
pub fn assert_later(new: &ProcessLease, old: &ProcessLease) {
    let (new, old) = (new.fencing_token, old.fencing_token);
    assert!(new > old, "a new grant has fence {new}, and an earlier one had {old}");
}

/// Declares `progress`, and `ask`, which wakes the session `home` with `/text` when `/urgent`.
pub fn registration(id: &str, disposition: RecoveryDisposition) -> ProcessRegistration {
    ProcessRegistration {
        id: id.to_owned(),
        input: ProcessInput::Engine { kind: "steps".into(), payload: json!({"steps": 3}) },
        disposition,
        identity: ProcessIdentity {
            kind: "job".into(),
            label: Some("a job".into()),
            definition: Some("nightly".into()),
        },
        event_types: vec![
            ProcessEventType { name: "progress".into(), wake: None },
            ProcessEventType {
                name: "ask".into(),
                wake: Some(ProcessWakeSpec {
                    when: Some("/urgent".into()),
                    input: ProcessWakeInput::Pointer("/text".into()),
                }),
            },
        ],
        provenance: ProcessProvenance { originator: ProcessOriginator::Host, caused_by: None },
        wake_target: Some(SessionScope::session("home")),
    }
}

pub fn ann() -> LeaseOwnerIdentity {
    LeaseOwnerIdentity::opaque("ann", "ann-1")
}

pub fn bob() -> LeaseOwnerIdentity {
    LeaseOwnerIdentity::opaque("bob", "bob-1")
}

pub fn success(value: u64) -> ProcessAwaitOutput {
    ProcessAwaitOutput::Success { value: json!(value) }
}

pub fn abandoned(writer: AbandonWriter) -> ProcessAwaitOutput {
    ProcessAwaitOutput::Abandoned {
        evidence: AbandonEvidence { writer, owner: Some(ann()), epoch_ms: START_MS },
    }
}

pub fn start_of(lease: &ProcessLease) -> ProcessStarted {
    ProcessStarted { owner: lease.owner.clone(), started_at_ms: 77 }
}

pub fn abandon_request(by: &str) -> AbandonRequest {
    AbandonRequest {
        requested_by: by.to_owned(),
        requested_at_ms: 88,
        reason: Some("no longer wanted".into()),
    }
}

pub fn wait_for(name: &str) -> WaitState {
    WaitState {
        kind: WaitKind::Signal {
            name: name.to_owned(),
            event_type: format!("signal.{name}"),
            key: format!("{name}#1"),
            ordinal: 1,
        },
        since_ms: 99,
    }
}

pub fn progress(payload: Value) -> ProcessEventAppendRequest {
    ProcessEventAppendRequest::new("progress", payload)
}

pub fn signal(name: &str) -> ProcessEventAppendRequest {
    ProcessEventAppendRequest::new(format!("signal.{name}"), json!({}))
}

pub fn urgent_question() -> ProcessEventAppendRequest {
    ProcessEventAppendRequest::new("ask", json!({"urgent": true, "text": "well?"}))
}

pub fn handle(kind: &str) -> ProcessHandleDescriptor {
    ProcessHandleDescriptor { kind: kind.to_owned(), label: Some(format!("to {kind}")) }
}

/// Panics unless the answer is a refusal of this shape.
#[macro_export]
#[doc(hidden)]
macro_rules! refused {
    ($answer:expr, $pattern:pat) => {
        match $answer {
            Err($pattern) => {}
            other => panic!("expected {}, got {other:?}", stringify!($pattern)),
        }
    };
}
pub use crate::refused;
