//! The changes of all Leases, as watches show them.

use serde_json::{Value, json};

use super::object::StoredLease;
use super::request::ApiAnswer;

/// Every change there was, the first one first. The real server forgets those of more than five minutes ago.
#[derive(Default)]
pub struct Changes(Vec<Change>);

struct Change {
    key: (String, String),
    revision: u64,
    kind: &'static str,
    lease: Value,
}

/// The Leases that a list or a watch is about.
pub struct Selection<'a> {
    pub namespace: &'a str,
    /// None: every name.
    pub name: Option<&'a str>,
}

impl Selection<'_> {
    pub fn has(&self, (namespace, name): &(String, String)) -> bool {
        namespace == self.namespace && self.name.is_none_or(|wanted| wanted == name)
    }
}

impl Changes {
    pub fn note(&mut self, key: &(String, String), lease: &StoredLease, is_new: bool) {
        let kind = if is_new { "ADDED" } else { "MODIFIED" };
        self.0.push(Change { key: key.clone(), revision: lease.revision, kind, lease: lease.shown() });
    }

    /// The changes after a revision.
    pub fn after(&self, revision: u64, selection: &Selection<'_>) -> ApiAnswer {
        let wanted = |change: &&Change| change.revision > revision && selection.has(&change.key);
        events(self.0.iter().filter(wanted).map(|change| (change.kind, change.lease.clone())))
    }
}

/// One event a line.
pub fn events(told: impl Iterator<Item = (&'static str, Value)>) -> ApiAnswer {
    let lines = told.map(|(kind, object)| format!("{}\n", json!({ "type": kind, "object": object })));
    ApiAnswer { status: 200, body: lines.collect::<String>().into_bytes() }
}
