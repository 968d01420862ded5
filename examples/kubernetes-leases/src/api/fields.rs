//! Fields of an object, and who manages which. A field is the path to a value that is no object; of a Lease every one stands under
//! `spec`, or is a label or an annotation.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

pub type FieldPath = Vec<String>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Apply,
    Update,
}

/// One entry of `managedFields`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manager {
    pub name: String,
    pub operation: Operation,
    pub time: String,
    pub fields: BTreeSet<FieldPath>,
}

impl Manager {
    /// Managers are told apart by their names and by how they write.
    pub fn is(&self, other: &Self) -> bool {
        self.name == other.name && self.operation == other.operation
    }

    pub fn shown(&self) -> Value {
        let mut fields = Value::Object(Map::new());
        for path in &self.fields {
            let mut place = &mut fields;
            for name in path {
                place = &mut place[format!("f:{name}")];
            }
            *place = json!({});
        }
        json!({
            "manager": self.name,
            "operation": match self.operation { Operation::Apply => "Apply", Operation::Update => "Update" },
            "apiVersion": "coordination.k8s.io/v1",
            "time": self.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": fields,
        })
    }
}

/// The fields of an object that somebody can manage.
pub fn managed_fields_of(object: &Value) -> BTreeSet<FieldPath> {
    let mut found = BTreeSet::new();
    for path in [&["spec"][..], &["metadata", "labels"], &["metadata", "annotations"]] {
        let path: FieldPath = path.iter().map(|name| (*name).to_owned()).collect();
        if let Some(value) = value_at(object, &path) {
            collect(&path, value, &mut found);
        }
    }
    found
}

fn collect(path: &FieldPath, value: &Value, found: &mut BTreeSet<FieldPath>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let mut path = path.clone();
                path.push(name.clone());
                collect(&path, value, found);
            }
        }
        _ => {
            found.insert(path.clone());
        }
    }
}

pub fn value_at<'a>(object: &'a Value, path: &FieldPath) -> Option<&'a Value> {
    path.iter().try_fold(object, |place, name| place.get(name))
}

pub fn set(object: &mut Value, path: &FieldPath, value: Value) {
    let mut place = object;
    for name in path {
        place = &mut place[name.as_str()];
    }
    *place = value;
}

pub fn remove(object: &mut Value, path: &FieldPath) {
    let Some((last, parents)) = path.split_last() else { return };
    let place = parents.iter().try_fold(object, |place, name| place.get_mut(name));
    if let Some(Value::Object(members)) = place {
        members.remove(last);
    }
}

/// As conflicts name it.
pub fn told(path: &FieldPath) -> String {
    format!(".{}", path.join("."))
}
