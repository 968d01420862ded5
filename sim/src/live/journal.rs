//! The journal of one process: a file of lines that it only ever appends to. A line is written whole in one call, and what
//! the kernel was given outlives the process, so a SIGKILL loses at most a line that nobody acted on yet.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use fencepost::RegistryError;
use fencepost::model::event::ProcessEvent;
use fencepost::model::lease::ProcessLease;
use fencepost::model::process::ProcessRecord;
use fencepost::registry::calls::{Answer, Call};
use serde::{Deserialize, Serialize};

use crate::live::live_error::LiveError;
use crate::live::machine_clock::now_ns;

/// One line of a journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JournalLine {
    pub at_ns: u64,
    /// The process's own monotonic clock as its code last read it, in nanoseconds.
    pub clock_ns: u64,
    pub entry: JournalEntry,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum JournalEntry {
    /// The first line.
    Began {
        pid: u32,
    },
    /// A call reached the store's door.
    Arrived {
        number: u64,
        call: Arc<Call>,
    },
    /// Decided under the store's lock; it will be committed next, unless it changed nothing.
    Decided {
        number: u64,
        facts: Box<DecidedFacts>,
    },
    /// Its answer, as the store gave it.
    Answered {
        number: u64,
        answer: Box<Answer>,
    },
    /// A worker's call begins.
    Sent {
        number: u64,
        call: Arc<Call>,
    },
    /// Its answer arrived; the lease, if it was granted one.
    Heard {
        number: u64,
        result: HeardResult,
    },
    BodyBegan {
        process: u16,
        fence: u64,
    },
    /// None if it was dropped; false if it broke.
    BodyEnded {
        process: u16,
        fence: u64,
        output: Option<u64>,
        has_broken: bool,
    },
    EffectStarted {
        process: u16,
        fence: u64,
    },
    /// At the ledger, with the highest fence it had seen before.
    EffectOffered {
        node: u8,
        process: u16,
        fence: u64,
        highest: u64,
        is_taken: bool,
    },
    WaitBegan {
        process: u16,
        wait: u64,
    },
    /// The hash of the outcome, or 0 for an error.
    WaitEnded {
        process: u16,
        wait: u64,
        outcome: u64,
    },
    Panicked {
        said: String,
    },
}

/// The answer to a call, as the worker hears it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum HeardResult {
    Acquired(ProcessLease),
    Busy,
    Done,
    Error(RegistryError),
}

/// The rows that a step saw and wrote, and the store's own reading of the clock.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DecidedFacts {
    /// Read under the lock: among decisions about one process its order is theirs.
    pub at_ns: u64,
    pub clock_ms: u64,
    pub entropy_bytes: u64,
    pub before: SeenProcess,
    pub put_tenure: Option<SeenTenure>,
    pub put_record: Option<ProcessRecord>,
    pub pushed: Vec<ProcessEvent>,
}

/// The rows of a process as a step read them; a part that it did not read is none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SeenProcess {
    pub tenure: Option<SeenTenure>,
    pub row: Option<SeenRow>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeenTenure {
    pub fence: u64,
    pub lease: Option<ProcessLease>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenRow {
    /// The hash of the record; 0 if the process is unknown.
    pub record: u64,
    pub last_sequence: u64,
}

pub struct Journal {
    file: Mutex<File>,
}

impl Journal {
    pub fn open(path: &Path) -> Result<Self, LiveError> {
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(LiveError::file(path))?;
        Ok(Self { file: Mutex::new(file) })
    }

    /// Writes an entry that happens now.
    pub fn note(&self, entry: JournalEntry) {
        self.note_by(entry, None);
    }

    /// The same for one that was decided by this reading of the process's monotonic clock.
    pub fn note_by(&self, entry: JournalEntry, clock: Option<std::time::Duration>) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that the lines of a journal are in order.
        let at_ns = now_ns();
        let clock_ns = clock.and_then(|clock| u64::try_from(clock.as_nanos()).ok()).unwrap_or(at_ns);
        let Ok(mut line) = serde_json::to_vec(&JournalLine { at_ns, clock_ns, entry }) else {
            std::process::exit(JOURNAL_FAILED);
        };
        line.push(b'\n');
        // The process ends here: whatever it did next would be missing from the history.
        if file.write_all(&line).is_err() {
            std::process::exit(JOURNAL_FAILED);
        }
    }
}

/// The exit code of a process whose journal cannot be written.
pub const JOURNAL_FAILED: i32 = 74;

/// The lines of a journal. The last one may have been cut short by a SIGKILL: then nobody acted on it.
pub fn read(path: &Path) -> Result<Vec<JournalLine>, LiveError> {
    let text = std::fs::read_to_string(path).map_err(LiveError::file(path))?;
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let lines = whole.lines().enumerate();
    lines
        .map(|(place, line)| {
            serde_json::from_str(line)
                .map_err(|cause| LiveError::Journal(path.display().to_string(), place + 1, cause))
        })
        .collect()
}
