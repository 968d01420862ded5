//! A regression file: its fields, and reading it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::history::event::EventKind;
use crate::plan::step::Step;
use crate::plan::{Outline, Plan, PlanError};
use crate::planted;
use crate::planted::PlantedBug;
use crate::subject::Subject;
use crate::support::atomic_file;

/// One regression file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regression {
    /// The law that this plan once broke.
    pub law: String,
    /// The story of the plan, for people.
    pub story: String,
    pub origin: Origin,
    /// Where the plan breaks the law.
    #[serde(rename = "finding", default, skip_serializing_if = "Option::is_none")]
    pub place: Option<BreachPlace>,
    pub plan: Plan,
}

/// Where in a run a law was broken. It has no event number and no time, so it stays the same when the system changes
/// around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreachPlace {
    /// The last step of the plan that was taken before the breach.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "step_line")]
    pub after: Option<Step>,
    /// The kind of the event that broke the law.
    pub event: EventKind,
}

/// A step in a file is its line of text.
mod step_line {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::plan::step::Step;

    pub fn serialize<S: Serializer>(step: &Option<Step>, serializer: S) -> Result<S::Ok, S::Error> {
        match step {
            Some(step) => serializer.collect_str(step),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Step>, D::Error> {
        let line = String::deserialize(deserializer)?;
        line.parse().map(Some).map_err(de::Error::custom)
    }
}

/// Where a plan came from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The planted bug it was found with; none for a bug of the system itself.
    #[serde(rename = "sabotage", default, skip_serializing_if = "Option::is_none")]
    pub planted_bug: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("`{path}` cannot be read: {cause}")]
    Unreadable { path: String, cause: std::io::Error },
    #[error("`{path}` is no plan: {error}")]
    NoPlan { path: String, error: PlanError },
    #[error("`{path}` was found with the planted bug `{name}`, which this build does not have")]
    NoSuchPlantedBug { path: String, name: String },
}

impl Regression {
    /// The subject that the plan was found with: the true system, or the planted bug.
    pub fn subject(&self, path: &Path) -> Result<Subject, LoadError> {
        let Some(name) = &self.origin.planted_bug else { return Ok(Subject::fencepost()) };
        planted::by_name(name).map(PlantedBug::subject).ok_or_else(|| LoadError::NoSuchPlantedBug {
            path: path.display().to_string(),
            name: name.clone(),
        })
    }
}

/// Loads the file of a plan or of a regression.
pub fn load(path: &Path) -> Result<(Plan, Option<Regression>), LoadError> {
    let shown = || path.display().to_string();
    let text = atomic_file::read(path).map_err(|cause| LoadError::Unreadable { path: shown(), cause })?;
    read(&text).map_err(|error| LoadError::NoPlan { path: shown(), error })
}

/// Reads a plan or a regression from its text.
pub fn read(text: &str) -> Result<(Plan, Option<Regression>), PlanError> {
    #[derive(Deserialize)]
    struct PlanTable {
        plan: Outline,
    }
    #[derive(Deserialize)]
    struct TopLevel {
        law: Option<IgnoredAny>,
        plan: Option<IgnoredAny>,
    }
    let located = |error: toml::de::Error| PlanError::located(text, &error);
    let top: TopLevel = toml::from_str(text).map_err(located)?;
    if top.law.is_none() && top.plan.is_none() {
        return Ok((text.parse()?, None));
    }
    let PlanTable { plan: outline } = toml::from_str(text).map_err(located)?;
    outline.check_format()?;
    let regression: Regression = toml::from_str(text).map_err(located)?;
    regression.plan.check().map_err(|error| outline.place(text, error))?;
    Ok((regression.plan.clone(), Some(regression)))
}

/// Every regression file of a folder, sorted by name.
pub fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
