//! A plan as a value: a header that describes the world, and the steps that happen in it. Also the questions that laws and
//! the world ask of a whole plan.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::plan::body::Body;
use crate::plan::clock_fault::{ClockFault, ClockRate};
use crate::plan::digits::signed;
use crate::plan::names::{Node, NodeNumbers, Process};
use crate::plan::step::Step;
use crate::plan::toml_text::{text_lines, text_value};
use crate::plan::words::{Ms, parse_ms, parse_worker};

/// Plans of a newer format are refused, never guessed at.
pub const FORMAT: u32 = 1;

/// A run as a value: the world, and the steps that happen in it. Its text is the text of a plan file.
///
/// ```
/// use fencepost_sim::plan::Plan;
///
/// let mut plan = Plan::quiet(1);
/// plan.steps.push("0ms register p1 rerunnable 6 steps of 200ms".parse().unwrap());
/// plan.check().unwrap();
/// assert_eq!(plan.to_string().parse(), Ok(plan));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub format: u32,
    /// Keys all chance of the run: message fates, the order of ready tasks, entropy.
    pub seed: u64,
    #[serde(with = "text_value")]
    pub workers: NodeNumbers,
    #[serde(with = "text_value")]
    pub hosts: NodeNumbers,
    pub ttl_ms: u64,
    pub renew_ms: u64,
    pub sweep_ms: u64,
    /// How many bodies a worker runs at once.
    pub bound: u16,
    /// Where the registry keeps its rows.
    #[serde(default, skip_serializing_if = "Store::is_memory")]
    pub store: Store,
    /// Which of several ready tasks runs first.
    #[serde(default, skip_serializing_if = "TaskOrder::is_drawn")]
    pub order: TaskOrder,
    /// How many fences every process has left to be granted; all of them, unless it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fences_left: Option<u64>,
    pub links: Links,
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "text_lines")]
    pub clocks: Vec<ClockSetting>,
    /// Workers that ask for longer or shorter leases than the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "text_lines")]
    pub leases: Vec<LeaseSetting>,
    /// When the faults end and the liveness phase begins.
    pub horizon_ms: u64,
    #[serde(with = "text_lines")]
    pub steps: Vec<Step>,
}

/// Where the registry keeps its rows: beside its machine, or in a file on its machine's disk (ours, with SQLite).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Store {
    #[default]
    Memory,
    Sqlite,
}

impl Store {
    fn is_memory(&self) -> bool {
        *self == Self::Memory
    }

    /// As people say it, and the command line, and a plan's file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sqlite => "sqlite",
        }
    }
}

/// The order of tasks that are ready at the same instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskOrder {
    /// By chance: every order is as likely as every other.
    #[default]
    Drawn,
    /// Whichever became ready first.
    FirstReady,
}

impl TaskOrder {
    fn is_drawn(&self) -> bool {
        *self == Self::Drawn
    }
}

/// Latency and faults of every message, on every link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Links {
    pub fastest_us: u64,
    pub slowest_us: u64,
    #[serde(default)]
    pub loss_permille: u64,
    #[serde(default)]
    pub repeat_permille: u64,
    /// Copies that come late, by up to `late_ms`.
    #[serde(default)]
    pub late_permille: u64,
    #[serde(default)]
    pub late_ms: u64,
}

/// How a node's clocks differ from true time from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockSetting {
    pub node: Node,
    /// Offset of the wall clock alone.
    pub offset_ms: i64,
    /// Drift of both clocks.
    pub drift_ppm: i32,
}

/// The leases that one worker asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseSetting {
    pub worker: Node,
    pub ttl_ms: u64,
    pub renew_ms: u64,
}

impl Plan {
    /// A world without hardship: three workers and a host on quick links, nothing to do.
    pub fn quiet(seed: u64) -> Self {
        Self {
            format: FORMAT,
            seed,
            workers: NodeNumbers(vec![1, 2, 3]),
            hosts: NodeNumbers(vec![1]),
            ttl_ms: 3_000,
            renew_ms: 1_000,
            sweep_ms: 1_000,
            bound: 4,
            store: Store::Memory,
            order: TaskOrder::Drawn,
            fences_left: None,
            links: Links::QUICK,
            clocks: Vec::new(),
            leases: Vec::new(),
            horizon_ms: 10_000,
            steps: Vec::new(),
        }
    }

    pub fn has(&self, node: Node) -> bool {
        match node {
            Node::Registry | Node::Ledger => true,
            Node::Worker(number) => self.workers.0.contains(&number),
            Node::Host(number) => self.hosts.0.contains(&number),
        }
    }

    /// The length of the leases of each worker, in µs, by the code of its node.
    pub fn ttls_us(&self) -> BTreeMap<u8, u64> {
        let workers = self.workers.0.iter().map(|number| Node::Worker(*number));
        workers.map(|node| (node.code(), self.leases_of(node).ttl_ms * 1_000)).collect()
    }

    /// Every node that things can happen to.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + '_ {
        let workers = self.workers.0.iter().map(|number| Node::Worker(*number));
        let hosts = self.hosts.0.iter().map(|number| Node::Host(*number));
        std::iter::once(Node::Registry).chain(workers).chain(hosts)
    }

    /// The leases that a worker asks for.
    pub fn leases_of(&self, worker: Node) -> LeaseSetting {
        let own = self.leases.iter().find(|lease| lease.worker == worker);
        own.copied().unwrap_or(LeaseSetting { worker, ttl_ms: self.ttl_ms, renew_ms: self.renew_ms })
    }

    /// The longest lease that any worker asks for.
    pub fn longest_ttl_ms(&self) -> u64 {
        self.leases.iter().map(|lease| lease.ttl_ms).fold(self.ttl_ms, u64::max)
    }

    /// Every body that a step gives a process, in the order of the steps.
    pub fn bodies(&self) -> impl Iterator<Item = (Process, &Body)> {
        self.steps.iter().filter_map(|step| step.action.registers())
    }

    fn clock_faults(&self) -> impl Iterator<Item = &dyn ClockFault> {
        self.steps.iter().filter_map(|step| step.action.clock_fault())
    }

    /// How far each step moves the registry's clock forward.
    pub fn forward_steps_ms(&self) -> Vec<u64> {
        let forward_ms = |step: &Step| match step.action.clock_fault() {
            Some(fault) if fault.node() == Node::Registry => u64::try_from(fault.step_ms()).unwrap_or(0),
            Some(_) | None => 0,
        };
        self.steps.iter().map(forward_ms).collect()
    }

    /// The largest drift between any two clocks, in parts per million.
    pub fn worst_drift_ppm(&self) -> u64 {
        let (mut lasting, mut passing) = (0, 0);
        for clock in &self.clocks {
            lasting = lasting.max(clock.drift_ppm.unsigned_abs());
        }
        for fault in self.clock_faults() {
            match fault.rate() {
                ClockRate::Unchanged => {}
                ClockRate::Lasting(ppm) => lasting = lasting.max(ppm),
                ClockRate::Passing(ppm) => passing = passing.max(ppm),
            }
        }
        (u64::from(lasting) + u64::from(passing)) * 2
    }

    /// True, if anybody waits on the registry's own node.
    pub fn has_waits_at_registry(&self) -> bool {
        self.steps.iter().any(|step| step.action.is_wait_at_registry())
    }

    /// True, if no step makes the disk lie about syncs.
    pub fn disk_keeps_its_word(&self) -> bool {
        !self.steps.iter().any(|step| step.action.is_lie_of_the_disk())
    }

    /// The same plan with clocks that agree.
    pub fn without_clock_faults(&self) -> Self {
        let mut plan = Self { clocks: Vec::new(), ..self.clone() };
        plan.steps.retain(|step| step.action.clock_fault().is_none());
        plan
    }
}

impl Links {
    pub const QUICK: Self = Self {
        fastest_us: 500,
        slowest_us: 3_000,
        loss_permille: 0,
        repeat_permille: 0,
        late_permille: 0,
        late_ms: 0,
    };
}

impl fmt::Display for LeaseSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { worker, ttl_ms, renew_ms } = self;
        write!(f, "{worker} ttl {} renew {}", Ms(*ttl_ms), Ms(*renew_ms))
    }
}

impl FromStr for LeaseSetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [worker, "ttl", ttl, "renew", renew] = words.as_slice() else {
            return Err(format!("`{text}` is no lease: say `worker-2 ttl 3s renew 1s`"));
        };
        Ok(Self { worker: parse_worker(worker)?, ttl_ms: parse_ms(ttl)?, renew_ms: parse_ms(renew)? })
    }
}

impl fmt::Display for ClockSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:+}ms {:+}ppm", self.node, self.offset_ms, self.drift_ppm)
    }
}

impl FromStr for ClockSetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let parsed = match words.as_slice() {
            [node, offset, drift] => {
                let offset_ms = offset.strip_suffix("ms").and_then(signed);
                let drift_ppm = drift.strip_suffix("ppm").and_then(signed);
                let drift_ppm = drift_ppm.and_then(|ppm| i32::try_from(ppm).ok());
                offset_ms.zip(drift_ppm).map(|(offset_ms, drift_ppm)| (node, offset_ms, drift_ppm))
            }
            _ => None,
        };
        let (node, offset_ms, drift_ppm) =
            parsed.ok_or_else(|| format!("`{text}` is no clock: say `worker-1 +250ms -40ppm`"))?;
        Ok(Self { node: node.parse()?, offset_ms, drift_ppm })
    }
}
