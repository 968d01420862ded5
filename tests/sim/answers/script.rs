//! A registry with the model beside it, and a script of calls to every method.

use std::sync::Arc;

use fencepost::model::error::RegistryError;
use fencepost::model::event::{
    ProcessEventAppendRequest, ProcessEventType, ProcessWakeInput, ProcessWakeSpec,
};
use fencepost::model::handle::{ProcessHandleDescriptor, SessionScope};
use fencepost::model::lease::{LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::*;
use fencepost::registry::calls::{Call, Reply};
use fencepost::store::MemoryStore;
use fencepost::testing::manual_environment::HandEnvironment;
use fencepost::testing::reference_model::{Inputs, ReferenceModel};
use fencepost::{Environment, Registry};
use serde_json::json;

pub type Answer = Result<Reply, RegistryError>;

/// A registry, and the model beside it.
pub struct Stage {
    registry: Registry<MemoryStore>,
    environment: HandEnvironment,
    pub model: ReferenceModel,
}

impl Stage {
    pub fn new() -> Self {
        let environment = HandEnvironment::at_epoch_ms(1_000_000);
        let registry = Registry::new(MemoryStore::new(), Arc::new(environment.clone()));
        Self { registry, environment, model: ReferenceModel::of_fencepost() }
    }

    pub fn call(&mut self, call: &Call) -> (Answer, Inputs) {
        let inputs = Inputs { now_ms: self.environment.now_epoch_ms(), is_holder_dead: Some(false) };
        let answer = self.registry.apply(call);
        assert_eq!(self.model.judge(call, answer.as_ref(), &inputs), Ok(()), "{call:?}: {answer:?}");
        (answer, inputs)
    }

    fn claim(&mut self, id: &str) -> ProcessLease {
        let claim = Call::ClaimProcessLease { process_id: id.into(), owner: owner("w"), lease_ttl_ms: 500 };
        match self.call(&claim).0 {
            Ok(Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease))) => lease,
            other => panic!("{other:?}"),
        }
    }
}

pub fn owner(incarnation: &str) -> LeaseOwnerIdentity {
    LeaseOwnerIdentity::opaque("owner", incarnation)
}

fn registration(id: &str, disposition: RecoveryDisposition) -> ProcessRegistration {
    let wake = Some(ProcessWakeSpec { when: None, input: ProcessWakeInput::Payload });
    ProcessRegistration {
        id: id.into(),
        input: ProcessInput::Engine { kind: "e".into(), payload: json!(1) },
        disposition,
        identity: ProcessIdentity { kind: "job".into(), label: None, definition: None },
        event_types: vec![ProcessEventType { name: "progress".into(), wake }],
        provenance: ProcessProvenance { originator: ProcessOriginator::Host, caused_by: None },
        wake_target: Some(SessionScope::session("s")),
    }
}

pub fn wait() -> WaitState {
    let kind =
        WaitKind::Signal { name: "go".into(), event_type: "signal.go".into(), key: "k".into(), ordinal: 1 };
    WaitState { kind, since_ms: 3 }
}

fn progress(key: &str) -> ProcessEventAppendRequest {
    ProcessEventAppendRequest::new("progress", json!(2)).with_replay(key)
}

/// Calls of every method, on a process that workers run (`w`), two that are owned elsewhere (`x`, `y`), one that has ended
/// (`z`) and one that nobody knows (`n`).
pub fn script(stage: &mut Stage) -> Vec<Call> {
    let id = |id: &str| id.to_owned();
    let session = || SessionScope::session("s");
    let success = || ProcessAwaitOutput::Success { value: json!(7) };
    let started = |incarnation: &str| ProcessStarted { owner: owner(incarnation), started_at_ms: 4 };
    let descriptor = || ProcessHandleDescriptor { kind: "watch".into(), label: None };
    let external = |id: &str| ProcessExternalRef { backend: "b".into(), id: id.into(), metadata: json!(1) };
    let request = || AbandonRequest { requested_by: "host".into(), requested_at_ms: 1, reason: None };
    for known in ["w", "v"] {
        let registration = registration(known, RecoveryDisposition::Rerunnable);
        stage.call(&Call::RegisterProcess { registration }).0.unwrap();
    }
    let (lease, last) = (stage.claim("w"), stage.claim("v"));
    let stale = ProcessLease { lease_token: "another".into(), ..lease.clone() };
    let mut calls = Vec::new();
    for known in ["x", "y", "z"] {
        calls.push(Call::RegisterProcess {
            registration: registration(known, RecoveryDisposition::ExternallyOwned),
        });
    }
    let again = |disposition| Call::RegisterProcess { registration: registration("x", disposition) };
    calls.extend([again(RecoveryDisposition::ExternallyOwned), again(RecoveryDisposition::OwnerBound)]);
    for process_id in ["x", "z", "n"].map(id) {
        calls.extend([
            Call::SetExternalRef { process_id: process_id.clone(), external_ref: external("1") },
            Call::RecordFirstStarted { process_id: process_id.clone(), started: started("h") },
            Call::SetProcessWait { process_id: process_id.clone(), wait: wait() },
            Call::AppendEvent { process_id: process_id.clone(), request: progress("k") },
            Call::AppendEvent { process_id: process_id.clone(), request: progress("k") },
            Call::RequestProcessAbandon { process_id: process_id.clone(), request: request() },
            Call::GrantHandle {
                session_scope: session(),
                process_id: process_id.clone(),
                descriptor: descriptor(),
            },
        ]);
    }
    calls.extend([
        Call::SetExternalRef { process_id: id("x"), external_ref: external("2") },
        Call::CompleteProcess { process_id: id("z"), await_output: success() },
        Call::CompleteProcess { process_id: id("w"), await_output: success() },
        Call::RecordFirstStartedWithLease { lease: lease.clone(), started: started("w") },
        Call::SetProcessWaitWithLease { lease: lease.clone(), wait: wait() },
        Call::AppendEventWithLease { lease: lease.clone(), request: progress("k") },
        Call::RenewProcessLease { lease: lease.clone(), lease_ttl_ms: 700 },
        Call::ClaimProcessLease { process_id: id("w"), owner: owner("b"), lease_ttl_ms: 500 },
        Call::ClaimProcessLease { process_id: id("n"), owner: owner("b"), lease_ttl_ms: 500 },
        Call::ClaimProcessLease { process_id: id("x"), owner: owner("b"), lease_ttl_ms: 500 },
        Call::ReclaimProcessLease {
            process_id: id("w"),
            owner: owner("b"),
            observed_holder: lease.clone(),
            lease_ttl_ms: 500,
        },
        Call::ReclaimProcessLease {
            process_id: id("z"),
            owner: owner("b"),
            observed_holder: lease.clone(),
            lease_ttl_ms: 500,
        },
        Call::ReclaimProcessLease {
            process_id: id("y"),
            owner: owner("b"),
            observed_holder: lease.clone(),
            lease_ttl_ms: 500,
        },
        Call::RecordFirstStartedWithLease { lease: stale.clone(), started: started("w") },
        Call::SetProcessWaitWithLease { lease: stale.clone(), wait: wait() },
        Call::ClearProcessWaitWithLease { lease: stale.clone() },
        Call::AppendEventWithLease { lease: stale.clone(), request: progress("k") },
        Call::CompleteProcessWithLease { lease: stale.clone(), await_output: success() },
        Call::RenewProcessLease { lease: stale, lease_ttl_ms: 700 },
    ]);
    for process_id in ["w", "x", "z", "n"].map(id) {
        calls.extend([
            Call::GetProcess { process_id: process_id.clone() },
            Call::ReadProcess { process_id: process_id.clone() },
            Call::GetProcessLease { process_id: process_id.clone() },
            Call::EventsAfter { process_id: process_id.clone(), after_sequence: 0 },
            Call::WakeEventsAfter { process_id: process_id.clone(), after_sequence: 0 },
            Call::RecentEvents { process_id: process_id.clone(), limit: 2 },
            Call::CountEventsThrough {
                process_id: process_id.clone(),
                event_type: "progress".into(),
                up_to_sequence: u64::MAX,
            },
            Call::HasHandleGrant { session_scope: session(), process_id: process_id.clone() },
            Call::HandleGrantsForProcess { process_id: process_id.clone() },
            Call::AckWake { process_id, sequence: 3 },
        ]);
    }
    calls.extend([
        Call::ListProcesses { filter: ProcessListFilter::any() },
        Call::ListNonTerminal {},
        Call::ListHandleGrants { session_scope: session() },
        Call::ListLiveHandleGrants { session_scope: session() },
        Call::TransferHandleGrants {
            from_scope: session(),
            to_scope: SessionScope::session("t"),
            process_ids: vec![id("x")],
        },
        Call::TransferHandleGrants {
            from_scope: session(),
            to_scope: SessionScope::session("t"),
            process_ids: vec![id("y")],
        },
        Call::RevokeHandle { session_scope: session(), process_id: id("z") },
        Call::ClearProcessWaitWithLease { lease: lease.clone() },
        Call::CompleteProcessWithLease { lease: lease.clone(), await_output: success() },
        Call::CompleteProcessLease { completion: last.completion() },
        Call::ClearProcessWait { process_id: id("x") },
        Call::ClearProcessWait { process_id: id("n") },
        Call::DeleteSessionProcessState { session_id: id("t") },
        Call::PruneTerminalProcesses { cutoff_epoch_ms: u64::MAX },
    ]);
    calls
}
