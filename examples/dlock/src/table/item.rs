//! Items: attributes by name, each in DynamoDB's notation, such as `{"S": "text"}` or `{"N": "3"}`.

use serde_json::{Map, Value, json};

use super::KEY;
use super::error::TableError;

pub type Item = Map<String, Value>;

pub fn of(value: &Value) -> Result<Item, TableError> {
    value.as_object().cloned().ok_or_else(|| TableError::invalid("an item or a key is missing"))
}

/// The value of the partition key.
pub fn key_of(item: &Item) -> Result<String, TableError> {
    let key = item.get(KEY).and_then(|value| value["S"].as_str()).filter(|key| !key.is_empty());
    key.map(str::to_owned).ok_or_else(|| {
        TableError::invalid("One or more parameter values were invalid: Missing the key lock_name")
    })
}

/// The sum of two whole numbers.
pub fn sum(one: &Value, other: &Value) -> Result<Value, TableError> {
    let number = |value: &Value| value["N"].as_str().and_then(|digits| digits.parse::<i64>().ok());
    match (number(one), number(other)) {
        (Some(one), Some(other)) => Ok(json!({ "N": (one + other).to_string() })),
        _ => Err(TableError::invalid("An operand in the update expression has an incorrect data type")),
    }
}
