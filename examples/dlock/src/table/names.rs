//! Placeholders in expressions: `#name` stands for the name of an attribute, `:name` for a value.

use serde_json::Value;

use super::error::TableError;

pub struct Placeholders<'a> {
    names: &'a Value,
    values: &'a Value,
}

impl<'a> Placeholders<'a> {
    pub fn of(body: &'a Value) -> Self {
        Self { names: &body["ExpressionAttributeNames"], values: &body["ExpressionAttributeValues"] }
    }

    pub fn name(&self, token: &str) -> Result<String, TableError> {
        if token.starts_with('#') {
            let name = self.names[token].as_str().map(str::to_owned);
            return name.ok_or_else(|| TableError::undefined(token));
        }
        match !token.is_empty() && token.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        {
            true => Ok(token.to_owned()),
            false => Err(TableError::invalid(&format!("this table knows no expression like `{token}`"))),
        }
    }

    pub fn value(&self, token: &str) -> Result<Value, TableError> {
        match &self.values[token] {
            Value::Null => Err(TableError::undefined(token)),
            value => Ok(value.clone()),
        }
    }
}
