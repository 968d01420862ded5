//! A plan as a TOML file, both ways. An error names the line and the column.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use crate::plan::error::PlanError;
use crate::plan::header::{FORMAT, Plan};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&toml::to_string_pretty(self).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Plan {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Self, PlanError> {
        let located = |error: toml::de::Error| PlanError::located(text, &error);
        let outline: Outline = toml::from_str(text).map_err(located)?;
        outline.check_format()?;
        let plan: Self = toml::from_str(text).map_err(located)?;
        plan.check().map_err(|error| outline.place(text, error))?;
        Ok(plan)
    }
}

/// The part of a plan's text that is read first: of a newer format nothing else can be read.
#[derive(Deserialize)]
pub struct Outline {
    format: i64,
    #[serde(default)]
    steps: Option<Spanned<IgnoredAny>>,
}

impl Outline {
    pub fn check_format(&self) -> Result<(), PlanError> {
        if self.format == i64::from(FORMAT) {
            return Ok(());
        }
        Err(PlanError::AnotherFormat { found: self.format })
    }

    /// Where in the text a step is that cannot be run.
    pub fn place(&self, text: &str, error: PlanError) -> PlanError {
        #[derive(Deserialize)]
        struct Steps {
            steps: Vec<Spanned<IgnoredAny>>,
        }
        let PlanError::ImpossibleStep { place, why } = &error else { return error };
        let span = self.steps.as_ref().map(Spanned::span).unwrap_or_default();
        // Read by itself, as the value of a key, it keeps the places of its steps.
        let Some(list) = text.get(span.clone()) else { return error };
        let key = "steps = ";
        let Ok(Steps { steps }) = toml::from_str(&format!("{key}{list}")) else { return error };
        let Some(step) = steps.get(*place) else { return error };
        let (line, column) = place_in(text, span.start + step.span().start - key.len());
        PlanError::NotAPlan { line, column, why: why.clone() }
    }
}

impl PlanError {
    /// The parser's error, with line and column counted from 1.
    pub fn located(text: &str, error: &toml::de::Error) -> Self {
        let (line, column) = place_in(text, error.span().map_or(0, |span| span.start));
        Self::NotAPlan { line, column, why: error.message().to_owned() }
    }
}

/// The line and the column, as people count.
fn place_in(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at.min(text.len())).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    (line, before.rsplit('\n').next().unwrap_or_default().chars().count() + 1)
}
