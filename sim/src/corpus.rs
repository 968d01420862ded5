//! The corpus: plans worth keeping for ever, one TOML file each, with the law they concern and the story they tell. A plan
//! is a fact where a seed is a promise about the generator, so files outlive changes of it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::plan::{FORMAT, Plan, PlanError};
use crate::sabotage;
use crate::subject::Subject;
use crate::whole_file;

/// One file of the corpus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regression {
    /// The law that this plan once broke.
    pub law: String,
    /// What happens in it, for people.
    pub story: String,
    pub origin: Origin,
    pub plan: Plan,
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
    NoSuchSabotage { path: String, sabotage: String },
}

impl Regression {
    pub fn subject(&self, path: &Path) -> Result<Subject, LoadError> {
        match &self.origin.sabotage {
            None => Ok(Subject::fencepost()),
            Some(name) => match sabotage::by_name(name) {
                Some(found) => Ok(found.subject()),
                None => {
                    let path = path.display().to_string();
                    Err(LoadError::NoSuchSabotage { path, sabotage: name.clone() })
                }
            },
        }
    }
}

/// A plan's file, or a regression's.
pub fn load(path: &Path) -> Result<(Plan, Option<Regression>), LoadError> {
    let shown = || path.display().to_string();
    let text = fs::read_to_string(path).map_err(|cause| LoadError::Unreadable { path: shown(), cause })?;
    let no_plan = |error| LoadError::NoPlan { path: shown(), error };
    #[derive(Deserialize)]
    struct Kept {
        law: Option<toml::Value>,
        plan: Option<Versioned>,
    }
    #[derive(Deserialize)]
    struct Versioned {
        format: u32,
    }
    let kept = match toml::from_str::<Kept>(&text) {
        Ok(kept) if kept.law.is_some() || kept.plan.is_some() => kept,
        _ => return Ok((text.parse().map_err(no_plan)?, None)),
    };
    // The format first: of a newer one nothing else can be understood.
    if let Some(found) = kept.plan.map(|plan| plan.format).filter(|found| *found != FORMAT) {
        return Err(no_plan(PlanError::AnotherFormat { found }));
    }
    let regression: Regression =
        toml::from_str(&text).map_err(|error| no_plan(PlanError::located(&text, &error)))?;
    regression.plan.check().map_err(no_plan)?;
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

/// Writes a file whole or not at all.
pub fn write(path: &Path, text: &str) -> std::io::Result<()> {
    whole_file::write(path, text.as_bytes())
}
