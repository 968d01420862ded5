//! Bounds on the arguments of a call, whatever is stored. Every value that comes from outside is checked before any row
//! is read.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::error::RegistryError;
use crate::model::event::{
    CANCEL_REQUESTED, ProcessEventAppendRequest, ProcessEventType, ProcessWakeInput, SIGNAL_PREFIX, lifecycle,
};
use crate::model::handle::{ProcessHandleDescriptor, SessionScope};
use crate::model::lease::{LeaseOwnerIdentity, LeaseOwnerLiveness, ProcessLease, same_incarnation};
use crate::model::process::{
    AbandonRequest, ProcessAwaitOutput, ProcessExternalRef, ProcessInput, ProcessOriginator,
    ProcessRegistration, ProcessStarted, RecoveryDisposition, WaitKind, WaitState,
};

/// Longer ids would make every index pay for one caller's habit.
pub const NAME_MAX_BYTES: usize = 512;

/// A value nested deeper than parsers read back would be stored and never seen again.
pub const JSON_MAX_DEPTH: usize = 64;

type Checked = Result<(), RegistryError>;

pub fn name(argument: &'static str, value: &str) -> Checked {
    if value.trim().is_empty() {
        return Err(RegistryError::invalid(argument, "must not be empty"));
    }
    at_most_max_bytes(argument, value)
}

fn optional_name(argument: &'static str, value: Option<&String>) -> Checked {
    value.map_or(Ok(()), |value| name(argument, value))
}

fn at_most_max_bytes(argument: &'static str, value: &str) -> Checked {
    if value.len() > NAME_MAX_BYTES {
        let why = format!("has {} bytes, at most {NAME_MAX_BYTES} are allowed", value.len());
        return Err(RegistryError::invalid(argument, why));
    }
    Ok(())
}

pub fn json(argument: &'static str, value: &Value) -> Checked {
    if !is_within_depth(value, JSON_MAX_DEPTH) {
        let why = format!("is nested deeper than {JSON_MAX_DEPTH} levels");
        return Err(RegistryError::invalid(argument, why));
    }
    Ok(())
}

fn is_within_depth(value: &Value, left: usize) -> bool {
    match value {
        Value::Array(items) => left > 0 && items.iter().all(|item| is_within_depth(item, left - 1)),
        Value::Object(fields) => left > 0 && fields.values().all(|field| is_within_depth(field, left - 1)),
        _ => true,
    }
}

pub fn owner(owner: &LeaseOwnerIdentity) -> Checked {
    name("owner.owner_id", &owner.owner_id)?;
    name("owner.incarnation_id", &owner.incarnation_id)?;
    match owner.liveness.as_ref() {
        LeaseOwnerLiveness::Opaque => Ok(()),
        LeaseOwnerLiveness::LocalProcess { host_id, boot_id, process_start, .. } => {
            name("liveness.host_id", host_id)?;
            name("liveness.boot_id", boot_id)?;
            name("liveness.process_start", process_start)
        }
    }
}

pub fn scope(scope: &SessionScope) -> Checked {
    name("scope.session_id", &scope.session_id)?;
    if scope.agent_frame_id.is_empty() {
        return Ok(());
    }
    name("scope.agent_frame_id", &scope.agent_frame_id)
}

pub fn descriptor(descriptor: &ProcessHandleDescriptor) -> Checked {
    name("descriptor.kind", &descriptor.kind)
}

pub fn registration(registration: &ProcessRegistration) -> Checked {
    name("registration.id", &registration.id)?;
    input(&registration.input, registration.disposition)?;
    name("identity.kind", &registration.identity.kind)?;
    optional_name("identity.definition", registration.identity.definition.as_ref())?;
    if let ProcessOriginator::Session { scope: originator } = &registration.provenance.originator {
        scope(originator)?;
    }
    optional_name("provenance.caused_by", registration.provenance.caused_by.as_ref())?;
    registration.wake_target.as_ref().map_or(Ok(()), scope)?;
    event_types(&registration.event_types)
}

fn input(input: &ProcessInput, disposition: RecoveryDisposition) -> Checked {
    match input {
        ProcessInput::ToolCall { tool, arguments } => {
            name("input.tool", tool)?;
            json("input.arguments", arguments)
        }
        ProcessInput::Engine { kind, payload } => {
            name("input.kind", kind)?;
            json("input.payload", payload)
        }
        ProcessInput::SessionTurn { session_id, .. } => name("input.session_id", session_id),
        ProcessInput::External { metadata } => {
            if disposition != RecoveryDisposition::ExternallyOwned {
                return Err(RegistryError::invalid("disposition", "external input must be externally owned"));
            }
            json("input.metadata", metadata)
        }
    }
}

fn event_types(declared: &[ProcessEventType]) -> Checked {
    let mut names = BTreeSet::new();
    for event_type in declared {
        name("event_types.name", &event_type.name)?;
        if event_type.name.starts_with("process.") || event_type.name.starts_with(SIGNAL_PREFIX) {
            let why = format!("`{}` is under a prefix that the registry owns", event_type.name);
            return Err(RegistryError::invalid("event_types.name", why));
        }
        if !names.insert(&event_type.name) {
            let why = format!("`{}` is declared twice", event_type.name);
            return Err(RegistryError::invalid("event_types.name", why));
        }
        if let Some(wake) = &event_type.wake {
            wake.when.as_deref().map_or(Ok(()), |pointer| json_pointer("wake.when", pointer))?;
            if let ProcessWakeInput::Pointer(pointer) = &wake.input {
                json_pointer("wake.input", pointer)?;
            }
        }
    }
    Ok(())
}

fn json_pointer(argument: &'static str, pointer: &str) -> Checked {
    at_most_max_bytes(argument, pointer)?;
    if pointer.is_empty() || pointer.starts_with('/') {
        return Ok(());
    }
    Err(RegistryError::invalid(argument, format!("`{pointer}` is no JSON pointer: it must start with `/`")))
}

pub fn append(request: &ProcessEventAppendRequest) -> Checked {
    name("event_type", &request.event_type)?;
    optional_name("replay", request.replay.as_ref())?;
    request.wake_target_scope.as_ref().map_or(Ok(()), scope)?;
    json("payload", &request.payload)?;
    if lifecycle::ALL.contains(&request.event_type.as_str()) {
        let why = format!("`{}` is written by the method that owns the fact", request.event_type);
        return Err(RegistryError::invalid("event_type", why));
    }
    if request.event_type == CANCEL_REQUESTED && request.replay.is_none() {
        return Err(RegistryError::invalid("replay", "a cancel request needs a replay key"));
    }
    Ok(())
}

pub fn output(output: &ProcessAwaitOutput) -> Checked {
    match output {
        ProcessAwaitOutput::Success { value } => json("output.value", value),
        ProcessAwaitOutput::Failure { class, code, raw, .. } => {
            name("output.class", class)?;
            optional_name("output.code", code.as_ref())?;
            raw.as_ref().map_or(Ok(()), |raw| json("output.raw", raw))
        }
        ProcessAwaitOutput::Cancelled { raw, .. } => {
            raw.as_ref().map_or(Ok(()), |raw| json("output.raw", raw))
        }
        ProcessAwaitOutput::Abandoned { evidence } => evidence.owner.as_ref().map_or(Ok(()), owner),
    }
}

pub fn started(started: &ProcessStarted) -> Checked {
    owner(&started.owner)
}

pub fn wait(wait: &WaitState) -> Checked {
    let WaitKind::Signal { name: signal, event_type, key, .. } = &wait.kind;
    name("wait.name", signal)?;
    name("wait.event_type", event_type)?;
    name("wait.key", key)
}

pub fn abandon_request(request: &AbandonRequest) -> Checked {
    name("request.requested_by", &request.requested_by)
}

pub fn external_ref(reference: &ProcessExternalRef) -> Checked {
    name("external_ref.backend", &reference.backend)?;
    name("external_ref.id", &reference.id)?;
    json("external_ref.metadata", &reference.metadata)
}

/// A start under a lease must be in the name of the lease's owner.
pub fn start_under(lease: &ProcessLease, started: &ProcessStarted) -> Checked {
    owner(&started.owner)?;
    if same_incarnation(&lease.owner, &started.owner) {
        return Ok(());
    }
    Err(RegistryError::invalid("started.owner", "must be the incarnation that the lease was granted to"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::event::ProcessWakeSpec;

    #[test]
    fn a_value_may_be_64_levels_deep_and_no_deeper_in_arrays_and_in_objects() {
        let in_arrays = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
        let in_objects = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!({ "in": inner }));
        assert_eq!((json("a", &in_arrays(64)), json("a", &in_objects(64))), (Ok(()), Ok(())));
        for deeper in
            [in_arrays(65), in_objects(65), json!([1, in_objects(64)]), json!({"in": in_arrays(64)})]
        {
            assert!(matches!(json("a", &deeper), Err(RegistryError::InvalidArgument { .. })), "{deeper}");
        }
    }

    #[test]
    fn a_wake_looks_only_where_a_json_pointer_can_point() {
        let too_long = format!("/{}", "a".repeat(NAME_MAX_BYTES));
        for (pointer, is_one) in [("", true), ("/", true), ("/a/0", true), ("a", false), (&*too_long, false)]
        {
            let looks = ProcessWakeSpec { when: Some(pointer.to_owned()), ..Default::default() };
            let takes = ProcessWakeSpec {
                input: ProcessWakeInput::Pointer(pointer.to_owned()),
                ..Default::default()
            };
            for wake in [looks, takes] {
                let declared = [ProcessEventType { name: "progress".into(), wake: Some(wake) }];
                assert_eq!(event_types(&declared).is_ok(), is_one, "`{pointer}`");
            }
        }
    }
}
