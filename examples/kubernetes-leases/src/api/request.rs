//! Requests and answers as they cross the network, and what a request is about.

use std::fmt;

use serde_json::Value;

use super::status::ApiError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Get,
    Post,
    Put,
    Patch,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiRequest {
    pub verb: Verb,
    /// The path with its query.
    pub path: String,
    pub content_type: String,
    pub body: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiAnswer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// The object that a request names.
#[derive(Debug)]
pub struct Target {
    pub namespace: String,
    /// Empty for the collection.
    pub name: String,
    pub field_manager: Option<String>,
    pub is_forced: bool,
    /// A watch of the collection.
    pub is_watch: bool,
    /// The version after which a watch begins.
    pub since: Option<String>,
    /// The one name that a list or a watch is about.
    pub selected_name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchKind {
    /// A JSON merge patch. A strategic merge patch of a Lease is the same: a Lease has no list that it could merge.
    Merge,
    Apply,
}

const PREFIX: &str = "/apis/coordination.k8s.io/v1/namespaces/";

impl Target {
    pub fn of(request: &ApiRequest) -> Result<Self, ApiError> {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let unknown = || ApiError::unknown_path(path);
        let mut parts = path.strip_prefix(PREFIX).ok_or_else(unknown)?.split('/');
        let (namespace, kind, name) = (parts.next(), parts.next(), parts.next());
        let (Some(namespace), Some("leases"), None) = (namespace, kind, parts.next()) else {
            return Err(unknown());
        };
        let name = name.unwrap_or_default();
        let is_allowed = match request.verb {
            Verb::Post => name.is_empty(),
            Verb::Get => true,
            Verb::Put | Verb::Patch => !name.is_empty(),
        };
        if !is_allowed {
            return Err(ApiError::not_allowed());
        }
        let value = |wanted: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            let found = pairs.find(|(key, value)| key == wanted && !value.is_empty());
            found.map(|(_, value)| value.into_owned())
        };
        let is_true = |wanted: &str| matches!(value(wanted).as_deref(), Some("true" | "1"));
        let selected_name = match value("fieldSelector") {
            None => None,
            Some(selector) => match selector.strip_prefix("metadata.name=") {
                Some(name) if !name.contains(['=', ',', '!']) => Some(name.to_owned()),
                _ => return Err(ApiError::bad_request("this server selects by metadata.name alone")),
            },
        };
        Ok(Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            field_manager: value("fieldManager"),
            is_forced: is_true("force"),
            is_watch: name.is_empty() && is_true("watch"),
            since: value("resourceVersion").filter(|version| version != "0"),
            selected_name,
        })
    }

    pub fn key(&self) -> (String, String) {
        (self.namespace.clone(), self.name.clone())
    }
}

impl ApiRequest {
    pub fn body(&self) -> Result<Value, ApiError> {
        let body: Value = serde_json::from_slice(&self.body)
            .map_err(|error| ApiError::bad_request(&format!("the body is no JSON: {error}")))?;
        if body.is_object() { Ok(body) } else { Err(ApiError::bad_request("the body is no object")) }
    }

    pub fn patch_kind(&self) -> Result<PatchKind, ApiError> {
        match self.content_type.as_str() {
            "application/merge-patch+json" | "application/strategic-merge-patch+json" => Ok(PatchKind::Merge),
            "application/apply-patch+yaml" => Ok(PatchKind::Apply),
            other => Err(ApiError::unsupported_media_type(other)),
        }
    }
}

impl ApiAnswer {
    pub fn ok(status: u16, object: &Value) -> Self {
        Self { status, body: object.to_string().into_bytes() }
    }
}

impl ApiRequest {
    /// The collection that is watched, if this begins a watch.
    pub fn watched(&self) -> Option<Target> {
        Target::of(self).ok().filter(|target| target.is_watch && self.verb == Verb::Get)
    }
}

impl fmt::Display for ApiRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(target) = self.watched() {
            return match target.since {
                Some(version) => write!(f, "watch since version {version}"),
                None => write!(f, "watch from now"),
            };
        }
        let verb = match (self.verb, self.content_type.as_str()) {
            (Verb::Get, _) => "get",
            (Verb::Post, _) => "create",
            (Verb::Put, _) => "replace",
            (Verb::Patch, "application/apply-patch+yaml") => "apply",
            (Verb::Patch, _) => "merge patch",
        };
        let name = self.path.split('?').next().and_then(|path| path.strip_prefix(PREFIX));
        write!(f, "{verb} {}", name.unwrap_or(&self.path))?;
        let body: Option<Value> = serde_json::from_slice(&self.body).ok();
        write_facts(f, body.as_ref())
    }
}

impl fmt::Display for ApiAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A watch may answer with several events: the last one is shown.
        let last = self.body.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let body: Option<Value> = serde_json::from_slice(last).ok();
        write!(f, "{}", self.status)?;
        if let Some(event) = body.as_ref().and_then(|body| body["type"].as_str()) {
            write!(f, " {event}")?;
            return write_facts(f, body.as_ref().map(|body| &body["object"]));
        }
        if let Some(reason) = body.as_ref().and_then(|body| body["reason"].as_str()) {
            write!(f, " {reason}")?;
        }
        write_facts(f, body.as_ref())
    }
}

/// Writes the fields of a Lease that a reader of a timeline needs.
fn write_facts(f: &mut fmt::Formatter<'_>, object: Option<&Value>) -> fmt::Result {
    let Some(object) = object else { return Ok(()) };
    for (label, pointer) in [
        ("version", "/metadata/resourceVersion"),
        ("holder", "/spec/holderIdentity"),
        ("renewTime", "/spec/renewTime"),
        ("seconds", "/spec/leaseDurationSeconds"),
    ] {
        match object.pointer(pointer) {
            Some(Value::String(value)) if value.is_empty() => write!(f, ", {label} \"\"")?,
            Some(Value::String(value)) => write!(f, ", {label} {value}")?,
            Some(value) => write!(f, ", {label} {value}")?,
            None => {}
        }
    }
    Ok(())
}
