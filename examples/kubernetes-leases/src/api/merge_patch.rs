//! JSON merge patches, by RFC 7386.

use serde_json::{Map, Value};

/// The target with the patch merged into it.
pub fn merged(target: Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut merging = match target {
        Value::Object(target) => target,
        _ => Map::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            merging.remove(name);
        } else {
            let known = merging.remove(name).unwrap_or(Value::Null);
            merging.insert(name.clone(), merged(known, value));
        }
    }
    Value::Object(merging)
}
