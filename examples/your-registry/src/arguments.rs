//! Checks the arguments of a call before any row is read, so that bad input gets the same answer whatever is stored.

use std::collections::BTreeSet;

use fencepost::RegistryError;
use fencepost::model::event::{
    CANCEL_REQUESTED, ProcessEventAppendRequest, ProcessWakeInput, SIGNAL_PREFIX, lifecycle,
};
use fencepost::model::handle::SessionScope;
use fencepost::model::lease::{LeaseOwnerIdentity, LeaseOwnerLiveness};
use fencepost::model::process::{
    ProcessAwaitOutput, ProcessExternalRef, ProcessInput, ProcessOriginator, ProcessRegistration,
    RecoveryDisposition, WaitKind, WaitState,
};
use serde_json::Value;

type Checked = Result<(), RegistryError>;

const NAME_BYTES: usize = 512;
const JSON_LEVELS: usize = 64;

pub fn registration(registration: &ProcessRegistration) -> Checked {
    name("registration.id", &registration.id)?;
    match &registration.input {
        ProcessInput::ToolCall { tool, arguments } => {
            name("input.tool", tool)?;
            json("input.arguments", arguments)?;
        }
        ProcessInput::Engine { kind, payload } => {
            name("input.kind", kind)?;
            json("input.payload", payload)?;
        }
        ProcessInput::SessionTurn { session_id, .. } => name("input.session_id", session_id)?,
        ProcessInput::External { metadata } => {
            json("input.metadata", metadata)?;
            if registration.disposition != RecoveryDisposition::ExternallyOwned {
                return Err(RegistryError::invalid("disposition", "external input is externally owned"));
            }
        }
    }
    name("identity.kind", &registration.identity.kind)?;
    each("identity.definition", &registration.identity.definition)?;
    if let ProcessOriginator::Session { scope: originator } = &registration.provenance.originator {
        scope(originator)?;
    }
    each("provenance.caused_by", &registration.provenance.caused_by)?;
    registration.wake_target.iter().try_for_each(scope)?;
    event_types(registration)
}

fn event_types(registration: &ProcessRegistration) -> Checked {
    let mut names = BTreeSet::new();
    for declared in &registration.event_types {
        name("event_types.name", &declared.name)?;
        if declared.name.starts_with("process.") || declared.name.starts_with(SIGNAL_PREFIX) {
            return Err(RegistryError::invalid("event_types.name", "its prefix belongs to the registry"));
        }
        if !names.insert(&declared.name) {
            return Err(RegistryError::invalid("event_types.name", "is declared twice"));
        }
        let Some(wake) = &declared.wake else { continue };
        let input = match &wake.input {
            ProcessWakeInput::Payload => None,
            ProcessWakeInput::Pointer(pointer) => Some(pointer),
        };
        wake.when.iter().chain(input).try_for_each(json_pointer)?;
    }
    Ok(())
}

pub fn append(request: &ProcessEventAppendRequest) -> Checked {
    name("event_type", &request.event_type)?;
    each("replay", &request.replay)?;
    request.wake_target_scope.iter().try_for_each(scope)?;
    json("payload", &request.payload)?;
    if lifecycle::ALL.contains(&request.event_type.as_str()) {
        return Err(RegistryError::invalid("event_type", "is written by the method that owns the fact"));
    }
    if request.event_type == CANCEL_REQUESTED && request.replay.is_none() {
        return Err(RegistryError::invalid("replay", "a cancel request needs a replay key"));
    }
    Ok(())
}

/// The worker knows an outcome that cannot be stored by the prefix of these names, and ends the process as failed.
pub fn output(output: &ProcessAwaitOutput) -> Checked {
    match output {
        ProcessAwaitOutput::Success { value } => json("output.value", value),
        ProcessAwaitOutput::Failure { class, code, raw, .. } => {
            name("output.class", class)?;
            each("output.code", code)?;
            raw.iter().try_for_each(|raw| json("output.raw", raw))
        }
        ProcessAwaitOutput::Cancelled { raw, .. } => raw.iter().try_for_each(|raw| json("output.raw", raw)),
        ProcessAwaitOutput::Abandoned { evidence } => evidence.owner.iter().try_for_each(owner),
    }
}

pub fn owner(owner: &LeaseOwnerIdentity) -> Checked {
    name("owner.owner_id", &owner.owner_id)?;
    name("owner.incarnation_id", &owner.incarnation_id)?;
    match owner.liveness.as_ref() {
        LeaseOwnerLiveness::Opaque => Ok(()),
        LeaseOwnerLiveness::LocalProcess { host_id, boot_id, process_start, .. } => {
            [host_id, boot_id, process_start].into_iter().try_for_each(|id| name("owner.liveness", id))
        }
    }
}

pub fn wait(wait: &WaitState) -> Checked {
    let WaitKind::Signal { name: signal, event_type, key, .. } = &wait.kind;
    [signal, event_type, key].into_iter().try_for_each(|part| name("wait", part))
}

pub fn external_ref(reference: &ProcessExternalRef) -> Checked {
    name("external_ref.backend", &reference.backend)?;
    name("external_ref.id", &reference.id)?;
    json("external_ref.metadata", &reference.metadata)
}

pub fn scope(scope: &SessionScope) -> Checked {
    name("scope.session_id", &scope.session_id)?;
    match scope.agent_frame_id.as_str() {
        "" => Ok(()),
        frame => name("scope.agent_frame_id", frame),
    }
}

pub fn name(argument: &'static str, value: &str) -> Checked {
    if value.trim().is_empty() {
        return Err(RegistryError::invalid(argument, "must not be empty"));
    }
    if value.len() > NAME_BYTES {
        return Err(RegistryError::invalid(argument, format!("has more than {NAME_BYTES} bytes")));
    }
    Ok(())
}

/// When a lease that starts now ends.
pub fn until(now_ms: u64, ttl_ms: u64) -> Result<u64, RegistryError> {
    let until_ms = now_ms.checked_add(ttl_ms).filter(|until_ms| *until_ms > now_ms);
    until_ms
        .ok_or_else(|| RegistryError::invalid("lease_ttl_ms", "must be positive, and end before time does"))
}

fn each(argument: &'static str, value: &Option<String>) -> Checked {
    value.iter().try_for_each(|value| name(argument, value))
}

fn json_pointer(pointer: &String) -> Checked {
    if pointer.len() <= NAME_BYTES && (pointer.is_empty() || pointer.starts_with('/')) {
        return Ok(());
    }
    Err(RegistryError::invalid("event_types.wake", format!("`{pointer}` is no JSON pointer")))
}

fn json(argument: &'static str, value: &Value) -> Checked {
    fn fits(value: &Value, levels: usize) -> bool {
        match value {
            Value::Array(items) => levels > 0 && items.iter().all(|item| fits(item, levels - 1)),
            Value::Object(fields) => levels > 0 && fields.values().all(|field| fits(field, levels - 1)),
            _ => true,
        }
    }
    if fits(value, JSON_LEVELS) {
        return Ok(());
    }
    Err(RegistryError::invalid(argument, format!("is nested deeper than {JSON_LEVELS} levels")))
}
