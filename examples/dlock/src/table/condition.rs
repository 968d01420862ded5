//! Condition expressions: the two questions that locks ask of an item, does an attribute exist, and does it have this value.

use serde_json::Value;

use super::error::TableError;
use super::item::Item;
use super::names::Placeholders;

pub enum Condition {
    Exists(String),
    NotExists(String),
    Equals(String, Value),
}

impl Condition {
    pub fn parse(expression: &str, placeholders: &Placeholders<'_>) -> Result<Self, TableError> {
        let expression = expression.trim();
        let argument =
            |function: &str| expression.strip_prefix(function)?.strip_prefix('(')?.strip_suffix(')');
        if let Some(name) = argument("attribute_not_exists") {
            return Ok(Self::NotExists(placeholders.name(name.trim())?));
        }
        if let Some(name) = argument("attribute_exists") {
            return Ok(Self::Exists(placeholders.name(name.trim())?));
        }
        match expression.split_once('=') {
            Some((name, value)) => {
                Ok(Self::Equals(placeholders.name(name.trim())?, placeholders.value(value.trim())?))
            }
            None => Err(TableError::invalid(&format!("this table knows no condition like `{expression}`"))),
        }
    }

    /// An item that is not there has no attributes.
    pub fn holds(&self, item: Option<&Item>) -> bool {
        let attribute = |name: &String| item.and_then(|item| item.get(name));
        match self {
            Self::Exists(name) => attribute(name).is_some(),
            Self::NotExists(name) => attribute(name).is_none(),
            Self::Equals(name, value) => attribute(name) == Some(value),
        }
    }
}
