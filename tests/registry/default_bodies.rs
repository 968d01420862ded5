//! The default bodies of the fenced methods do what the 31 methods allow, and have the hole that the reference pages'
//! protocol has: the lease is checked in one step and used in the next.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fencepost::model::lease::{LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::*;
use fencepost::registry::calls::{Answer, Call, Dispatch, Facade, Submit, dispatch};
use fencepost::rules::writes::{Admission, Authority};
use fencepost::rules::{Rules, writes};
use fencepost::store::MemoryStore;
use fencepost::testing::block_on;
use fencepost::testing::manual_environment::HandEnvironment;
use fencepost::{ProcessRegistry, Registry, RegistryError};
use serde_json::json;

/// A registry of the 31 methods alone: worker-run rows take unfenced writes, and the fenced methods are the defaults,
/// reached by answering each fenced call with the trait's own body.
struct OldProtocol {
    inner: Arc<dyn ProcessRegistry>,
    /// Happens between the check and the write.
    between: Box<dyn Fn() + Send + Sync>,
}

#[async_trait]
impl Submit for OldProtocol {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let is_check = matches!(*call, Call::RenewProcessLease { .. });
        let answer = dispatch(self.inner.as_ref(), &call).await;
        if is_check {
            (self.between)();
        }
        answer
    }

    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Inline
    }
}

/// Forwards the required methods and leaves the five fenced ones to their defaults.
struct Defaults(Facade<OldProtocol>);

macro_rules! forward {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $output:ty;)*) => {
        #[async_trait]
        impl ProcessRegistry for Defaults {
            async fn get_process(&self, process_id: &str) -> Option<ProcessRecord> {
                self.0.get_process(process_id).await
            }
            $(async fn $name(&self, $($argument: $kind),*) -> Result<$output, RegistryError> {
                self.0.$name($($argument),*).await
            })*
        }
    };
}

use fencepost::model::event::{ProcessEvent, ProcessEventAppendRequest, ProcessEventAppendResult};
use fencepost::model::handle::{
    ProcessHandleDescriptor, ProcessHandleGrant, ProcessHandleGrantEntry, SessionScope,
};
use fencepost::model::lease::ProcessLeaseCompletion;

forward! {
    register_process(registration: ProcessRegistration) -> ProcessRecord;
    set_external_ref(process_id: &str, external_ref: ProcessExternalRef) -> ProcessRecord;
    grant_handle(scope: &SessionScope, process_id: &str, descriptor: ProcessHandleDescriptor) -> ProcessHandleGrant;
    revoke_handle(scope: &SessionScope, process_id: &str) -> ();
    transfer_handle_grants(from: &SessionScope, to: &SessionScope, process_ids: &[String]) -> ();
    list_handle_grants(scope: &SessionScope) -> Vec<ProcessHandleGrantEntry>;
    handle_grants_for_process(process_id: &str) -> Vec<ProcessHandleGrant>;
    delete_session_process_state(session_id: &str) -> ProcessSessionDeleteReport;
    append_event(process_id: &str, request: ProcessEventAppendRequest) -> ProcessEventAppendResult;
    events_after(process_id: &str, after: u64) -> Vec<ProcessEvent>;
    wake_events_after(process_id: &str, after: u64) -> Vec<ProcessEvent>;
    complete_process(process_id: &str, output: ProcessAwaitOutput) -> ProcessRecord;
    record_first_started(process_id: &str, started: ProcessStarted) -> ProcessRecord;
    request_process_abandon(process_id: &str, request: AbandonRequest) -> ProcessRecord;
    set_process_wait(process_id: &str, wait: WaitState) -> ProcessRecord;
    clear_process_wait(process_id: &str) -> ProcessRecord;
    list_processes(filter: &ProcessListFilter) -> Vec<ProcessRecord>;
    ack_wake(process_id: &str, sequence: u64) -> ();
    list_non_terminal() -> Vec<ProcessRecord>;
    claim_process_lease(process_id: &str, owner: &LeaseOwnerIdentity, ttl: u64) -> ProcessLeaseClaimOutcome;
    reclaim_process_lease(process_id: &str, owner: &LeaseOwnerIdentity, observed: &ProcessLease, ttl: u64)
        -> ProcessLeaseClaimOutcome;
    renew_process_lease(lease: &ProcessLease, ttl: u64) -> ProcessLease;
    get_process_lease(process_id: &str) -> Option<ProcessLease>;
    complete_process_lease(completion: &ProcessLeaseCompletion) -> ();
    prune_terminal_processes(cutoff: u64) -> ProcessPruneReport;
}

const TTL_MS: u64 = 100;

fn old_protocol(environment: &HandEnvironment, between: impl Fn() + Send + Sync + 'static) -> Defaults {
    let unfenced = Rules {
        admit: |rules, life, authority, write, now_ms| match authority {
            Authority::Unfenced if !life.row.record.is_terminal() => Ok(Admission::Go),
            _ => writes::admit(rules, life, authority, write, now_ms),
        },
        ..Rules::LAWFUL
    };
    let registry = Registry::new(MemoryStore::new(), Arc::new(environment.clone())).with_rules(unfenced);
    Defaults(Facade(OldProtocol { inner: Arc::new(registry.inline()), between: Box::new(between) }))
}

async fn claimed(registry: &dyn ProcessRegistry) -> ProcessLease {
    let registration = crate::sample::job("p");
    registry.register_process(registration).await.unwrap();
    match registry.claim_process_lease("p", &LeaseOwnerIdentity::opaque("ann", "1"), TTL_MS).await {
        Ok(ProcessLeaseClaimOutcome::Acquired(lease)) => lease,
        other => panic!("{other:?}"),
    }
}

fn success() -> ProcessAwaitOutput {
    ProcessAwaitOutput::Success { value: json!(1) }
}

#[test]
fn the_defaults_refuse_a_lease_that_is_lost_before_the_check() {
    let environment = HandEnvironment::at_epoch_ms(1_000);
    let registry = old_protocol(&environment, || {});
    block_on(async {
        let lease = claimed(&registry).await;
        environment.advance(Duration::from_millis(TTL_MS));
        let late = registry.complete_process_with_lease(&lease, success()).await;
        assert!(matches!(late, Err(RegistryError::LeaseExpired { .. })), "{late:?}");
        let wait = WaitState {
            kind: WaitKind::Signal {
                name: "go".into(),
                event_type: "signal.go".into(),
                key: "k".into(),
                ordinal: 1,
            },
            since_ms: 1,
        };
        let started = ProcessStarted { owner: lease.owner.clone(), started_at_ms: 1 };
        let signal = ProcessEventAppendRequest::new("signal.go", json!(1));
        let others = [
            registry.clear_process_wait_with_lease(&lease).await.err(),
            registry.set_process_wait_with_lease(&lease, wait).await.err(),
            registry.record_first_started_with_lease(&lease, started).await.err(),
            registry.append_event_with_lease(&lease, signal).await.err(),
        ];
        for late in others {
            assert!(matches!(late, Some(RegistryError::LeaseExpired { .. })), "{late:?}");
        }
        assert_eq!(registry.events_after("p", 0).await, Ok(vec![]));
    });
}

#[test]
fn the_defaults_complete_a_live_lease_and_release_it() {
    let environment = HandEnvironment::at_epoch_ms(1_000);
    let registry: Arc<dyn ProcessRegistry> = Arc::new(old_protocol(&environment, || {}));
    block_on(async {
        let lease = claimed(registry.as_ref()).await;
        let started = ProcessStarted { owner: lease.owner.clone(), started_at_ms: 1 };
        let first = registry.record_first_started_with_lease(&lease, started.clone()).await;
        assert!(matches!(first, Ok(FirstStart::Started(_))), "{first:?}");
        let again = registry.record_first_started_with_lease(&lease, started).await;
        assert!(matches!(again, Ok(FirstStart::AlreadyYours(_))), "{again:?}");
        let before = registry.get_process_lease("p").await;
        let signal = ProcessEventAppendRequest::new("signal.go", json!(1));
        registry.append_event_with_lease(&lease, signal).await.unwrap();
        assert_eq!(registry.get_process_lease("p").await, before, "the check extends nothing");
        registry.complete_process_with_lease(&lease, success()).await.unwrap();
        assert_eq!(registry.get_process_lease("p").await, Ok(None));
        let scope = SessionScope::session("s");
        let descriptor = ProcessHandleDescriptor { kind: "view".into(), label: None };
        assert_eq!(registry.has_handle_grant(&scope, "p").await, Ok(false));
        registry.grant_handle(&scope, "p", descriptor).await.unwrap();
        assert_eq!(registry.has_handle_grant(&scope, "p").await, Ok(true));
        assert_eq!(registry.has_handle_grant(&scope, "q").await, Ok(false));
        assert_eq!(registry.list_live_handle_grants(&scope).await, Ok(vec![]));
        let recent = registry.recent_events("p", 2).await.unwrap();
        assert_eq!(recent.iter().map(|event| event.sequence).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(registry.count_events_through("p", "process.completed", 2).await, Ok(0));
        assert_eq!(registry.count_events_through("p", "process.completed", 3).await, Ok(1));
        assert!(registry.read_process("p").await.unwrap().unwrap().is_terminal());
    });
}

#[test]
fn the_defaults_call_anothers_start_anothers() {
    let environment = HandEnvironment::at_epoch_ms(1_000);
    let registry = old_protocol(&environment, || {});
    block_on(async {
        let anns = claimed(&registry).await;
        let started = |owner: &LeaseOwnerIdentity| ProcessStarted { owner: owner.clone(), started_at_ms: 1 };
        registry.record_first_started_with_lease(&anns, started(&anns.owner)).await.unwrap();
        environment.advance(Duration::from_millis(TTL_MS));
        let bob = LeaseOwnerIdentity::opaque("bob", "1");
        let Ok(ProcessLeaseClaimOutcome::Acquired(bobs)) =
            registry.claim_process_lease("p", &bob, TTL_MS).await
        else {
            panic!("an expired lease is granted");
        };
        let answer = registry.record_first_started_with_lease(&bobs, started(&bob)).await;
        assert!(matches!(answer, Ok(FirstStart::AlreadyStarted(_))), "{answer:?}");
    });
}

/// 1. The check passes. 2. The lease runs out and passes to another. 3. The write is taken all the same.
#[test]
fn the_defaults_let_a_worker_that_sleeps_between_check_and_write_complete() {
    let environment = HandEnvironment::at_epoch_ms(1_000);
    let sleeper = environment.clone();
    let registry = old_protocol(&environment, move || sleeper.advance(Duration::from_millis(2 * TTL_MS)));
    block_on(async {
        let stale = claimed(&registry).await;
        let written = registry.complete_process_with_lease(&stale, success()).await;
        assert!(written.is_ok(), "the hole is gone: say so in the trait's documentation");
    });
}

#[test]
fn the_fenced_methods_of_the_registry_itself_have_no_such_hole() {
    let environment = HandEnvironment::at_epoch_ms(1_000);
    let registry: Arc<dyn ProcessRegistry> =
        Arc::new(Registry::new(MemoryStore::new(), Arc::new(environment.clone())).inline());
    let registry = Facade(Dispatch(registry));
    block_on(async {
        let stale = claimed(&registry).await;
        registry.renew_process_lease(&stale, 1).await.unwrap();
        environment.advance(Duration::from_millis(2 * TTL_MS));
        let late = registry.complete_process_with_lease(&stale, success()).await;
        assert!(matches!(late, Err(RegistryError::LeaseExpired { .. })), "{late:?}");
    });
}
