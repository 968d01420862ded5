//! The settings of a live run, and those that each of its processes is started with.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::live::host_request::HostRequest;
use crate::live::live_error::LiveError;
use crate::plan::{Node, Plan};
use crate::planted::live::LiveDefect;

/// Where the processes of a live run keep their rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveStore {
    /// One file that all of them open.
    Sqlite,
    /// A server that the run starts from the installed binaries, and kills.
    OwnPostgres,
    /// A server on this machine that is not the run's own: its connections are cut, and it is left alive.
    Postgres(String),
}

impl LiveStore {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::OwnPostgres | Self::Postgres(_) => "Postgres",
        }
    }
}

/// A request for a live run.
#[derive(Debug, Clone)]
pub struct LiveRequest {
    pub store: LiveStore,
    pub workers: u8,
    pub hosts: u8,
    pub seconds: u64,
    pub seed: u64,
    /// The planted bug, if one is planted.
    pub planted: Option<&'static str>,
    /// The program whose hidden command runs a worker or a host: this one.
    pub program: PathBuf,
}

/// How one process opens its store.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum StorePlace {
    Sqlite { file: PathBuf },
    Postgres { url: String, schema: String },
}

/// Everything that a worker or a host is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChildSettings {
    pub folder: PathBuf,
    /// Time zero of the run, in nanoseconds since the machine booted.
    pub base_ns: u64,
    pub plan: Plan,
    pub requests: Vec<HostRequest>,
    pub place: StorePlace,
    pub planted: Option<String>,
    pub wall_skew_ms: i64,
}

impl ChildSettings {
    /// How far the wall clock is ahead that this process's code reads. Where the machine's clock is the store's, only a bug that
    /// decides by another clock may have another.
    pub fn machine_skew_ms(&self, defect: Option<LiveDefect>) -> i64 {
        let is_the_stores = matches!(self.place, StorePlace::Sqlite { .. });
        if is_the_stores && defect != Some(LiveDefect::ApplicationClock) { 0 } else { self.wall_skew_ms }
    }
}

/// The place of one process in the run.
pub struct ChildSeat {
    pub node: Node,
    pub life: u64,
    pub settings: ChildSettings,
}

/// The hidden command by which the program starts itself as a worker or a host.
pub const CHILD_COMMAND: &str = "live-child";

const VARIABLE: &str = "FENCEPOST_LIVE_SEAT";

impl ChildSeat {
    /// The variable that tells a process its seat: the file of its settings, its node and its life.
    pub fn variable(file: &Path, node: Node, life: u64) -> (&'static str, String) {
        (VARIABLE, format!("{} {life} {}", node.code(), file.display()))
    }

    pub fn from_environment() -> Result<Self, LiveError> {
        let missing = || LiveError::NotForPeople(VARIABLE);
        let told = std::env::var(VARIABLE).map_err(|_| missing())?;
        let mut words = told.splitn(3, ' ');
        let mut word = || words.next().ok_or_else(missing);
        let node = Node::from_code(word()?.parse().map_err(|_| missing())?);
        let life = word()?.parse().map_err(|_| missing())?;
        let file = PathBuf::from(word()?);
        let text = std::fs::read_to_string(&file).map_err(LiveError::file(&file))?;
        let settings = serde_json::from_str(&text)
            .map_err(|cause| LiveError::Journal(file.display().to_string(), 1, cause))?;
        Ok(Self { node, life, settings })
    }

    pub fn journal(&self) -> PathBuf {
        journal_of(&self.settings.folder, self.node, self.life)
    }
}

pub fn journal_of(folder: &Path, node: Node, life: u64) -> PathBuf {
    folder.join(format!("{node}.{life}.journal"))
}

/// A law that live runs do not judge, and why.
pub struct UnjudgedLaw {
    pub law: &'static str,
    pub because: &'static str,
}

/// Laws whose evidence does not exist outside of a simulated world.
pub const NOT_JUDGED: &[UnjudgedLaw] = &[
    UnjudgedLaw {
        law: "bodies-overlap-within-bound",
        because: "an operating system stops threads for times that nobody records",
    },
    UnjudgedLaw {
        law: "calls-apply-once",
        because: "workers call the store themselves: no server stands between, that could see a request twice",
    },
    UnjudgedLaw {
        law: "answers-match-the-model",
        because: "reads that overlap a write have no known place, so the model cannot be stepped through all calls",
    },
];
