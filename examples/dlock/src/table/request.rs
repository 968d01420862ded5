//! Requests and answers as they cross the network.

use std::fmt;

use serde_json::Value;

use super::KEY;
use super::error::TableError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRequest {
    /// The header `x-amz-target`.
    pub target: String,
    pub body: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableAnswer {
    pub status: u16,
    pub body: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Put,
    Update,
    Delete,
}

impl TableRequest {
    pub fn body(&self) -> Result<Value, TableError> {
        serde_json::from_slice(&self.body)
            .map_err(|error| TableError::invalid(&format!("the body is no JSON: {error}")))
    }

    pub fn operation(&self) -> Result<Operation, TableError> {
        match self.target.strip_prefix("DynamoDB_20120810.") {
            Some("PutItem") => Ok(Operation::Put),
            Some("UpdateItem") => Ok(Operation::Update),
            Some("DeleteItem") => Ok(Operation::Delete),
            _ => Err(TableError::invalid(&format!("this table knows no {}", self.target))),
        }
    }
}

impl fmt::Display for TableRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Ok(operation), Ok(body)) = (self.operation(), self.body()) else {
            return f.write_str(&self.target);
        };
        let (verb, named) = match operation {
            Operation::Put => ("put", &body["Item"]),
            Operation::Update => ("update", &body["Key"]),
            Operation::Delete => ("delete", &body["Key"]),
        };
        write!(f, "{verb} {}", named[KEY]["S"].as_str().unwrap_or_default())?;
        write_facts(f, named)?;
        for (word, expression) in [("", "UpdateExpression"), ("if ", "ConditionExpression")] {
            if let Some(expression) = body[expression].as_str() {
                write!(f, ", {word}{}", written_out(expression, &body))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for TableAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        let Ok(body) = serde_json::from_slice::<Value>(&self.body) else { return Ok(()) };
        if let Some(kind) = body["__type"].as_str().and_then(|kind| kind.split('#').nth(1)) {
            write!(f, " {kind}")?;
        }
        write_facts(f, &body["Attributes"])?;
        write_facts(f, &body["Item"])
    }
}

/// The attributes of a lock that a reader of a timeline needs.
fn write_facts(f: &mut fmt::Formatter<'_>, item: &Value) -> fmt::Result {
    for name in ["owner", "lease", "token"] {
        if let Some(value) = item.get(name) {
            write!(f, ", {name} {}", told(value))?;
        }
    }
    Ok(())
}

/// The expression with names and values in the places of their placeholders.
fn written_out(expression: &str, body: &Value) -> String {
    let mut written = expression.to_owned();
    for placeholders in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
        for (placeholder, value) in body[placeholders].as_object().into_iter().flatten() {
            written = written.replace(placeholder, &told(value));
        }
    }
    written
}

/// The first digits of a lease's id tell it from others.
fn told(value: &Value) -> String {
    let text = [value.as_str(), value["S"].as_str(), value["N"].as_str()].into_iter().flatten().next();
    let text = text.unwrap_or_default();
    match text.split_once('-') {
        Some((first, rest)) if rest.len() == 27 => first.to_owned(),
        _ => text.to_owned(),
    }
}
