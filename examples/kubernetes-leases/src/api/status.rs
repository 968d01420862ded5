//! Refusals, as the `Status` objects by which the API server tells them.

use serde_json::{Value, json};

use super::request::ApiAnswer;

#[derive(Debug)]
pub struct ApiError {
    code: u16,
    reason: &'static str,
    message: String,
    causes: Vec<Value>,
}

impl ApiError {
    fn new(code: u16, reason: &'static str, message: String) -> Self {
        Self { code, reason, message, causes: Vec::new() }
    }

    pub fn not_found(name: &str) -> Self {
        Self::new(404, "NotFound", format!("leases.coordination.k8s.io \"{name}\" not found"))
    }

    pub fn already_exists(name: &str) -> Self {
        Self::new(409, "AlreadyExists", format!("leases.coordination.k8s.io \"{name}\" already exists"))
    }

    /// Somebody has changed the object since the version that the request speaks of.
    pub fn conflict(name: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on leases.coordination.k8s.io \"{name}\": the object has been modified; please apply \
             your changes to the latest version and try again"
        );
        Self::new(409, "Conflict", message)
    }

    /// An apply that would change fields that others own, each with its owner.
    pub fn fields_owned_by_others(owned: &[(String, String)]) -> Self {
        let told = |(field, owner): &(String, String)| format!("conflict with \"{owner}\": {field}");
        let told: Vec<String> = owned.iter().map(told).collect();
        let message = format!("Apply failed with {} conflict(s): {}", owned.len(), told.join("; "));
        let cause = |(field, owner): &(String, String)| json!({"reason": "FieldManagerConflict", "field": field, "message": format!("conflict with \"{owner}\"")});
        Self { causes: owned.iter().map(cause).collect(), ..Self::new(409, "Conflict", message) }
    }

    pub fn invalid(field: &str, why: &str) -> Self {
        Self::new(422, "Invalid", format!("Lease.coordination.k8s.io is invalid: {field}: {why}"))
    }

    pub fn bad_request(why: &str) -> Self {
        Self::new(400, "BadRequest", why.to_owned())
    }

    pub fn internal(why: &str) -> Self {
        Self::new(500, "InternalError", why.to_owned())
    }

    pub fn not_allowed() -> Self {
        let message = "this server knows list and watch, and get, create, replace and patch of single Leases"
            .to_owned();
        Self::new(405, "MethodNotAllowed", message)
    }

    pub fn unknown_path(path: &str) -> Self {
        Self::new(404, "NotFound", format!("the server could not find the requested resource: {path}"))
    }

    pub fn unsupported_media_type(content_type: &str) -> Self {
        let message = format!("the body of the request was in an unknown format: {content_type}");
        Self::new(415, "UnsupportedMediaType", message)
    }

    pub fn answer(self) -> ApiAnswer {
        let status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code,
            "details": {"group": "coordination.k8s.io", "kind": "leases", "causes": self.causes},
        });
        ApiAnswer { status: self.code, body: status.to_string().into_bytes() }
    }
}
