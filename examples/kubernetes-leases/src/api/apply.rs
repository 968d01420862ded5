//! Server-side apply: the body is everything that its manager has an opinion about.

use serde_json::Value;

use super::fields::{Manager, managed_fields_of, remove, set, told, value_at};
use super::object::{Changed, StoredLease, clean};
use super::request::Target;
use super::status::ApiError;

/// The object after the manager has applied this body.
pub fn applied(
    known: &StoredLease,
    mut intent: Value,
    target: &Target,
    manager: Manager,
) -> Result<Changed, ApiError> {
    clean(&mut intent, target, &target.name);
    let fields = managed_fields_of(&intent);
    let mut body = known.body.clone();
    let mut managers = known.managers.clone();
    let mut conflicts = Vec::new();
    for path in &fields {
        let value = value_at(&intent, path);
        if value == value_at(&known.body, path) {
            continue;
        }
        for other in managers.iter_mut().filter(|other| !other.is(&manager)) {
            if other.fields.remove(path) {
                conflicts.push((told(path), other.name.clone()));
            }
        }
        set(&mut body, path, value.cloned().unwrap_or_default());
    }
    if !conflicts.is_empty() && !target.is_forced {
        return Err(ApiError::fields_owned_by_others(&conflicts));
    }
    // A field that this manager applied before and leaves out now is removed, unless another manager owns it, too.
    let before = managers.iter().find(|known| known.is(&manager));
    let left_out: Vec<_> =
        before.map(|before| before.fields.difference(&fields).cloned().collect()).unwrap_or_default();
    for path in left_out {
        let is_others = managers.iter().any(|other| !other.is(&manager) && other.fields.contains(&path));
        if !is_others {
            remove(&mut body, &path);
        }
    }
    match managers.iter_mut().find(|known| known.is(&manager)) {
        Some(known) => {
            known.fields = fields;
            known.time = manager.time;
        }
        None => managers.push(Manager { fields, ..manager }),
    }
    managers.retain(|known| !known.fields.is_empty());
    known.with(body, managers)
}
