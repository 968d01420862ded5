//! Refusals, as DynamoDB's JSON protocol tells them.

use serde_json::{Value, json};

use super::item::Item;
use super::request::TableAnswer;

#[derive(Debug)]
pub struct TableError {
    kind: &'static str,
    message: String,
    item: Option<Item>,
}

impl TableError {
    pub fn condition_failed(item: Option<Item>) -> Self {
        let message = "The conditional request failed".to_owned();
        Self { kind: "ConditionalCheckFailedException", message, item }
    }

    pub fn no_such_table() -> Self {
        let message = "Requested resource not found".to_owned();
        Self { kind: "ResourceNotFoundException", message, item: None }
    }

    pub fn invalid(why: &str) -> Self {
        Self { kind: "ValidationException", message: why.to_owned(), item: None }
    }

    pub fn undefined(placeholder: &str) -> Self {
        Self::invalid(&format!("An expression uses the placeholder {placeholder}, which is not defined"))
    }

    pub fn answer(self) -> TableAnswer {
        let kind = format!("com.amazonaws.dynamodb.v20120810#{}", self.kind);
        let mut body = json!({ "__type": kind, "message": self.message });
        if let Some(item) = self.item {
            body["Item"] = Value::Object(item);
        }
        TableAnswer { status: 400, body: body.to_string().into_bytes() }
    }
}
