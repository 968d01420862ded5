//! A Kubernetes API server for `coordination.k8s.io/v1` Lease objects, as far as clients that elect leaders go: create, get, list,
//! watch, replace, merge patch and server-side apply, with resource versions and field ownership. It is a store of the simulation:
//! each request is decided in one step, so a watch is asked again and again for what has changed since. Not there: deletes,
//! other kinds, admission, dry runs, access control.

mod apply;
mod changes;
mod fields;
mod merge_patch;
mod object;
mod request;
mod status;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use fencepost_sim::lease::{LeasePlace, LeaseStore};
use serde_json::{Value, json};

use changes::{Changes, Selection};
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
    changes: Changes,
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
            Verb::Get if target.is_watch => objects.watch(&target),
            Verb::Get if target.name.is_empty() => Ok(objects.list(&target)),
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

    fn list(&self, target: &Target) -> ApiAnswer {
        let selection = target.selection();
        let items = self.leases.iter().filter(|(key, _)| selection.has(key));
        let items: Vec<Value> = items.map(|(_, lease)| lease.shown()).collect();
        let list = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "LeaseList",
            "metadata": {"resourceVersion": self.revision.to_string()}, "items": items,
        });
        ApiAnswer::ok(200, &list)
    }

    /// The changes since the version that the watch begins at, or the Leases that there are, if it names none.
    fn watch(&self, target: &Target) -> Result<ApiAnswer, ApiError> {
        let selection = target.selection();
        let Some(version) = &target.since else {
            let present = self.leases.iter().filter(|(key, _)| selection.has(key));
            return Ok(changes::events(present.map(|(_, lease)| ("ADDED", lease.shown()))));
        };
        let revision = version.parse().map_err(|_| ApiError::bad_request("invalid resource version"))?;
        Ok(self.changes.after(revision, &selection))
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
        Ok(ApiAnswer::ok(201, &self.store(key, lease)))
    }

    /// The next revision is this lease's.
    fn store(&mut self, key: (String, String), mut lease: StoredLease) -> Value {
        self.revision += 1;
        lease.revision = self.revision;
        self.changes.note(&key, &lease, !self.leases.contains_key(&key));
        let shown = lease.shown();
        self.leases.insert(key, lease);
        shown
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
            return Ok(ApiAnswer::ok(201, &self.store(target.key(), lease)));
        };
        if let Some(version) = &version {
            known.check_version(version)?;
        }
        let changed = apply::applied(known, body, target, manager)?;
        self.write(target, changed)
    }

    /// A write that changes nothing is none: the version stays.
    fn write(&mut self, target: &Target, changed: Changed) -> Result<ApiAnswer, ApiError> {
        match changed {
            Changed::Nothing => self.get(target),
            Changed::To(lease) => Ok(ApiAnswer::ok(200, &self.store(target.key(), lease))),
        }
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
    fn selection(&self) -> Selection<'_> {
        Selection { namespace: &self.namespace, name: self.selected_name.as_deref() }
    }

    fn manager(&self, operation: Operation, now: &str) -> Manager {
        let name = self.field_manager.clone().unwrap_or_else(|| "unknown".to_owned());
        Manager { name, operation, time: now.to_owned(), fields: Default::default() }
    }
}
