//! The serialised forms of the model: those written today, and older ones that must still be read.

use std::sync::Arc;

use fencepost::model::lease::{LeaseOwnerIdentity, LeaseOwnerLiveness, ProcessLease};
use fencepost::model::lease_timings::LeaseTimings;
use fencepost::model::process::{ProcessRegistration, RecoveryDisposition};
use serde_json::{Value, json};

fn lease() -> ProcessLease {
    ProcessLease {
        schema_version: 2,
        process_id: "p".into(),
        owner: LeaseOwnerIdentity {
            owner_id: "ann".into(),
            incarnation_id: "ann-1".into(),
            liveness: Arc::new(LeaseOwnerLiveness::LocalProcess {
                host_id: "h".into(),
                boot_id: "b".into(),
                pid: 7,
                process_start: "99".into(),
            }),
        },
        lease_token: "t".into(),
        fencing_token: u64::MAX,
        claimed_at_epoch_ms: 1,
        expires_at_epoch_ms: u64::MAX - 1,
    }
}

fn flattened() -> Value {
    json!({
        "schema_version": 2,
        "process_id": "p",
        "owner_id": "ann",
        "incarnation_id": "ann-1",
        "liveness": {"kind": "local_process", "host_id": "h", "boot_id": "b", "pid": 7, "process_start": "99"},
        "lease_token": "t",
        "fencing_token": 18_446_744_073_709_551_615_u64,
        "claimed_at_epoch_ms": 1,
        "expires_at_epoch_ms": 18_446_744_073_709_551_614_u64,
    })
}

#[test]
fn a_lease_is_written_with_its_owner_flattened_and_comes_back() {
    assert_eq!(serde_json::to_value(lease()).unwrap(), flattened());
    assert_eq!(serde_json::from_value::<ProcessLease>(flattened()).unwrap(), lease());
}

#[test]
fn the_schema_version_is_kept_as_it_was_written() {
    let mut older = flattened();
    older["schema_version"] = json!(1);
    assert_eq!(serde_json::from_value::<ProcessLease>(older).unwrap().schema_version, 1);
}

#[test]
fn a_lease_with_a_nested_owner_is_read() {
    let mut nested = flattened();
    let fields = nested.as_object_mut().unwrap();
    let owner: serde_json::Map<String, Value> = ["owner_id", "incarnation_id", "liveness"]
        .into_iter()
        .map(|key| (key.to_owned(), fields.shift_remove(key).unwrap()))
        .collect();
    fields.insert("owner".into(), Value::Object(owner));
    assert_eq!(serde_json::from_value::<ProcessLease>(nested).unwrap(), lease());
}

#[test]
fn a_lease_with_a_bare_owner_id_is_read_and_cannot_be_granted() {
    let mut bare = flattened();
    let fields = bare.as_object_mut().unwrap();
    fields.shift_remove("incarnation_id");
    fields.shift_remove("liveness");
    let read: ProcessLease = serde_json::from_value(bare).unwrap();
    assert_eq!(read.owner, LeaseOwnerIdentity::opaque("ann", ""));
    assert!(fencepost::rules::arguments::owner(&read.owner).is_err());
}

#[test]
fn a_lease_without_an_owner_or_with_two_is_no_lease() {
    let mut nobody = flattened();
    nobody.as_object_mut().unwrap().shift_remove("owner_id");
    assert!(serde_json::from_value::<ProcessLease>(nobody).is_err());
    let mut both = flattened();
    both["owner"] = json!({"owner_id": "bob", "incarnation_id": "1"});
    assert!(serde_json::from_value::<ProcessLease>(both).is_err());
}

#[test]
fn timings_are_checked_however_they_come() {
    let default = LeaseTimings::default();
    assert_eq!((default.ttl_ms(), default.renew_interval_ms()), (30_000, 10_000));
    assert_eq!(LeaseTimings::new(30_000, 10_000), Ok(default));
    for (ttl, renew) in [(0, 0), (0, 1), (1, 0), (2, 1), (29_999, 10_000), (u64::MAX, u64::MAX)] {
        assert!(LeaseTimings::new(ttl, renew).is_err(), "{ttl} / {renew}");
        let written = json!({"ttl_ms": ttl, "renew_interval_ms": renew});
        assert!(serde_json::from_value::<LeaseTimings>(written).is_err());
    }
    assert!(LeaseTimings::new(3, 1).is_ok());
    let written = serde_json::to_value(default).unwrap();
    assert_eq!(serde_json::from_value::<LeaseTimings>(written).unwrap(), default);
}

#[test]
fn a_registration_needs_its_disposition() {
    let mut written = json!({
        "id": "p",
        "input": {"kind": "tool_call", "tool": "grep", "arguments": {}},
        "disposition": "rerunnable",
        "identity": {"kind": "job"},
        "provenance": {"originator": {"kind": "host"}},
    });
    let read: ProcessRegistration = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(read.disposition, RecoveryDisposition::Rerunnable);
    let again: ProcessRegistration = serde_json::from_value(serde_json::to_value(&read).unwrap()).unwrap();
    assert_eq!(again, read);
    written.as_object_mut().unwrap().shift_remove("disposition");
    assert!(serde_json::from_value::<ProcessRegistration>(written).is_err());
}
