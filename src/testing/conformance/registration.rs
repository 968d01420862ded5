//! Registration, identity and external references.

use serde_json::json;

use super::bench::*;
use crate::model::error::RegistryError as E;
use crate::model::event::ProcessEventType;
use crate::model::handle::SessionScope;
use crate::model::lease::LeaseOwnerLiveness;
use crate::model::process::{
    ProcessExternalRef, ProcessIdentity, ProcessInput, ProcessOriginator, ProcessProvenance, ProcessStatus,
    RecoveryDisposition::{ExternallyOwned, OwnerBound, Rerunnable},
};

fn reference(id: &str) -> ProcessExternalRef {
    ProcessExternalRef { backend: "cluster".into(), id: id.to_owned(), metadata: json!({"zone": 1}) }
}

pub async fn a_registered_process_is_running_and_untouched(t: Bench) {
    let record = t.register("p").await;
    assert_eq!(*record.registration, registration("p", Rerunnable));
    assert_eq!(record.status, ProcessStatus::Running);
    assert_eq!((record.created_at_ms, record.updated_at_ms), (START_MS, START_MS));
    assert!(record.first_started.is_none() && record.wait.is_none());
    assert!(record.abandon_request.is_none() && record.external_ref.is_none());
    assert_eq!(t.read("p").await, record);
    assert_eq!(t.event_types("p").await, Vec::<String>::new());
}

pub async fn registering_the_same_content_again_answers_the_stored_record(t: Bench) {
    let first = t.register("p").await;
    t.advance(5);
    assert_eq!(t.register("p").await, first);
}

pub async fn registering_an_ended_process_again_answers_its_outcome(t: Bench) {
    let ended = t.ended("p").await;
    assert_eq!(t.register("p").await, ended);
}

pub async fn other_content_under_the_same_id_is_a_conflict(t: Bench) {
    let first = t.register("p").await;
    refused!(
        t.registry.register_process(registration("p", OwnerBound)).await,
        E::RegistrationConflict { .. }
    );
    let mut renamed = registration("p", Rerunnable);
    renamed.identity.label = None;
    refused!(t.registry.register_process(renamed).await, E::RegistrationConflict { .. });
    assert_eq!(t.read("p").await, first);
}

pub async fn the_order_of_maps_is_not_content(t: Bench) {
    let with = |text: &str| {
        let payload = serde_json::from_str(text).expect("it is JSON");
        let input = ProcessInput::Engine { kind: "steps".into(), payload };
        crate::model::process::ProcessRegistration { input, ..registration("p", Rerunnable) }
    };
    let first = t.registry.register_process(with(r#"{"a": 1, "b": 2}"#)).await.expect("stored");
    let again = t.registry.register_process(with(r#"{"b": 2, "a": 1}"#)).await.expect("the same content");
    assert_eq!(first, again);
}

pub async fn later_changes_do_not_touch_the_registration_hash(t: Bench) {
    let hash = t.register("p").await.registration_hash;
    t.registry.set_external_ref("p", reference("job-7")).await.expect("assigned");
    t.registry.delete_session_process_state("home").await.expect("deleted");
    let record = t.read("p").await;
    assert!(record.registration.wake_target.is_none());
    assert_eq!(record.registration_hash, hash);
}

pub async fn a_repeat_is_recognised_after_its_wake_target_was_cleared(t: Bench) {
    t.register("p").await;
    t.registry.delete_session_process_state("home").await.expect("deleted");
    let stored = t.read("p").await;
    assert_eq!(t.register("p").await, stored);
}

pub async fn external_input_must_be_externally_owned(t: Bench) {
    for disposition in [Rerunnable, OwnerBound] {
        let mut external = registration("p", disposition);
        external.input = ProcessInput::External { metadata: json!({}) };
        refused!(t.registry.register_process(external).await, E::InvalidArgument { .. });
    }
    let mut external = registration("p", ExternallyOwned);
    external.input = ProcessInput::External { metadata: json!({}) };
    t.registry.register_process(external).await.expect("external input is externally owned");
}

pub async fn an_externally_owned_process_may_carry_any_input(t: Bench) {
    let inputs = [
        ProcessInput::ToolCall { tool: "grep".into(), arguments: json!(["x"]) },
        ProcessInput::Engine { kind: "steps".into(), payload: json!(null) },
        ProcessInput::SessionTurn { session_id: "s".into(), prompt: String::new() },
    ];
    for (index, input) in inputs.into_iter().enumerate() {
        let mut owned = registration(&format!("p{index}"), ExternallyOwned);
        owned.input = input;
        t.registry.register_process(owned).await.expect("any input may be externally owned");
    }
}

pub async fn ids_and_names_must_not_be_empty(t: Bench) {
    for blank in ["", " ", "\t\n"] {
        let blank = blank.to_owned();
        let base = || registration("p", Rerunnable);
        let mut bad = vec![registration(&blank, Rerunnable)];
        bad.push(crate::model::process::ProcessRegistration {
            input: ProcessInput::ToolCall { tool: blank.clone(), arguments: json!({}) },
            ..base()
        });
        bad.push(crate::model::process::ProcessRegistration {
            input: ProcessInput::Engine { kind: blank.clone(), payload: json!({}) },
            ..base()
        });
        bad.push(crate::model::process::ProcessRegistration {
            input: ProcessInput::SessionTurn { session_id: blank.clone(), prompt: "hi".into() },
            ..base()
        });
        bad.push(crate::model::process::ProcessRegistration {
            identity: ProcessIdentity { kind: blank.clone(), label: None, definition: None },
            ..base()
        });
        bad.push(crate::model::process::ProcessRegistration {
            identity: ProcessIdentity { kind: "job".into(), label: None, definition: Some(blank.clone()) },
            ..base()
        });
        bad.push(crate::model::process::ProcessRegistration {
            provenance: ProcessProvenance {
                originator: ProcessOriginator::Session { scope: SessionScope::session(blank.clone()) },
                caused_by: None,
            },
            ..base()
        });
        bad.push(crate::model::process::ProcessRegistration {
            provenance: ProcessProvenance {
                originator: ProcessOriginator::Host,
                caused_by: Some(blank.clone()),
            },
            ..base()
        });
        bad.push(crate::model::process::ProcessRegistration {
            wake_target: Some(SessionScope::session(blank.clone())),
            ..base()
        });
        bad.push(crate::model::process::ProcessRegistration {
            event_types: vec![ProcessEventType { name: blank.clone(), wake: None }],
            ..base()
        });
        for registration in bad {
            refused!(t.registry.register_process(registration).await, E::InvalidArgument { .. });
        }
    }
    refused!(t.registry.read_process("").await, E::InvalidArgument { .. });
    assert_eq!(t.registry.get_process("").await, None);
}

pub async fn ids_and_names_have_at_most_512_bytes(t: Bench) {
    let longest = "é".repeat(256);
    t.register(&longest).await;
    assert_eq!(t.read(&longest).await.id(), longest);
    let too_long = format!("{longest}x");
    refused!(
        t.registry.register_process(registration(&too_long, Rerunnable)).await,
        E::InvalidArgument { .. }
    );
    refused!(t.registry.read_process(&too_long).await, E::InvalidArgument { .. });
}

pub async fn ids_are_kept_verbatim(t: Bench) {
    let ids = [" p", "p ", "P", "p", "p\0q", "π/☂", "p'; DROP TABLE processes; --", "%"];
    for id in ids {
        assert_eq!(t.register(id).await.id(), id);
    }
    for id in ids {
        assert_eq!(t.read(id).await.id(), id);
    }
}

pub async fn declared_event_types_are_unique_and_outside_the_owned_prefixes(t: Bench) {
    for names in [vec!["a", "a"], vec!["process.mine"], vec!["process.started"], vec!["signal.x"]] {
        let mut bad = registration("p", Rerunnable);
        let declare = |name: &str| ProcessEventType { name: name.to_owned(), wake: None };
        bad.event_types = names.into_iter().map(declare).collect();
        refused!(t.registry.register_process(bad).await, E::InvalidArgument { .. });
    }
    let mut fine = registration("p", Rerunnable);
    fine.event_types = vec![ProcessEventType { name: "processes".into(), wake: None }];
    t.registry.register_process(fine).await.expect("a prefix ends with its dot");
}

pub async fn values_nested_too_deep_to_be_read_back_are_refused(t: Bench) {
    let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
    let with = |payload| crate::model::process::ProcessRegistration {
        input: ProcessInput::Engine { kind: "steps".into(), payload },
        ..registration("deep", Rerunnable)
    };
    refused!(t.registry.register_process(with(nested(300))).await, E::InvalidArgument { .. });
    let fields = (0..300).fold(json!(1), |inner, _| json!({ "in": inner }));
    refused!(t.registry.register_process(with(fields)).await, E::InvalidArgument { .. });
    t.registry.register_process(with(nested(60))).await.expect("sixty levels are fine");
    assert_eq!(*t.read("deep").await.registration, with(nested(60)));
    let lease = t.claim("deep", &ann()).await;
    refused!(
        t.registry.append_event_with_lease(&lease, progress(nested(300))).await,
        E::InvalidArgument { .. }
    );
    use crate::model::process::ProcessAwaitOutput::{Cancelled, Failure, Success};
    let (message, raw) = (String::new(), Some(nested(300)));
    for output in [
        Success { value: nested(300) },
        Failure { class: "c".into(), code: None, message: message.clone(), raw: raw.clone() },
        Cancelled { message, raw },
    ] {
        refused!(t.registry.complete_process_with_lease(&lease, output).await, E::InvalidArgument { .. });
    }
    let reference = ProcessExternalRef { metadata: nested(300), ..reference("job-7") };
    refused!(t.registry.set_external_ref("deep", reference).await, E::InvalidArgument { .. });
}

pub async fn an_external_reference_is_assigned_once(t: Bench) {
    t.register("p").await;
    t.advance(3);
    let assigned = t.registry.set_external_ref("p", reference("job-7")).await.expect("assigned");
    assert_eq!(assigned.external_ref, Some(reference("job-7")));
    assert_eq!(assigned.updated_at_ms, START_MS + 3);
    t.advance(3);
    let again = t.registry.set_external_ref("p", reference("job-7")).await.expect("the same again");
    assert_eq!(again, assigned);
    refused!(t.registry.set_external_ref("p", reference("job-8")).await, E::ExternalRefConflict { .. });
    assert_eq!(t.read("p").await, assigned);
    refused!(t.registry.set_external_ref("nobody", reference("x")).await, E::UnknownProcess { .. });
    refused!(t.registry.set_external_ref("p", reference("")).await, E::InvalidArgument { .. });
}

pub async fn an_external_reference_may_be_assigned_to_an_ended_process(t: Bench) {
    t.ended("p").await;
    let record = t.registry.set_external_ref("p", reference("job-7")).await.expect("allowed after the end");
    assert_eq!(record.external_ref, Some(reference("job-7")));
}

pub async fn everything_stored_comes_back_as_it_was_sent(t: Bench) {
    let odd = json!({
        "largest": u64::MAX, "smallest": i64::MIN, "fraction": 0.1, "tiny": 5e-324, "huge": 1.797_693_134_862_315_7e308,
        "text": "line\nquote\" nul\u{0} snow☃", "": {"": []}, "nothing": null,
    });
    let mut sent = registration("p", Rerunnable);
    sent.input = ProcessInput::Engine { kind: "steps".into(), payload: odd.clone() };
    sent.provenance = ProcessProvenance {
        originator: ProcessOriginator::Session { scope: SessionScope::frame("s", "f") },
        caused_by: Some("q".into()),
    };
    t.registry.register_process(sent.clone()).await.expect("stored");
    let lease = t.claim("p", &ann()).await;
    let appended = t.registry.append_event_with_lease(&lease, progress(odd.clone())).await.expect("appended");
    assert_eq!(*t.read("p").await.registration, sent);
    let events = t.registry.events_after("p", 0).await.expect("read");
    assert_eq!(events, [appended.event]);
    assert_eq!(events[0].payload, odd);
}

pub async fn every_other_id_and_name_is_held_to_the_same_bounds(t: Bench) {
    let lease = t.claimed("p").await;
    t.register_as("x", ExternallyOwned).await;
    let r = &t.registry;
    for bad in [String::new(), " ".to_owned(), "x".repeat(513)] {
        let scope = SessionScope::session(bad.clone());
        refused!(r.grant_handle(&scope, "p", handle("view")).await, E::InvalidArgument { .. });
        refused!(r.list_handle_grants(&scope).await, E::InvalidArgument { .. });
        refused!(r.delete_session_process_state(&bad).await, E::InvalidArgument { .. });
        refused!(r.transfer_handle_grants(&scope, &scope, &[]).await, E::InvalidArgument { .. });
        let fine = SessionScope::session("s");
        refused!(
            r.transfer_handle_grants(&fine, &fine, std::slice::from_ref(&bad)).await,
            E::InvalidArgument { .. }
        );
        refused!(r.grant_handle(&fine, "p", handle(&bad)).await, E::InvalidArgument { .. });
        let keyed = progress(json!(1)).with_replay(bad.clone());
        refused!(r.append_event_with_lease(&lease, keyed).await, E::InvalidArgument { .. });
        let unnamed = crate::model::event::ProcessEventAppendRequest::new(bad.clone(), json!(1));
        refused!(r.append_event_with_lease(&lease, unnamed).await, E::InvalidArgument { .. });
        refused!(r.count_events_through("p", &bad, 1).await, E::InvalidArgument { .. });
        let mut waits = [wait_for("go"), wait_for("go"), wait_for("go")];
        let [
            crate::model::process::WaitKind::Signal { name, .. },
            crate::model::process::WaitKind::Signal { event_type, .. },
            crate::model::process::WaitKind::Signal { key, .. },
        ] = waits.each_mut().map(|wait| &mut wait.kind);
        (*name, *event_type, *key) = (bad.clone(), bad.clone(), bad.clone());
        for wait in waits {
            refused!(r.set_process_wait_with_lease(&lease, wait).await, E::InvalidArgument { .. });
        }
        for (class, code) in [(bad.clone(), None), ("c".to_owned(), Some(bad.clone()))] {
            let failure = crate::model::process::ProcessAwaitOutput::Failure {
                class,
                code,
                message: String::new(),
                raw: None,
            };
            refused!(r.complete_process("x", failure).await, E::InvalidArgument { .. });
        }
        let reference = ProcessExternalRef { backend: bad.clone(), ..reference("job-7") };
        refused!(r.set_external_ref("p", reference).await, E::InvalidArgument { .. });
        let owner = crate::model::lease::LeaseOwnerIdentity::opaque("ann", bad.clone());
        refused!(r.claim_process_lease("p", &owner, TTL_MS).await, E::InvalidArgument { .. });
        let owner = crate::model::lease::LeaseOwnerIdentity::opaque(bad.clone(), "ann-1");
        refused!(r.claim_process_lease("p", &owner, TTL_MS).await, E::InvalidArgument { .. });
        refused!(r.request_process_abandon("p", abandon_request(&bad)).await, E::InvalidArgument { .. });
        let good = || "x".to_owned();
        for [host_id, boot_id, process_start] in
            [[bad.clone(), good(), good()], [good(), bad.clone(), good()], [good(), good(), bad.clone()]]
        {
            let liveness = LeaseOwnerLiveness::LocalProcess { host_id, boot_id, pid: 1, process_start };
            let owner = crate::model::lease::LeaseOwnerIdentity { liveness: liveness.into(), ..ann() };
            refused!(r.claim_process_lease("p", &owner, TTL_MS).await, E::InvalidArgument { .. });
        }
    }
}
