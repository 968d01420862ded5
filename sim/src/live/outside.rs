//! The ledger outside: it takes effects, and refuses one whose fence is below the highest it has seen. It is a file with a
//! number for each process, and a lock of the operating system, which a killed worker lets go of.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use fencepost::work::effect::{Effect, EffectController, EffectError};
use rustix::fs::{FlockOperation, flock};
use serde_json::{Value, json};

use crate::live::journal::{Journal, JournalEntry};
use crate::live::machine::last_check;
use crate::plan::Node;
use crate::world::process_of;

/// A worker's way to the ledger.
pub struct OutsideLedger {
    pub node: Node,
    pub file: PathBuf,
    pub journal: Arc<Journal>,
}

#[async_trait]
impl EffectController for OutsideLedger {
    async fn perform(&self, effect: Effect) -> Result<Value, EffectError> {
        let (process, fence) = (process_of(&effect.process_id).unwrap_or_default(), effect.fence);
        self.journal.note_by(JournalEntry::EffectStarted { process, fence }, last_check());
        let (file, journal) = (self.file.clone(), Arc::clone(&self.journal));
        let node = self.node.code();
        let offered = tokio::task::spawn_blocking(move || offer(&file, node, process, fence, &journal));
        let failed = |cause: String| EffectError::Failed { key: effect.key.clone(), cause };
        match offered.await {
            Ok(Ok(highest)) if highest > fence => Err(EffectError::Stale { key: effect.key, fence, highest }),
            Ok(Ok(_)) => Ok(json!(null)),
            Ok(Err(cause)) => Err(failed(cause.to_string())),
            Err(cause) => Err(failed(cause.to_string())),
        }
    }
}

/// The highest fence that was seen before.
fn offer(path: &Path, node: u8, process: u16, fence: u64, journal: &Journal) -> std::io::Result<u64> {
    let file: File = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
    flock(&file, FlockOperation::LockExclusive)?;
    let place = u64::from(process) * 8;
    let mut bytes = [0_u8; 8];
    // Beyond the end nothing was ever seen.
    let highest = if file.read_at(&mut bytes, place)? == 8 { u64::from_le_bytes(bytes) } else { 0 };
    let is_taken = fence >= highest;
    if is_taken {
        file.write_all_at(&fence.to_le_bytes(), place)?;
    }
    journal.note(JournalEntry::EffectOffered { node, process, fence, highest, is_taken });
    // The lock ends with the file.
    Ok(highest)
}
