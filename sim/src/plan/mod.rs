//! A plan: everything a run depends on, as a value. A header (the world), and steps that read and parse as one line of
//! text each; `step.rs` has the lines. A plan is kept as a TOML file, and the same plan gives the same events, byte for
//! byte, on any machine. What is deliberately absent: how a plan is made (`generate.rs`) and what it means (`world/`).

pub mod chance;
pub mod clock;
pub mod step;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::plan::step::{Action, Body, Step};

/// Plans of a newer format are refused, never guessed at.
pub const FORMAT: u32 = 1;

/// A machine of the world. Numbers are kept in the plan, so removing worker-1 does not make another of worker-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    Registry,
    Worker(u8),
    Host(u8),
    /// What stands outside and takes effects; nothing ever happens to it.
    Ledger,
}

/// A process id is `p` and this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process(pub u16);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub format: u32,
    /// Keys all chance of the run: message fates, the order of ready tasks, entropy.
    pub seed: u64,
    #[serde(with = "as_text")]
    pub workers: Nodes,
    #[serde(with = "as_text")]
    pub hosts: Nodes,
    pub ttl_ms: u64,
    pub renew_ms: u64,
    pub sweep_ms: u64,
    /// How many bodies a worker runs at once.
    pub bound: u16,
    /// Where the registry keeps its rows.
    #[serde(default, skip_serializing_if = "Store::is_memory")]
    pub store: Store,
    /// How many fences every process has left to be granted; all of them, unless it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fences_left: Option<u64>,
    pub links: Links,
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "lines")]
    pub clocks: Vec<ClockSetting>,
    /// When the faults end and the calm begins.
    pub horizon_ms: u64,
    #[serde(with = "lines")]
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

/// Which numbers of a kind of node there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nodes(pub Vec<u8>);

/// What happens to any message on any link.
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
    /// Of the wall clock alone.
    pub offset_ms: i64,
    /// Of both.
    pub drift_ppm: i32,
}

/// Why a text is no plan, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("line {line}, column {column}: {why}")]
    NotAPlan { line: usize, column: usize, why: String },
    #[error(
        "the plan is of format {found}, and this build reads format {FORMAT}: use the build that wrote it, or a newer one"
    )]
    AnotherFormat { found: i64 },
    #[error("the plan cannot be run: {why}")]
    Impossible { why: String },
    /// As above, because of the step at this place.
    #[error("the plan cannot be run: {why}")]
    ImpossibleStep { place: usize, why: String },
}

impl Plan {
    /// A world without hardship: three workers and a host on quick links, nothing to do.
    pub fn quiet(seed: u64) -> Self {
        Self {
            format: FORMAT,
            seed,
            workers: Nodes(vec![1, 2, 3]),
            hosts: Nodes(vec![1]),
            ttl_ms: 3_000,
            renew_ms: 1_000,
            sweep_ms: 1_000,
            bound: 4,
            store: Store::Memory,
            fences_left: None,
            links: Links::QUICK,
            clocks: Vec::new(),
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

    /// Every node that things can happen to.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + '_ {
        let workers = self.workers.0.iter().map(|number| Node::Worker(*number));
        let hosts = self.hosts.0.iter().map(|number| Node::Host(*number));
        std::iter::once(Node::Registry).chain(workers).chain(hosts)
    }

    /// What the process `process` was last planned to be; none that was never registered.
    pub fn bodies(&self) -> impl Iterator<Item = (Process, &Body)> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Register { process, body, .. } => Some((*process, body)),
            _ => None,
        })
    }

    /// How far each step moves the registry's clock forward.
    pub fn forward_steps_ms(&self) -> Vec<u64> {
        let forward = self.steps.iter().map(|step| match step.action {
            Action::StepClock { node: Node::Registry, by_ms } => u64::try_from(by_ms).unwrap_or(0),
            _ => 0,
        });
        forward.collect()
    }

    /// The largest drift between any two clocks, in parts per million.
    pub fn worst_drift_ppm(&self) -> u64 {
        let set = self.clocks.iter().map(|clock| clock.drift_ppm.unsigned_abs());
        let stepped = self.steps.iter().filter_map(|step| match step.action {
            Action::Drift { ppm, .. } => Some(ppm.unsigned_abs()),
            _ => None,
        });
        u64::from(set.chain(stepped).max().unwrap_or(0)) * 2
    }

    /// Whether anybody waits on the registry's own node.
    pub fn has_waits_at_home(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.action, Action::AwaitAtHome { .. }))
    }

    /// Whether the disk keeps its word about syncs, as far as the plan says.
    pub fn disk_keeps_its_word(&self) -> bool {
        !self.steps.iter().any(|step| step.action.is_lie_of_the_disk())
    }

    /// The same plan with clocks that agree.
    pub fn without_clock_faults(&self) -> Self {
        let mut plan = Self { clocks: Vec::new(), ..self.clone() };
        plan.steps.retain(|step| !step.action.is_clock_fault());
        plan
    }

    /// A process that waits for others that wait for it, in any of its lives.
    fn circle_of_waits(&self) -> Option<Process> {
        let mut awaits: BTreeMap<Process, BTreeSet<Process>> = BTreeMap::new();
        for (process, body) in self.bodies() {
            if let Body::Awaits { child } = body {
                awaits.entry(process).or_default().insert(*child);
            }
        }
        awaits.keys().copied().find(|start| {
            let (mut seen, mut next) = (BTreeSet::new(), vec![*start]);
            while let Some(process) = next.pop() {
                for child in awaits.get(&process).into_iter().flatten() {
                    if child == start {
                        return true;
                    }
                    if seen.insert(*child) {
                        next.push(*child);
                    }
                }
            }
            false
        })
    }

    /// A plan that no world can be made of is refused before it runs.
    pub fn check(&self) -> Result<(), PlanError> {
        let impossible = |why: String| Err(PlanError::Impossible { why });
        if self.format != FORMAT {
            return Err(PlanError::AnotherFormat { found: self.format.into() });
        }
        let is_short = self.renew_ms.checked_mul(3).is_none_or(|least_ms| self.ttl_ms < least_ms);
        if is_short || self.renew_ms == 0 || self.ttl_ms > DAY_MS {
            return impossible(
                "ttl_ms must be at least three times renew_ms, both above 0, and at most a day".into(),
            );
        }
        if self.workers.0.is_empty() || self.hosts.0.is_empty() {
            return impossible("it needs at least one worker and one host".into());
        }
        if self.workers.0.iter().chain(&self.hosts.0).any(|number| !(1..=99).contains(number)) {
            return impossible("workers and hosts are numbered from 1 to 99".into());
        }
        if self.sweep_ms == 0 || self.sweep_ms > DAY_MS || self.bound == 0 {
            return impossible("sweep_ms and bound must be above 0, and sweep_ms at most a day".into());
        }
        if self.links.fastest_us > self.links.slowest_us || self.links.slowest_us > 60_000_000 {
            return impossible(
                "the links' fastest_us must not be above slowest_us, and that not above a minute".into(),
            );
        }
        if 2 * self.links.slowest_us >= self.renew_ms * 1_000 {
            return impossible(
                "a message there and back must be quicker than renew_ms: twice slowest_us is not".into(),
            );
        }
        let permille = [self.links.loss_permille, self.links.repeat_permille, self.links.late_permille];
        if permille.iter().any(|share| *share > 1_000) || self.links.late_ms > DAY_MS {
            return impossible(
                "a share of messages is at most 1000 permille, and late_ms at most a day".into(),
            );
        }
        if self.horizon_ms > DAY_MS {
            return impossible("horizon_ms must be at most a day".into());
        }
        let far = |offset_ms: i64, ppm: i32| {
            offset_ms.unsigned_abs() > 1_000 * DAY_MS || ppm.unsigned_abs() > 100_000
        };
        if let Some(clock) = self.clocks.iter().find(|clock| far(clock.offset_ms, clock.drift_ppm)) {
            return impossible(format!("`{clock}` is no clock: at most a thousand days off and 100000ppm"));
        }
        for (place, step) in self.steps.iter().enumerate() {
            let impossible = |why: String| Err(PlanError::ImpossibleStep { place, why });
            let mut named = Vec::new();
            step.action.nodes(&mut named);
            if let Some(missing) = named.into_iter().find(|node| !self.has(*node)) {
                return impossible(format!("`{step}` names {missing}, which is not in this world"));
            }
            if step.at_ms > DAY_MS || step.action.longest_ms() > DAY_MS {
                return impossible(format!("`{step}` reaches further than a day"));
            }
            if let Action::Register { body, .. } = &step.action
                && body.longest_ms() > HOUR_MS
            {
                return impossible(format!("`{step}` has a body that takes longer than an hour"));
            }
        }
        if let Some(circle) = self.circle_of_waits() {
            return impossible(format!(
                "{circle} awaits itself, by way of others or directly: that never ends"
            ));
        }
        Ok(())
    }
}

const DAY_MS: u64 = 86_400_000;
const HOUR_MS: u64 = 3_600_000;

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

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&toml::to_string_pretty(self).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Plan {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Self, PlanError> {
        let located = |error: toml::de::Error| PlanError::located(text, &error);
        let outline: Outline = toml::from_str(text).map_err(located)?;
        outline.check_format()?;
        let plan: Self = toml::from_str(text).map_err(located)?;
        plan.check().map_err(|error| outline.place(text, error))?;
        Ok(plan)
    }
}

/// What is understood of a plan's text first: of a newer format nothing else can be.
#[derive(Deserialize)]
pub struct Outline {
    format: i64,
    #[serde(default)]
    steps: Option<Spanned<IgnoredAny>>,
}

impl Outline {
    pub fn check_format(&self) -> Result<(), PlanError> {
        if self.format == i64::from(FORMAT) {
            return Ok(());
        }
        Err(PlanError::AnotherFormat { found: self.format })
    }

    /// Where in the text a step is that cannot be run.
    pub fn place(&self, text: &str, error: PlanError) -> PlanError {
        #[derive(Deserialize)]
        struct Steps {
            steps: Vec<Spanned<IgnoredAny>>,
        }
        let PlanError::ImpossibleStep { place, why } = &error else { return error };
        let span = self.steps.as_ref().map(Spanned::span).unwrap_or_default();
        // Read by itself, as the value of a key, it keeps the places of its steps.
        let Some(list) = text.get(span.clone()) else { return error };
        let key = "steps = ";
        let Ok(Steps { steps }) = toml::from_str(&format!("{key}{list}")) else { return error };
        let Some(step) = steps.get(*place) else { return error };
        let (line, column) = place_in(text, span.start + step.span().start - key.len());
        PlanError::NotAPlan { line, column, why: why.clone() }
    }
}

impl PlanError {
    /// What the parser said, with the place as people count.
    pub fn located(text: &str, error: &toml::de::Error) -> Self {
        let (line, column) = place_in(text, error.span().map_or(0, |span| span.start));
        Self::NotAPlan { line, column, why: error.message().to_owned() }
    }
}

/// The line and the column, as people count.
fn place_in(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at.min(text.len())).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    (line, before.rsplit('\n').next().unwrap_or_default().chars().count() + 1)
}

impl Node {
    /// Its number among all nodes, the same in every plan.
    pub fn code(self) -> u8 {
        match self {
            Self::Registry => 0,
            Self::Worker(number) => number,
            Self::Host(number) => 100 + number,
            Self::Ledger => 255,
        }
    }

    pub fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Registry,
            1..=99 => Self::Worker(code),
            255 => Self::Ledger,
            _ => Self::Host(code - 100),
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry => f.pad("registry"),
            Self::Ledger => f.pad("ledger"),
            Self::Worker(number) => f.pad(&format!("worker-{number}")),
            Self::Host(number) => f.pad(&format!("host-{number}")),
        }
    }
}

impl FromStr for Node {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |digits: &str| digits.parse().ok().filter(|number| (1..=99).contains(number));
        match text {
            "registry" => Some(Self::Registry),
            _ => match text.split_once('-') {
                Some(("worker", digits)) => number(digits).map(Self::Worker),
                Some(("host", digits)) => number(digits).map(Self::Host),
                _ => None,
            },
        }
        .ok_or_else(|| {
            format!("`{text}` is no node: say registry, worker-1 .. worker-99 or host-1 .. host-99")
        })
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", self.0)
    }
}

impl FromStr for Process {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_prefix('p').and_then(|digits| digits.parse().ok());
        number
            .filter(|number| *number < 1_000)
            .map(Self)
            .ok_or_else(|| format!("`{text}` is no process: say p0 .. p999"))
    }
}

impl fmt::Display for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u8::to_string).collect();
        f.write_str(&numbers.join(" "))
    }
}

impl FromStr for Nodes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Result<Vec<u8>, _> = text.split_whitespace().map(str::parse).collect();
        let mut numbers =
            numbers.map_err(|_| format!("`{text}` is no list of node numbers, such as \"1 2 3\""))?;
        numbers.sort_unstable();
        numbers.dedup();
        Ok(Self(numbers))
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
                let offset_ms = offset.strip_suffix("ms").and_then(|number| number.parse().ok());
                let drift_ppm = drift.strip_suffix("ppm").and_then(|number| number.parse().ok());
                offset_ms.zip(drift_ppm).map(|(offset_ms, drift_ppm)| (node, offset_ms, drift_ppm))
            }
            _ => None,
        };
        let (node, offset_ms, drift_ppm) =
            parsed.ok_or_else(|| format!("`{text}` is no clock: say `worker-1 +250ms -40ppm`"))?;
        Ok(Self { node: node.parse()?, offset_ms, drift_ppm })
    }
}

/// A value that is kept as its text.
mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

/// A list of values that are kept as their lines.
mod lines {
    use std::fmt::Display;
    use std::marker::PhantomData;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(values: &[impl Display], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(ToString::to_string))
    }

    /// Parsed one by one, so that an error is found at its own line.
    struct Line<T>(T);

    impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Line<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor<T>(PhantomData<T>);
            impl<T: FromStr<Err: Display>> de::Visitor<'_> for Visitor<T> {
                type Value = Line<T>;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("a line of text")
                }
                fn visit_str<E: de::Error>(self, text: &str) -> Result<Line<T>, E> {
                    text.parse().map(Line).map_err(de::Error::custom)
                }
            }
            deserializer.deserialize_str(Visitor(PhantomData))
        }
    }

    pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Vec<T>, D::Error> {
        let lines: Vec<Line<T>> = Vec::deserialize(d)?;
        Ok(lines.into_iter().map(|line| line.0).collect())
    }
}
