//! The processes of a live run: how they are started, killed, stopped and continued, and how none of them outlives the run.
//! The kernel kills each when its parent dies, in whatever way; and each ends by itself when its input ends.

use std::fs::File;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use fencepost::environment::Environment;
use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};

use crate::live::journal::{Journal, JournalEntry};
use crate::live::live_error::LiveError;
use crate::live::machine_clock::now_ns;
use crate::live::settings::{CHILD_COMMAND, ChildSeat};
use crate::plan::Node;

/// Something that the run did to a process.
#[derive(Debug, Clone, Copy)]
pub struct FleetEvent {
    pub at_ns: u64,
    pub node: Node,
    pub what: FleetChange,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FleetChange {
    Started {
        life: u64,
        pid: u32,
    },
    /// From here on it may be dead.
    IsKilled {
        life: u64,
    },
    /// It is dead for certain: it has been waited for.
    Died {
        life: u64,
    },
    Paused,
    Resumed,
}

/// One process of the run.
struct FleetProcess {
    node: Node,
    seat_file: PathBuf,
    life: u64,
    child: Option<Child>,
    is_stopped: bool,
}

/// All processes of a run. What happens to them is remembered in order.
pub struct Fleet {
    program: PathBuf,
    folder: PathBuf,
    processes: Vec<FleetProcess>,
    pub events: Vec<FleetEvent>,
}

impl Fleet {
    pub fn new(program: &Path, folder: &Path) -> Self {
        Self {
            program: program.to_owned(),
            folder: folder.to_owned(),
            processes: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Takes in a process that has its settings in this file, and starts it.
    pub fn add(&mut self, node: Node, seat_file: PathBuf) -> Result<(), LiveError> {
        self.processes.push(FleetProcess { node, seat_file, life: 0, child: None, is_stopped: false });
        self.start(node)
    }

    fn happened(&mut self, node: Node, what: FleetChange) {
        self.events.push(FleetEvent { at_ns: now_ns(), node, what });
    }

    fn process(&mut self, node: Node) -> Option<&mut FleetProcess> {
        self.processes.iter_mut().find(|process| process.node == node)
    }

    pub fn is_up(&mut self, node: Node) -> bool {
        self.process(node).is_some_and(|process| process.child.is_some() && !process.is_stopped)
    }

    /// Starts it in its next life, if it is down. Only the main thread may do so: children die with the thread that started
    /// them.
    pub fn start(&mut self, node: Node) -> Result<(), LiveError> {
        let (program, folder) = (self.program.clone(), self.folder.clone());
        let Some(process) = self.process(node).filter(|process| process.child.is_none()) else {
            return Ok(());
        };
        process.life += 1;
        let (life, failed) = (process.life, |cause| LiveError::Child(node.to_string(), cause));
        let (name, value) = ChildSeat::variable(&process.seat_file, node, life);
        let told = File::create(folder.join(format!("{node}.{life}.stderr"))).map_err(failed)?;
        let mut command = Command::new(program);
        command.arg(CHILD_COMMAND).env(name, value);
        // Out of reach of a Ctrl-C that is meant for this program.
        command.process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(told);
        let child = command.spawn().map_err(failed)?;
        let pid = child.id();
        process.child = Some(child);
        process.is_stopped = false;
        self.happened(node, FleetChange::Started { life, pid });
        Ok(())
    }

    /// SIGKILL, whether it runs or is stopped, and a wait for its end.
    pub fn kill(&mut self, node: Node) {
        let Some(process) = self.process(node) else { return };
        let (life, child) = (process.life, process.child.take());
        let Some(mut child) = child else { return };
        self.happened(node, FleetChange::IsKilled { life });
        // One that has ended by itself cannot be killed, and is waited for all the same.
        drop(child.kill());
        drop(child.wait());
        self.happened(node, FleetChange::Died { life });
    }

    pub fn stop(&mut self, node: Node) {
        self.happened(node, FleetChange::Paused);
        self.signal(node, Signal::STOP, true);
    }

    pub fn resume(&mut self, node: Node) {
        self.signal(node, Signal::CONT, false);
        self.happened(node, FleetChange::Resumed);
    }

    fn signal(&mut self, node: Node, signal: Signal, is_stopped: bool) {
        let Some(process) = self.process(node) else { return };
        let pid =
            process.child.as_ref().and_then(|child| i32::try_from(child.id()).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // It has not been waited for, so the number is still its own; one that is dead cannot be stopped any more.
            let _ = kill_process(pid, signal);
            process.is_stopped = is_stopped;
        }
    }

    /// A process that ended by itself, with what it said. No process of a run does so.
    pub fn ended_by_itself(&mut self) -> Option<(Node, String)> {
        let folder = self.folder.clone();
        let process = self.processes.iter_mut().find_map(|process| {
            let status = process.child.as_mut()?.try_wait().ok()??;
            Some((process.node, process.life, status))
        });
        let (node, life, status) = process?;
        let said = std::fs::read_to_string(folder.join(format!("{node}.{life}.stderr"))).unwrap_or_default();
        Some((node, format!("{status}: {}", said.trim())))
    }

    pub fn kill_all(&mut self) {
        let nodes: Vec<Node> = self.processes.iter().map(|process| process.node).collect();
        nodes.into_iter().for_each(|node| self.kill(node));
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.kill_all();
    }
}

/// In a child: it ends with its parent.
pub fn end_with_parent() -> std::io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent may have died before that: then the input has ended.
    std::thread::Builder::new().name("parent".to_owned()).spawn(|| {
        let mut byte = [0];
        while std::io::stdin().read(&mut byte).is_ok_and(|count| count > 0) {}
        std::process::exit(0);
    })?;
    Ok(())
}

/// In a child: panics are part of the history.
pub fn note_panics(journal: &Arc<Journal>) {
    let journal = Arc::clone(journal);
    std::panic::set_hook(Box::new(move |info| {
        let payload = info.payload();
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
        let place = info.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
        journal.note(JournalEntry::Panicked { said: format!("{text}{place}") });
    }));
}

/// In a child: opens the store, however long its server is away.
pub async fn patiently<T>(environment: &Arc<dyn Environment>, open: impl Fn() -> Result<T, LiveError>) -> T {
    loop {
        match open() {
            Ok(opened) => return opened,
            Err(why) => eprintln!("{why}"),
        }
        environment.sleep(Duration::from_millis(200)).await;
    }
}
