//! A DynamoDB table, as far as locks go: put, update and delete of one item, each under a condition and decided in one step. It is
//! a store of the simulation. Not there: reads, sort keys, sets, transactions, batches, capacity, time to live. dlock uses none
//! of them.

mod condition;
mod error;
mod item;
mod names;
mod request;
mod update;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use fencepost_sim::lease::{LeasePlace, LeaseStore};
use serde_json::{Value, json};

use condition::Condition;
use error::TableError;
use item::Item;
use names::Placeholders;
use request::Operation;
pub use request::{TableAnswer, TableRequest};
use update::Update;

/// The one table there is.
pub const TABLE: &str = "locks";
/// Its partition key, a string.
pub const KEY: &str = "lock_name";

#[derive(Default)]
pub struct Table(Mutex<BTreeMap<String, Item>>);

impl Table {
    /// No clock decides anything here: dlock leaves every deadline to whoever waits for it.
    pub fn open(_: LeasePlace) -> Self {
        Self::default()
    }

    fn decide(&self, request: &TableRequest) -> Result<Value, TableError> {
        let body = request.body()?;
        if body["TableName"] != TABLE {
            return Err(TableError::no_such_table());
        }
        let mut items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let operation = request.operation()?;
        let named = match operation {
            Operation::Put => &body["Item"],
            Operation::Update | Operation::Delete => &body["Key"],
        };
        let named = item::of(named)?;
        let key = item::key_of(&named)?;
        let placeholders = Placeholders::of(&body);
        let old = items.get(&key).cloned();
        if let Some(condition) = body["ConditionExpression"].as_str()
            && !Condition::parse(condition, &placeholders)?.holds(old.as_ref())
        {
            let shows_old = body["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD";
            return Err(TableError::condition_failed(old.filter(|_| shows_old)));
        }
        let new = match operation {
            Operation::Put => Some(named),
            Operation::Delete => None,
            Operation::Update => {
                let before = old.clone().unwrap_or(named);
                let update = body["UpdateExpression"].as_str().unwrap_or_default();
                Some(Update::parse(update, &placeholders)?.of(before)?)
            }
        };
        let shown = match (body["ReturnValues"].as_str().unwrap_or("NONE"), operation) {
            ("NONE", _) => None,
            ("ALL_OLD", _) => old,
            ("ALL_NEW", Operation::Update) => new.clone(),
            (other, _) => return Err(TableError::invalid(&format!("Return values set to {other}"))),
        };
        match new {
            Some(new) => items.insert(key, new),
            None => items.remove(&key),
        };
        Ok(shown.map_or_else(|| json!({}), |shown| json!({ "Attributes": shown })))
    }
}

impl LeaseStore for Table {
    type Request = TableRequest;
    type Answer = TableAnswer;

    fn answer(&self, request: &TableRequest) -> TableAnswer {
        match self.decide(request) {
            Ok(answer) => TableAnswer { status: 200, body: answer.to_string().into_bytes() },
            Err(error) => error.answer(),
        }
    }

    fn tell_request(request: &TableRequest) -> String {
        request.to_string()
    }

    fn tell_answer(answer: &TableAnswer) -> String {
        answer.to_string()
    }
}
