//! Update expressions of the kind `SET a = :v, b = b + :w`. All of them read the item as it was before.

use serde_json::Value;

use super::KEY;
use super::error::TableError;
use super::item::{Item, sum};
use super::names::Placeholders;

pub struct Update(Vec<Assignment>);

struct Assignment {
    name: String,
    value: Operand,
    added: Option<Operand>,
}

enum Operand {
    Attribute(String),
    Value(Value),
}

impl Update {
    pub fn parse(expression: &str, placeholders: &Placeholders<'_>) -> Result<Self, TableError> {
        let Some(assignments) = expression.trim().strip_prefix("SET ") else {
            return Err(TableError::invalid(&format!("this table knows no update like `{expression}`")));
        };
        let parsed = assignments.split(',').map(|assignment| Assignment::parse(assignment, placeholders));
        parsed.collect::<Result<_, _>>().map(Self)
    }

    pub fn of(&self, before: Item) -> Result<Item, TableError> {
        let mut after = before.clone();
        for Assignment { name, value, added } in &self.0 {
            if name == KEY {
                return Err(TableError::invalid(
                    "Cannot update attribute lock_name. This attribute is part of the key",
                ));
            }
            let value = value.read(&before)?;
            let value = match added {
                Some(added) => sum(&value, &added.read(&before)?)?,
                None => value,
            };
            after.insert(name.clone(), value);
        }
        Ok(after)
    }
}

impl Assignment {
    fn parse(text: &str, placeholders: &Placeholders<'_>) -> Result<Self, TableError> {
        let Some((name, value)) = text.split_once('=') else {
            return Err(TableError::invalid(&format!("`{text}` assigns nothing")));
        };
        let (value, added) = match value.split_once('+') {
            Some((value, added)) => (value, Some(Operand::parse(added, placeholders)?)),
            None => (value, None),
        };
        let name = placeholders.name(name.trim())?;
        Ok(Self { name, value: Operand::parse(value, placeholders)?, added })
    }
}

impl Operand {
    fn parse(token: &str, placeholders: &Placeholders<'_>) -> Result<Self, TableError> {
        let token = token.trim();
        match token.starts_with(':') {
            true => placeholders.value(token).map(Self::Value),
            false => placeholders.name(token).map(Self::Attribute),
        }
    }

    fn read(&self, item: &Item) -> Result<Value, TableError> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::Attribute(name) => item.get(name).cloned().ok_or_else(|| {
                TableError::invalid(
                    "The provided expression refers to an attribute that does not exist in the item",
                )
            }),
        }
    }
}
