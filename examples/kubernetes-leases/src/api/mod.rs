//! A Kubernetes API server for `coordination.k8s.io/v1` Lease objects, as far as clients that elect leaders go: create, get, replace,
//! merge patch and server-side apply, with resource versions and field ownership. It is a store of the simulation: each
//! request is decided in one step. Not there: watches, lists, other kinds, admission, dry runs, access control.

mod apply;
mod fields;
mod merge_patch;
mod object;
mod request;
mod status;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use fencepost_sim::lease::{LeasePlace, LeaseStore};
use serde_json::Value;

use fields::{Manager, Operation};
use object::{Changed, StoredLease};
pub use request::{ApiAnswer, ApiRequest, Verb};
use request::{PatchKind, Target};
use status::ApiError;

/// All Lease objects, by namespace and name.
pub struct LeaseApi {
    place: LeasePlace,
    state: Mutex<Objects>,
}

#[derive(Default)]
struct Objects {
    /// Raised by every write of any object, as etcd counts them.
    revision: u64,
    leases: BTreeMap<(String, String), StoredLease>,
}

impl LeaseApi {
    pub fn open(place: LeasePlace) -> Self {
        Self { place, state: Mutex::default() }
    }

    fn decide(&self, request: &ApiRequest) -> Result<ApiAnswer, ApiError> {
        let mut objects = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let target = Target::of(request)?;
        let now = timestamp(self.place.now_ms());
        match request.verb {
            Verb::Post => objects.create(&target, request.body()?, &now),
            Verb::Get => objects.get(&target),
            Verb::Put => objects.replace(&target, request.body()?, &now),
            Verb::Patch => match request.patch_kind()? {
                PatchKind::Merge => objects.merge(&target, &request.body()?, &now),
                PatchKind::Apply => objects.apply(&target, request.body()?, &now),
            },
        }
    }
}

impl LeaseStore for LeaseApi {
    type Request = ApiRequest;
    type Answer = ApiAnswer;

    fn answer(&self, request: &ApiRequest) -> ApiAnswer {
        self.decide(request).unwrap_or_else(|error| error.answer())
    }

    fn tell_request(request: &ApiRequest) -> String {
        request.to_string()
    }

    fn tell_answer(answer: &ApiAnswer) -> String {
        answer.to_string()
    }
}

impl Objects {
    fn find(&self, target: &Target) -> Result<&StoredLease, ApiError> {
        self.leases.get(&target.key()).ok_or_else(|| ApiError::not_found(&target.name))
    }

    fn get(&self, target: &Target) -> Result<ApiAnswer, ApiError> {
        Ok(ApiAnswer::ok(200, &self.find(target)?.shown()))
    }

    fn create(&mut self, target: &Target, mut body: Value, now: &str) -> Result<ApiAnswer, ApiError> {
        let name = match (target.name.as_str(), object::name_of(&body)) {
            ("", Some(name)) => name.to_owned(),
            ("", None) => return Err(ApiError::invalid("metadata.name", "name or generateName is required")),
            (name, _) => name.to_owned(),
        };
        let key = (target.namespace.clone(), name.clone());
        if self.leases.contains_key(&key) {
            return Err(ApiError::already_exists(&name));
        }
        if object::version_of(&body).is_some() {
            return Err(ApiError::internal("resourceVersion should not be set on objects to be created"));
        }
        let manager = target.manager(Operation::Update, now);
        object::clean(&mut body, target, &name);
        let lease = StoredLease::created(body, &key, manager, self.revision + 1, now)?;
        self.revision += 1;
        let shown = lease.shown();
        self.leases.insert(key, lease);
        Ok(ApiAnswer::ok(201, &shown))
    }

    /// A PUT of a Lease that does not exist creates it; one of a Lease that does must say which version it replaces.
    fn replace(&mut self, target: &Target, mut body: Value, now: &str) -> Result<ApiAnswer, ApiError> {
        object::check_name(&body, target)?;
        let Ok(known) = self.find(target) else {
            object::forget_version(&mut body);
            return self.create(target, body, now);
        };
        let Some(version) = object::version_of(&body) else {
            return Err(ApiError::invalid("metadata.resourceVersion", "must be specified for an update"));
        };
        known.check_version(version)?;
        let changed = known.updated(body, target, target.manager(Operation::Update, now))?;
        self.write(target, changed)
    }

    fn merge(&mut self, target: &Target, patch: &Value, now: &str) -> Result<ApiAnswer, ApiError> {
        if target.is_forced {
            return Err(ApiError::invalid("force", "may not be specified for non-apply patch"));
        }
        object::check_name(patch, target)?;
        let known = self.find(target)?;
        // A field that the patch does not name keeps its value. That includes the version.
        let merged = merge_patch::merged(known.shown(), patch);
        known.check_version(object::version_of(&merged).unwrap_or_default())?;
        let changed = known.updated(merged, target, target.manager(Operation::Update, now))?;
        self.write(target, changed)
    }

    fn apply(&mut self, target: &Target, mut body: Value, now: &str) -> Result<ApiAnswer, ApiError> {
        if target.field_manager.is_none() {
            return Err(ApiError::invalid("fieldManager", "is required for apply patch"));
        }
        object::check_name(&body, target)?;
        if body.pointer("/metadata/managedFields").is_some_and(|fields| !fields.is_null()) {
            return Err(ApiError::bad_request("metadata.managedFields must be nil"));
        }
        let version = object::version_of(&body).map(str::to_owned);
        let manager = target.manager(Operation::Apply, now);
        let Ok(known) = self.find(target) else {
            if version.is_some() {
                return Err(ApiError::conflict(&target.name));
            }
            object::clean(&mut body, target, &target.name);
            let lease = StoredLease::created(body, &target.key(), manager, self.revision + 1, now)?;
            self.revision += 1;
            let shown = lease.shown();
            self.leases.insert(target.key(), lease);
            return Ok(ApiAnswer::ok(201, &shown));
        };
        if let Some(version) = &version {
            known.check_version(version)?;
        }
        let changed = apply::applied(known, body, target, manager)?;
        self.write(target, changed)
    }

    /// A write that changes nothing is none: the version stays.
    fn write(&mut self, target: &Target, changed: Changed) -> Result<ApiAnswer, ApiError> {
        let lease = match changed {
            Changed::Nothing => return self.get(target),
            Changed::To(mut lease) => {
                self.revision += 1;
                lease.revision = self.revision;
                lease
            }
        };
        let shown = lease.shown();
        self.leases.insert(target.key(), lease);
        Ok(ApiAnswer::ok(200, &shown))
    }
}

/// As the API server writes a time in whole seconds.
fn timestamp(epoch_ms: u64) -> String {
    let seconds = i64::try_from(epoch_ms / 1_000).unwrap_or_default();
    match chrono::DateTime::from_timestamp(seconds, 0) {
        Some(time) => time.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        None => String::new(),
    }
}

impl Target {
    fn manager(&self, operation: Operation, now: &str) -> Manager {
        let name = self.field_manager.clone().unwrap_or_else(|| "unknown".to_owned());
        Manager { name, operation, time: now.to_owned(), fields: Default::default() }
    }
}
