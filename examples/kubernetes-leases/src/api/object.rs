//! A Lease object as it is stored: what clients wrote, and beside it what the server keeps itself.

use serde_json::{Value, json};

use super::fields::{Manager, managed_fields_of, value_at};
use super::request::Target;
use super::status::ApiError;

#[derive(Debug, Clone, PartialEq)]
pub struct StoredLease {
    /// Without what the server writes into its metadata.
    pub body: Value,
    pub revision: u64,
    pub managers: Vec<Manager>,
    uid: String,
    created: String,
}

/// The outcome of a write that was let pass.
pub enum Changed {
    Nothing,
    To(StoredLease),
}

pub fn name_of(body: &Value) -> Option<&str> {
    body.pointer("/metadata/name")?.as_str()
}

/// The version that a body speaks of; an empty one is none.
pub fn version_of(body: &Value) -> Option<&str> {
    body.pointer("/metadata/resourceVersion")?.as_str().filter(|version| !version.is_empty())
}

pub fn forget_version(body: &mut Value) {
    if let Some(Value::Object(metadata)) = body.get_mut("metadata") {
        metadata.remove("resourceVersion");
    }
}

/// A body must speak of the object in the path, if it names one.
pub fn check_name(body: &Value, target: &Target) -> Result<(), ApiError> {
    let namespace = body.pointer("/metadata/namespace").and_then(Value::as_str);
    let is_same = name_of(body).is_none_or(|name| name == target.name)
        && namespace.is_none_or(|namespace| namespace == target.namespace);
    match is_same {
        true => Ok(()),
        false => Err(ApiError::bad_request("the name of the object does not match the name on the URL")),
    }
}

/// Leaves of the body only what a client may write.
pub fn clean(body: &mut Value, target: &Target, name: &str) {
    let mut metadata = json!({ "name": name, "namespace": target.namespace });
    for kept in ["labels", "annotations"] {
        if let Some(value) = body.pointer(&format!("/metadata/{kept}")).filter(|value| !value.is_null()) {
            metadata[kept] = value.clone();
        }
    }
    let mut spec = body.get("spec").filter(|spec| spec.is_object()).cloned().unwrap_or_else(|| json!({}));
    if let Value::Object(members) = &mut spec {
        members.retain(|_, value| !value.is_null());
    }
    *body = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec,
    });
}

/// The server's own rules about a Lease.
pub fn validate(body: &Value) -> Result<(), ApiError> {
    let number = |name: &str| body.pointer(&format!("/spec/{name}")).and_then(Value::as_i64);
    if number("leaseDurationSeconds").is_some_and(|seconds| seconds <= 0) {
        return Err(ApiError::invalid("spec.leaseDurationSeconds", "must be greater than 0"));
    }
    if number("leaseTransitions").is_some_and(|transitions| transitions < 0) {
        return Err(ApiError::invalid("spec.leaseTransitions", "must be greater than or equal to 0"));
    }
    Ok(())
}

impl StoredLease {
    /// Its creator manages all of it.
    pub fn created(
        body: Value,
        (namespace, name): &(String, String),
        manager: Manager,
        revision: u64,
        now: &str,
    ) -> Result<Self, ApiError> {
        validate(&body)?;
        let fields = managed_fields_of(&body);
        let uid = format!("{namespace}/{name}#{revision}");
        let managers = vec![Manager { fields, ..manager }];
        Ok(Self { body, revision, managers, uid, created: now.to_owned() })
    }

    /// As clients see it.
    pub fn shown(&self) -> Value {
        let mut shown = self.body.clone();
        shown["metadata"]["uid"] = json!(self.uid);
        shown["metadata"]["resourceVersion"] = json!(self.revision.to_string());
        shown["metadata"]["creationTimestamp"] = json!(self.created);
        shown["metadata"]["managedFields"] = self.managers.iter().map(Manager::shown).collect();
        shown
    }

    pub fn check_version(&self, version: &str) -> Result<(), ApiError> {
        match version == self.revision.to_string() {
            true => Ok(()),
            false => Err(ApiError::conflict(name_of(&self.body).unwrap_or_default())),
        }
    }

    /// After an update: whoever changes a field manages it from then on, alone.
    pub fn updated(&self, mut body: Value, target: &Target, manager: Manager) -> Result<Changed, ApiError> {
        clean(&mut body, target, &target.name);
        let fields = managed_fields_of(&body);
        let changed = fields.iter().filter(|path| value_at(&body, path) != value_at(&self.body, path));
        let changed: Vec<_> = changed.cloned().collect();
        let mut managers = self.managers.clone();
        for known in &mut managers {
            known.fields.retain(|path| fields.contains(path) && !changed.contains(path));
        }
        own(&mut managers, Manager { fields: changed.into_iter().collect(), ..manager });
        self.with(body, managers)
    }

    /// With another body and other managers, if either is another.
    pub fn with(&self, body: Value, managers: Vec<Manager>) -> Result<Changed, ApiError> {
        validate(&body)?;
        let owned = |managers: &[Manager]| -> Vec<_> {
            managers.iter().map(|known| (known.name.clone(), known.operation, known.fields.clone())).collect()
        };
        if body == self.body && owned(&managers) == owned(&self.managers) {
            return Ok(Changed::Nothing);
        }
        Ok(Changed::To(Self { body, managers, ..self.clone() }))
    }
}

/// Adds fields to those that the manager has. Managers that are left without any are gone.
fn own(managers: &mut Vec<Manager>, manager: Manager) {
    if !manager.fields.is_empty() {
        match managers.iter_mut().find(|known| known.is(&manager)) {
            Some(known) => {
                known.fields.extend(manager.fields);
                known.time = manager.time;
            }
            None => managers.push(manager),
        }
    }
    managers.retain(|known| !known.fields.is_empty());
}
