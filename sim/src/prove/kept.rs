//! A proof that goes on where an earlier one was interrupted: the sums of each level so far, in a file. The file names the build
//! and the request that made it; those of another are refused, because their sums would not belong together.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::prove::level_sum::LevelSum;
use crate::search::clocks::wall_us;
use crate::support::atomic_file;

const WRITE_EVERY_US: u64 = 2_000_000;

/// The file of a proof that can be interrupted.
pub struct KeptProof {
    path: PathBuf,
    file: KeptFile,
    written_us: u64,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptFile {
    made_by: String,
    levels: Vec<KeptLevel>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptLevel {
    scope: String,
    deviations: usize,
    done: usize,
    sum: LevelSum,
}

#[derive(Debug, thiserror::Error)]
pub enum KeptProofError {
    #[error("`{path}` is no proof to go on with: {why}: say another file, or remove it")]
    NoProof { path: String, why: String },
    #[error("`{path}` was made by another build or for another request: say another file, or remove it")]
    Another { path: String },
    #[error("`{path}` cannot be written: {cause}")]
    Unwritten { path: String, cause: std::io::Error },
}

impl KeptProof {
    /// The proof in this file, or a new one if there is none. `made_by` names the build and the request.
    pub fn open(path: &Path, made_by: &str) -> Result<Self, KeptProofError> {
        let shown = || path.display().to_string();
        let file = if path.exists() {
            let no_proof = |why: String| KeptProofError::NoProof { path: shown(), why };
            let text = atomic_file::read(path).map_err(|cause| no_proof(cause.to_string()))?;
            serde_json::from_str(&text).map_err(|error| no_proof(error.to_string()))?
        } else {
            KeptFile { made_by: made_by.to_owned(), levels: Vec::new() }
        };
        if file.made_by != made_by {
            return Err(KeptProofError::Another { path: shown() });
        }
        let mut kept = Self { path: path.to_owned(), file, written_us: 0 };
        kept.write()?;
        Ok(kept)
    }

    /// How many parts of a level were done, and their sum.
    pub fn level(&self, scope: &str, deviations: usize) -> (usize, LevelSum) {
        let found = self.find(scope, deviations).map(|place| &self.file.levels[place]);
        found.map_or_else(Default::default, |level| (level.done, level.sum.clone()))
    }

    fn find(&self, scope: &str, deviations: usize) -> Option<usize> {
        self.file.levels.iter().position(|level| level.scope == scope && level.deviations == deviations)
    }

    /// Keeps the sum of the first `done` parts. It is written now and then; [`Self::write`] writes it for certain.
    pub fn keep(
        &mut self,
        scope: &str,
        deviations: usize,
        done: usize,
        sum: &LevelSum,
    ) -> Result<(), KeptProofError> {
        let level = KeptLevel { scope: scope.to_owned(), deviations, done, sum: sum.clone() };
        match self.find(scope, deviations) {
            Some(place) => self.file.levels[place] = level,
            None => self.file.levels.push(level),
        }
        if wall_us().saturating_sub(self.written_us) >= WRITE_EVERY_US {
            self.write()?;
        }
        Ok(())
    }

    pub fn write(&mut self) -> Result<(), KeptProofError> {
        let text = serde_json::to_vec(&self.file).unwrap_or_default();
        self.written_us = wall_us();
        atomic_file::write(&self.path, &text)
            .map_err(|cause| KeptProofError::Unwritten { path: self.path.display().to_string(), cause })
    }
}
