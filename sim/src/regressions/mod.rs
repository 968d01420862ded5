//! The corpus: plans worth keeping for ever, one TOML file each, with the law they concern and the story they tell. A plan
//! is a fact where a seed is a promise about the generator, so files outlive changes of it. How a file comes to be is in
//! `keep.rs`, and what it must go on showing in `replay.rs`.

mod keep;
mod replay;

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::history::event::Kind;
use crate::plan::{Outline, Plan, PlanError};
use crate::planted;
use crate::subject::Subject;
use crate::support::atomic_file;

pub use keep::{KeepError, keep, place_of, verified};
pub use replay::{ReplayError, replay};

/// One file of the corpus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regression {
    /// The law that this plan once broke.
    pub law: String,
    /// What happens in it, for people.
    pub story: String,
    pub origin: Origin,
    /// Where the plan breaks the law.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Place>,
    pub plan: Plan,
}

/// Where in a run a law was broken, in words that outlive a change of the system: no number of an event, no time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The last step of the plan that was taken before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What kind of event broke it.
    pub event: Kind,
}

/// Where a plan came from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The planted bug it was found with; none for a true one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sabotage: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("`{path}` cannot be read: {cause}")]
    Unreadable { path: String, cause: std::io::Error },
    #[error("`{path}` is no plan: {error}")]
    NoPlan { path: String, error: PlanError },
    #[error("`{path}` was found with the sabotage `{sabotage}`, which this build does not have")]
    NoSuchPlantedBug { path: String, sabotage: String },
}

impl Regression {
    pub fn subject(&self, path: &Path) -> Result<Subject, LoadError> {
        match &self.origin.sabotage {
            None => Ok(Subject::fencepost()),
            Some(name) => match planted::by_name(name) {
                Some(found) => Ok(found.subject()),
                None => {
                    let path = path.display().to_string();
                    Err(LoadError::NoSuchPlantedBug { path, sabotage: name.clone() })
                }
            },
        }
    }
}

/// A plan's file, or a regression's.
pub fn load(path: &Path) -> Result<(Plan, Option<Regression>), LoadError> {
    let shown = || path.display().to_string();
    let text = atomic_file::read(path).map_err(|cause| LoadError::Unreadable { path: shown(), cause })?;
    read(&text).map_err(|error| LoadError::NoPlan { path: shown(), error })
}

/// As [`load`], from the text.
pub fn read(text: &str) -> Result<(Plan, Option<Regression>), PlanError> {
    #[derive(Deserialize)]
    struct Kept {
        plan: Outline,
    }
    #[derive(Deserialize)]
    struct Top {
        law: Option<IgnoredAny>,
        plan: Option<IgnoredAny>,
    }
    let located = |error: toml::de::Error| PlanError::located(text, &error);
    let top: Top = toml::from_str(text).map_err(located)?;
    if top.law.is_none() && top.plan.is_none() {
        return Ok((text.parse()?, None));
    }
    let Kept { plan: outline } = toml::from_str(text).map_err(located)?;
    outline.check_format()?;
    let regression: Regression = toml::from_str(text).map_err(located)?;
    regression.plan.check().map_err(|error| outline.place(text, error))?;
    Ok((regression.plan.clone(), Some(regression)))
}

/// Every file of a corpus, by name.
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
