//! The journals of a run, each with the node and the life that wrote it.

use std::path::Path;

use crate::live::fleet::{FleetChange, FleetEvent};
use crate::live::journal;
use crate::live::journal::JournalLine;
use crate::live::live_error::LiveError;
use crate::live::settings::journal_of;
use crate::plan::Node;

/// The journal of one life of one node.
pub struct NodeJournal {
    pub node: Node,
    pub life: u64,
    pub pid: u32,
    pub lines: Vec<JournalLine>,
}

/// The journals of all lives that were started. A life that was killed at once may have left none.
pub fn read_journals(folder: &Path, events: &[FleetEvent]) -> Result<Vec<NodeJournal>, LiveError> {
    let mut journals = Vec::new();
    for event in events {
        let FleetChange::Started { life, pid } = event.what else { continue };
        let path = journal_of(folder, event.node, life);
        if path.exists() {
            journals.push(NodeJournal { node: event.node, life, pid, lines: journal::read(&path)? });
        }
    }
    Ok(journals)
}
