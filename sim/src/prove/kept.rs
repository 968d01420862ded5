//! A proof that goes on where an earlier one was interrupted: each level so far, in a file. The file names the build and the
//! request that made it; that of another is refused, because their sums would not belong together.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::prove::explorer::Extended;
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

/// A level of one scope, as far as it was run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptLevel {
    pub scope: String,
    pub deviations: usize,
    /// Parts that were gone through, in order. Deeper levels need the runs of other shards' parts as well.
    pub gone_through: usize,
    /// Parts of this shard that were done, and all of them.
    pub done: usize,
    pub parts: usize,
    /// Nothing of it is left to run.
    pub is_complete: bool,
    pub sum: LevelSum,
    /// The runs that the next levels extend; empty where they find them as they go.
    pub extended: Vec<Extended>,
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

    /// A level, as far as it was run.
    pub fn level(&self, scope: &str, deviations: usize) -> Option<&KeptLevel> {
        self.find(scope, deviations).map(|place| &self.file.levels[place])
    }

    fn find(&self, scope: &str, deviations: usize) -> Option<usize> {
        self.file.levels.iter().position(|level| level.scope == scope && level.deviations == deviations)
    }

    /// True, if the file was last written so long ago that a kill would cost much.
    pub fn is_due(&self) -> bool {
        wall_us().saturating_sub(self.written_us) >= WRITE_EVERY_US
    }

    /// Keeps a level in place of what was kept of it before, and writes the file.
    pub fn keep(&mut self, level: KeptLevel) -> Result<(), KeptProofError> {
        match self.find(&level.scope, level.deviations) {
            Some(place) => self.file.levels[place] = level,
            None => self.file.levels.push(level),
        }
        self.write()
    }

    fn write(&mut self) -> Result<(), KeptProofError> {
        let text = serde_json::to_vec(&self.file).unwrap_or_default();
        self.written_us = wall_us();
        atomic_file::write(&self.path, &text)
            .map_err(|cause| KeptProofError::Unwritten { path: self.path.display().to_string(), cause })
    }
}
