//! Short words for calls that many tests make.

use fencepost::Registry;
use fencepost::RegistryError;
use fencepost::model::event::{ProcessEventAppendRequest, ProcessEventType};
use fencepost::model::lease::{LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::*;
use fencepost::registry::calls::{Call, Reply};
use fencepost::store::Store;
use serde_json::json;

/// A rerunnable process that declares `progress`.
pub fn job(id: &str) -> ProcessRegistration {
    ProcessRegistration {
        id: id.to_owned(),
        input: ProcessInput::Engine { kind: "e".into(), payload: json!({ "id": id }) },
        disposition: RecoveryDisposition::Rerunnable,
        identity: ProcessIdentity { kind: "job".into(), label: None, definition: Some("nightly".into()) },
        event_types: vec![ProcessEventType { name: "progress".into(), wake: None }],
        provenance: ProcessProvenance { originator: ProcessOriginator::Host, caused_by: None },
        wake_target: None,
    }
}

pub fn register<S: Store>(registry: &mut Registry<S>, id: &str) {
    registry.apply(&Call::RegisterProcess { registration: job(id) }).expect("registered");
}

pub fn claim_call(id: &str, who: &str, lease_ttl_ms: u64) -> Call {
    let owner = LeaseOwnerIdentity::opaque(who, format!("{who}-1"));
    Call::ClaimProcessLease { process_id: id.to_owned(), owner, lease_ttl_ms }
}

pub fn try_claim<S: Store>(
    registry: &mut Registry<S>,
    id: &str,
    who: &str,
    ttl_ms: u64,
) -> Result<ProcessLeaseClaimOutcome, RegistryError> {
    match registry.apply(&claim_call(id, who, ttl_ms))? {
        Reply::Claim(outcome) => Ok(outcome),
        other => panic!("a claim is answered: {other:?}"),
    }
}

pub fn claim<S: Store>(registry: &mut Registry<S>, id: &str, who: &str, ttl_ms: u64) -> ProcessLease {
    match try_claim(registry, id, who, ttl_ms) {
        Ok(ProcessLeaseClaimOutcome::Acquired(lease)) => lease,
        other => panic!("a free process is claimed: {other:?}"),
    }
}

pub fn release(lease: &ProcessLease) -> Call {
    Call::CompleteProcessLease { completion: lease.completion() }
}

pub fn progress(lease: &ProcessLease, payload: serde_json::Value) -> Call {
    Call::AppendEventWithLease {
        lease: lease.clone(),
        request: ProcessEventAppendRequest::new("progress", payload),
    }
}

pub fn complete(lease: &ProcessLease, value: serde_json::Value) -> Call {
    Call::CompleteProcessWithLease {
        lease: lease.clone(),
        await_output: ProcessAwaitOutput::Success { value },
    }
}

pub fn read<S: Store>(registry: &mut Registry<S>, id: &str) -> Option<ProcessRecord> {
    match registry.apply(&Call::ReadProcess { process_id: id.to_owned() }) {
        Ok(Reply::MaybeRecord(record)) => record,
        other => panic!("a read is answered: {other:?}"),
    }
}

pub fn ids<S: Store>(registry: &mut Registry<S>) -> Vec<String> {
    match registry.apply(&Call::ListNonTerminal {}) {
        Ok(Reply::Records(records)) => records.iter().map(|record| record.id().to_owned()).collect(),
        other => panic!("a list is read: {other:?}"),
    }
}

/// The cause and the row of a failure that changed nothing.
pub fn failure<T>(answer: Result<T, RegistryError>) -> (String, Option<String>) {
    match answer {
        Err(RegistryError::Backend { cause, row, .. }) => (cause, row),
        Err(other) => panic!("expected a backend error, got {other:?}"),
        Ok(_) => panic!("expected a backend error, got an answer"),
    }
}
