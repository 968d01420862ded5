//! Conducts a live run: it makes the store, starts the processes, carries out the faults, lets everything end in calm, and
//! makes one history of what all of them wrote down.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fencepost::System;
use fencepost::environment::Environment;

use crate::live::final_look::{FinalLook, StoreReader};
use crate::live::fleet::Fleet;
use crate::live::live_error::LiveError;
use crate::live::machine_clock::{now_ns, wall_us};
use crate::live::merge::{self, MergedRun, RunEnd, RunRecord};
use crate::live::nemesis::{LiveFault, Nemesis};
use crate::live::settings::{ChildSettings, LiveRequest, LiveStore};
use crate::live::store_host::StoreHost;
use crate::live::workload;
use crate::plan::Node;
use crate::plan::chance::{Purpose, Seed, below};
use crate::planted;

/// After the faults everything must have ended within so long. A loaded machine is slow, and this is no measurement.
const CALM_MS: u64 = 120_000;
const TICK: Duration = Duration::from_millis(10);

/// How often each kind of fault was carried out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LiveFaults {
    pub kills: u64,
    pub stops: u64,
    pub held_locks: u64,
    pub cuts: u64,
    pub delays: u64,
    pub ended_sessions: u64,
    pub server_crashes: u64,
}

/// A live run that was carried out.
pub struct LiveRun {
    pub merged: MergedRun,
    pub faults: LiveFaults,
    pub was_interrupted: bool,
}

/// Carries out a run. It must be called on the main thread: the processes of the run die with the thread that started them.
pub fn conduct(
    request: &LiveRequest,
    is_interrupted: &dyn Fn() -> bool,
    tell: &mut dyn FnMut(&LiveFaults, u64),
) -> Result<LiveRun, LiveError> {
    let folder = RunFolder::new()?;
    let mut store = StoreHost::start(&request.store, &folder.path)?;
    let (plan, requests) = workload::draw(request);
    // Tables are made before anybody needs them.
    drop(StoreReader::open(store.place())?);
    // Time zero, at a whole millisecond of the wall clock: readings are shifted by whole milliseconds.
    let (now, wall) = (now_ns(), wall_us());
    let (base_ns, wall_base_ms) = (now - wall % 1_000 * 1_000, wall / 1_000);
    let mut fleet = Fleet::new(&request.program, &folder.path);
    let bug = request.planted.and_then(planted::live::by_name);
    for node in plan.nodes().filter(|node| *node != Node::Registry) {
        let settings = ChildSettings {
            folder: folder.path.clone(),
            base_ns,
            plan: plan.clone(),
            requests: requests.iter().filter(|asked| Node::Host(asked.host) == node).cloned().collect(),
            place: store.place_for(node)?,
            planted: request.planted.map(str::to_owned),
            wall_skew_ms: wall_skew_ms(request, node, bug.is_some_and(|bug| bug.needs_skewed_clocks)),
        };
        let file = folder.path.join(format!("{node}.settings"));
        let told = serde_json::to_vec(&settings).map_err(|cause| LiveError::Store(cause.to_string()))?;
        std::fs::write(&file, told).map_err(LiveError::file(&file))?;
        fleet.add(node, file)?;
    }
    let mut conducting = Conducting {
        faults: LiveFaults::default(),
        base_ns,
        due: Vec::new(),
        fleet,
        store: &mut store,
        system: System::new().map_err(LiveError::Machine)?,
        runtime: tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(LiveError::Machine)?,
    };
    let nemesis = Nemesis::new(request.seed, &plan, &request.store);
    conducting.faulty_phase(nemesis, plan.horizon_ms, is_interrupted, tell)?;
    conducting.heal()?;
    let calm_at_ns = now_ns();
    let last_request_ms = requests.last().map_or(0, |asked| asked.at_ms);
    let end = conducting.calm_phase(last_request_ms, is_interrupted)?;
    conducting.fleet.kill_all();
    let Conducting { faults, mut fleet, .. } = conducting;
    let looks: Vec<FinalLook> = StoreReader::open(store.place())?.look_at_everything(&plan)?;
    let fleet_events = std::mem::take(&mut fleet.events);
    let record = RunRecord {
        folder: &folder.path,
        plan,
        is_on_a_server: request.store != LiveStore::Sqlite,
        base_ns,
        wall_base_ms,
        fleet_events,
        server_crashes: store.crashes.clone(),
        looks,
        calm: (end != RunEnd::Interrupted).then_some((calm_at_ns, CALM_MS * 1_000)),
        end,
    };
    Ok(LiveRun { merged: merge::merge(record)?, faults, was_interrupted: end == RunEnd::Interrupted })
}

/// A client's clock decides nothing where a server has one: there every process has another time of day. Where the machine's
/// clock is the store's, the clocks are apart only if a planted bug is about that.
fn wall_skew_ms(request: &LiveRequest, node: Node, needs_skewed_clocks: bool) -> i64 {
    if request.store == LiveStore::Sqlite && !needs_skewed_clocks {
        return 0;
    }
    let drawn = Seed(request.seed).draw(Purpose::Leases, [0x11fe, u64::from(node.code())]);
    let most = 2 * workload::TTL_MS;
    i64::try_from(below(drawn, 2 * most + 1)).unwrap_or(0) - i64::try_from(most).unwrap_or(0)
}

/// Something that ends a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recovery {
    Start(Node),
    Resume(Node),
    Undelay(Node),
    StartServer,
}

struct Conducting<'a> {
    faults: LiveFaults,
    base_ns: u64,
    /// The ends of faults that go on, each with its time in milliseconds of the run.
    due: Vec<(u64, Recovery)>,
    fleet: Fleet,
    store: &'a mut StoreHost,
    system: System,
    runtime: tokio::runtime::Runtime,
}

impl Conducting<'_> {
    fn now_ms(&self) -> u64 {
        now_ns().saturating_sub(self.base_ns) / 1_000_000
    }

    fn tick(&self) {
        self.runtime.block_on(self.system.sleep(TICK));
    }

    fn faulty_phase(
        &mut self,
        mut nemesis: Nemesis,
        horizon_ms: u64,
        is_interrupted: &dyn Fn() -> bool,
        tell: &mut dyn FnMut(&LiveFaults, u64),
    ) -> Result<(), LiveError> {
        let (pause_ms, mut fault) = nemesis.next();
        let mut next_ms = self.now_ms() + pause_ms;
        while self.now_ms() < horizon_ms && !is_interrupted() {
            self.recover_what_is_due()?;
            if self.now_ms() >= next_ms {
                self.carry_out(fault)?;
                let (pause_ms, following) = nemesis.next();
                (next_ms, fault) = (self.now_ms() + pause_ms, following);
                tell(&self.faults, self.now_ms());
            }
            self.nobody_ended_by_itself()?;
            self.tick();
        }
        Ok(())
    }

    fn nobody_ended_by_itself(&mut self) -> Result<(), LiveError> {
        match self.fleet.ended_by_itself() {
            None => Ok(()),
            Some((node, said)) => Err(LiveError::Server(format!("{node} ended by itself: {said}"))),
        }
    }

    fn carry_out(&mut self, fault: LiveFault) -> Result<(), LiveError> {
        let now_ms = self.now_ms();
        match fault {
            LiveFault::Kill { node, down_ms } => {
                self.due.retain(|(_, recovery)| *recovery != Recovery::Resume(node));
                if self.due.iter().any(|(_, recovery)| *recovery == Recovery::Start(node)) {
                    return Ok(());
                }
                self.fleet.kill(node);
                self.due.push((now_ms + down_ms, Recovery::Start(node)));
                self.faults.kills += 1;
            }
            LiveFault::Stop { node, for_ms } => {
                if self.fleet.is_up(node) {
                    self.fleet.stop(node);
                    self.due.push((now_ms + for_ms, Recovery::Resume(node)));
                    self.faults.stops += 1;
                }
            }
            LiveFault::HoldLock { for_ms } => {
                self.faults.held_locks += u64::from(self.store.hold_lock(for_ms));
            }
            LiveFault::Cut { node } => {
                self.store.cut(node);
                self.faults.cuts += 1;
            }
            LiveFault::Delay { node, by_ms, for_ms } => {
                self.store.delay(node, by_ms);
                self.due.retain(|(_, recovery)| *recovery != Recovery::Undelay(node));
                self.due.push((now_ms + for_ms, Recovery::Undelay(node)));
                self.faults.delays += 1;
            }
            LiveFault::EndSessions { node } => {
                self.faults.ended_sessions += u64::from(self.runtime.block_on(self.store.end_sessions(node)));
            }
            LiveFault::CrashServer { down_ms } => {
                if !self.due.iter().any(|(_, recovery)| *recovery == Recovery::StartServer) {
                    self.store.crash()?;
                    self.due.push((now_ms + down_ms, Recovery::StartServer));
                    self.faults.server_crashes += 1;
                }
            }
        }
        Ok(())
    }

    fn recover_what_is_due(&mut self) -> Result<(), LiveError> {
        let now_ms = self.now_ms();
        let (due, later) = std::mem::take(&mut self.due).into_iter().partition(|(at_ms, _)| *at_ms <= now_ms);
        self.due = later;
        due.into_iter().try_for_each(|(_, recovery)| self.recover(recovery))
    }

    fn recover(&mut self, recovery: Recovery) -> Result<(), LiveError> {
        match recovery {
            Recovery::Start(node) => self.fleet.start(node)?,
            Recovery::Resume(node) => self.fleet.resume(node),
            Recovery::Undelay(node) => self.store.delay(node, 0),
            Recovery::StartServer => self.store.start_again()?,
        }
        Ok(())
    }

    /// Ends every fault.
    fn heal(&mut self) -> Result<(), LiveError> {
        let mut due = std::mem::take(&mut self.due);
        // The server first: whoever is started needs it.
        due.sort_by_key(|(_, recovery)| *recovery != Recovery::StartServer);
        due.into_iter().try_for_each(|(_, recovery)| self.recover(recovery))?;
        while self.store.is_lock_held() {
            self.tick();
        }
        Ok(())
    }

    /// Waits until everything has ended, or should have.
    fn calm_phase(
        &mut self,
        last_request_ms: u64,
        is_interrupted: &dyn Fn() -> bool,
    ) -> Result<RunEnd, LiveError> {
        let until_ms = self.now_ms() + CALM_MS;
        let mut reader = None;
        while self.now_ms() < until_ms {
            if is_interrupted() {
                return Ok(RunEnd::Interrupted);
            }
            self.nobody_ended_by_itself()?;
            // A store that is busy is asked again.
            reader = reader.or_else(|| StoreReader::open(self.store.place()).ok());
            let running = reader.as_mut().and_then(|reader| reader.count_running().ok());
            if self.now_ms() > last_request_ms + 1_000 && running == Some(0) {
                return Ok(RunEnd::EverythingEnded);
            }
            (0..30).for_each(|_| self.tick());
        }
        Ok(RunEnd::SomethingRemained)
    }
}

/// The folder of a run. It is removed when the run is over; a shell that outlives this program removes it if the program is
/// killed.
struct RunFolder {
    path: PathBuf,
    guard: Option<Child>,
}

impl RunFolder {
    fn new() -> Result<Self, LiveError> {
        let mut number = [0; 8];
        System::new().map_err(LiveError::Machine)?.fill_entropy(&mut number);
        let path = std::env::temp_dir().join(format!("fencepost-live-{:016x}", u64::from_le_bytes(number)));
        std::fs::create_dir(&path).map_err(LiveError::file(&path))?;
        let mut folder = Self { path, guard: None };
        std::fs::set_permissions(&folder.path, std::fs::Permissions::from_mode(0o700))
            .map_err(LiveError::file(&folder.path))?;
        folder.guard =
            Some(guard(&folder.path).map_err(|cause| LiveError::Child("the guard".to_owned(), cause))?);
        Ok(folder)
    }
}

fn guard(folder: &Path) -> std::io::Result<Child> {
    // Processes of the run may write there until they are dead.
    let script = "read -r _; cd /; for _ in 1 2 3 4 5 6 7 8 9 10; do rm -rf \"$1\" && exit; sleep 0.2; done";
    let mut command = Command::new("sh");
    command.args(["-c", script, "guard"]).arg(folder).current_dir("/");
    // Out of reach of a Ctrl-C that is meant for this program.
    command.process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.path));
        if let Some(mut guard) = self.guard.take() {
            drop(guard.stdin.take());
            drop(guard.wait());
        }
    }
}
