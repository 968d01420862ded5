//! From a seed to a plan. Swarm: whole kinds of hardship are off in a seed, so that no kind hides behind another. Aim: a
//! share of steps is tied to the expiry of a lease, one millisecond to each side, where random times almost never fall.
//! Limits: enough of the world stays alive to be interesting, and every plan ends in reach.

pub mod profile;

use fencepost::model::process::RecoveryDisposition;

use crate::plan;
use crate::plan::chance::{Dice, Purpose, Seed};
use crate::plan::step::{
    Action, Body, Crash, DiskFault, Haunt, Link, Method, Scope, Span, Step, StoreFailure,
};
use crate::plan::{ClockSetting, FORMAT, Links, Node, Nodes, Plan, Process, Store};

/// How large a world is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Drawn, too: most are small, where a fault is likely to matter.
    Any,
    /// Exactly so much; for measuring.
    Fixed { workers: u8, processes: u16, seconds: u64, faults: u64 },
}

/// The plan of a seed, for a world with this store.
pub fn generate(seed: Seed, store: Store) -> Plan {
    generate_of_size(seed, store, Size::Any)
}

pub fn generate_of_size(seed: Seed, store: Store, size: Size) -> Plan {
    let mut dice = Dice::new(seed.stream(Purpose::Generate, [0, 0]));
    let (workers, processes, horizon_ms, faults) = match size {
        Size::Any => {
            let processes = if dice.percent(70) { dice.between(1, 3) } else { dice.between(4, 8) };
            (dice.between(1, 3) as u8, processes as u16, dice.between(8, 20) * 1_000, dice.between(3, 16))
        }
        Size::Fixed { workers, processes, seconds, faults } => (workers, processes, seconds * 1_000, faults),
    };
    let ttl_ms = *dice.one_of(&[1_000, 2_000, 3_000]);
    let renew_ms = ttl_ms / dice.between(3, 5);
    let links = links(&mut dice, renew_ms);
    let hosts = if dice.percent(70) { 1 } else { 2 };
    let mut drawing = Drawing {
        swarm: Swarm::draw(&mut dice, store),
        workers,
        hosts,
        processes,
        horizon_ms,
        ttl_ms,
        steps: Vec::new(),
        dice,
    };
    let clocks = drawing.clocks();
    drawing.work();
    drawing.past();
    drawing.handles();
    for _ in 0..faults {
        drawing.hardship();
    }
    let Drawing { mut steps, mut dice, .. } = drawing;
    steps.sort_by_key(|step| step.at_ms);
    Plan {
        format: FORMAT,
        seed: seed.0,
        workers: Nodes((1..=workers).collect()),
        hosts: Nodes((1..=hosts).collect()),
        ttl_ms,
        renew_ms,
        sweep_ms: *dice.one_of(&[300, 500, 1_000]),
        bound: *dice.one_of(&[1, 2, 4, 8]),
        store,
        fences_left: dice.percent(3).then(|| dice.between(1, 12)),
        links,
        clocks,
        horizon_ms,
        steps,
    }
}

fn links(dice: &mut Dice, renew_ms: u64) -> Links {
    let slowest_us = *dice.one_of(&[1_000, 3_000, 3_000, 20_000, 120_000]);
    let slowest_us = slowest_us.min(renew_ms * 500 - 1);
    let mut links = Links { fastest_us: 300, slowest_us, ..Links::QUICK };
    if dice.percent(30) {
        links.loss_permille = *dice.one_of(&[10, 50, 150]);
    }
    if dice.percent(30) {
        links.repeat_permille = *dice.one_of(&[20, 100, 300]);
    }
    if dice.percent(30) {
        links.late_permille = *dice.one_of(&[10, 50, 200]);
        links.late_ms = *dice.one_of(&[500, 2_000, 8_000]);
    }
    links
}

/// Which kinds of hardship a seed has at all.
struct Swarm {
    kinds: Vec<Hardship>,
    has_clocks: bool,
    /// Calls are held back until the expiry of the lease they are about, beside whatever else is on.
    has_aim: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hardship {
    Pause,
    Crash,
    CrashRegistry,
    Cut,
    Lossy,
    Delay,
    Hold,
    ClockStep,
    Drift,
    Store,
    Lie,
    LateStart,
    PowerOff,
    Disk,
}

impl Swarm {
    fn draw(dice: &mut Dice, store: plan::Store) -> Self {
        use Hardship::*;
        let mut all = vec![
            Pause,
            Crash,
            CrashRegistry,
            Cut,
            Lossy,
            Delay,
            Hold,
            ClockStep,
            Drift,
            Store,
            Lie,
            LateStart,
        ];
        if store == plan::Store::Sqlite {
            // Twice: what is worth a disk is what happens to it.
            all.extend([PowerOff, PowerOff, Disk, Disk]);
        }
        let mut kinds: Vec<Hardship> = all.into_iter().filter(|_| dice.percent(45)).collect();
        // Probes that lie break an assumption: they are rarer, so that most seeds are judged by every law.
        if dice.percent(60) {
            kinds.retain(|kind| *kind != Lie);
        }
        if kinds.is_empty() {
            kinds.push(Pause);
        }
        Self { kinds, has_clocks: dice.percent(50), has_aim: dice.percent(75) }
    }
}

struct Drawing {
    dice: Dice,
    swarm: Swarm,
    workers: u8,
    hosts: u8,
    processes: u16,
    horizon_ms: u64,
    ttl_ms: u64,
    steps: Vec<Step>,
}

impl Drawing {
    fn add(&mut self, at_ms: u64, action: Action) {
        self.steps.push(Step { at_ms, action });
    }

    /// Early enough to matter.
    fn instant(&mut self) -> u64 {
        self.dice.below(self.horizon_ms * 9 / 10)
    }

    fn process(&mut self) -> Process {
        Process(self.dice.between(1, u64::from(self.processes)) as u16)
    }

    fn worker(&mut self) -> Node {
        Node::Worker(self.dice.between(1, u64::from(self.workers)) as u8)
    }

    fn node(&mut self) -> Node {
        match self.dice.below(10) {
            0 => Node::Registry,
            1 => Node::Host(self.dice.between(1, u64::from(self.hosts)) as u8),
            _ => self.worker(),
        }
    }

    fn link(&mut self) -> Link {
        let node = if self.dice.percent(85) {
            self.worker()
        } else {
            Node::Host(self.dice.between(1, u64::from(self.hosts)) as u8)
        };
        if self.dice.percent(50) {
            Link { from: node, to: Node::Registry }
        } else {
            Link { from: Node::Registry, to: node }
        }
    }

    /// One millisecond to either side of an expiry, or on it.
    fn aim_ms(&mut self) -> i64 {
        *self.dice.one_of(&[-1, -1, 0, 0, 0, 1, 1, 2, 5])
    }

    fn span(&mut self) -> Span {
        match self.dice.below(10) {
            0..=3 => Span::UntilExpiry { process: self.process(), offset_ms: self.aim_ms() },
            4..=6 => Span::Ms(self.dice.between(1, self.ttl_ms)),
            _ => Span::Ms(self.dice.between(self.ttl_ms, 2 * self.ttl_ms)),
        }
    }

    fn clocks(&mut self) -> Vec<ClockSetting> {
        if !self.swarm.has_clocks {
            return Vec::new();
        }
        let workers = (1..=self.workers).map(Node::Worker);
        let nodes: Vec<Node> = std::iter::once(Node::Registry).chain(workers).collect();
        let mut clocks = Vec::new();
        for node in nodes {
            if self.dice.percent(60) {
                let offset_ms = self.dice.between(0, 20_000) as i64 - 10_000;
                let drift_ppm = self.dice.between(0, 2_000) as i32 - 1_000;
                clocks.push(ClockSetting { node, offset_ms, drift_ppm });
            }
        }
        clocks
    }

    fn body(&mut self, process: u16) -> Body {
        let rest_ms = *self.dice.one_of(&[10, 100, 300, 700]);
        match self.dice.below(20) {
            0..=8 => Body::Steps { count: self.dice.between(1, 8) as u16, rest_ms },
            9..=12 => Body::Emits { count: self.dice.between(1, 5) as u16, rest_ms },
            13..=14 => Body::Waits,
            15 if process < self.processes => Body::Awaits { child: Process(process + 1) },
            16 => Body::UntilCancelled,
            17 => Body::Panics,
            18 => Body::Breaks,
            _ if self.dice.percent(50) => Body::Breaks,
            _ => Body::Steps { count: 1, rest_ms: 10 },
        }
    }

    fn disposition(&mut self) -> RecoveryDisposition {
        match self.dice.below(10) {
            0..=4 => RecoveryDisposition::Rerunnable,
            5..=8 => RecoveryDisposition::OwnerBound,
            _ => RecoveryDisposition::ExternallyOwned,
        }
    }

    fn work(&mut self) {
        // Where anybody waits beside the registry, all its calls pass a watch: a world of its own.
        let waits_at_home = self.dice.percent(20);
        for process in 1..=self.processes {
            let disposition = self.disposition();
            let body = self.body(process);
            let process = Process(process);
            let at_ms = if self.dice.percent(60) { self.dice.below(200) } else { self.instant() };
            self.add(at_ms, Action::Register { process, disposition, body });
            let later = |dice: &mut Dice| at_ms + dice.below(6_000);
            if body == Body::Waits && self.dice.percent(60) {
                let at_ms = later(&mut self.dice);
                self.add(at_ms, Action::Signal { process });
            }
            if body == Body::UntilCancelled && self.dice.percent(60) || self.dice.percent(8) {
                let at_ms = later(&mut self.dice);
                self.add(at_ms, Action::Cancel { process });
            }
            if self.dice.percent(12) {
                let at_ms = later(&mut self.dice);
                self.add(at_ms, Action::Abandon { process });
            }
            if self.dice.percent(30) {
                let at_ms = later(&mut self.dice);
                self.add(at_ms, Action::Await { process });
            }
            if waits_at_home {
                for _ in 0..self.dice.between(1, 4) {
                    let at_ms = later(&mut self.dice);
                    self.add(at_ms, Action::AwaitAtHome { process });
                }
            }
            if self.swarm.has_aim && self.dice.percent(50) {
                let mut hold = self.hold(process);
                // What is released in mid-life is worth releasing late.
                if body == Body::Breaks && self.dice.percent(60) {
                    let offset_ms = self.late_ms();
                    hold = Action::Hold { process, method: Method::Release, offset_ms, asleep: false };
                }
                let at_ms = at_ms + self.dice.below(1_500);
                self.add(at_ms, hold);
            }
            if self.dice.percent(20) {
                // Lives after this one, while an old writer may still be at it.
                let mut at_ms = self.instant();
                if self.dice.percent(50) {
                    // Somebody sleeps through the end of the life it works on, and through its prune.
                    let asleep_ms = at_ms.saturating_sub(self.ttl_ms + 1_500);
                    let span = Span::Ms(3 * self.ttl_ms + 3_000);
                    let node = self.worker();
                    self.add(asleep_ms, Action::Pause { node, span });
                }
                for _ in 0..self.dice.between(1, 3) {
                    self.add(at_ms, Action::Prune);
                    let body = self.body(process.0);
                    let disposition = if self.dice.percent(50) { self.disposition() } else { disposition };
                    let again_ms = at_ms + self.dice.below(300);
                    self.add(again_ms, Action::Register { process, disposition, body });
                    at_ms += self.dice.between(200, 1_500);
                }
            }
        }
        if self.dice.percent(15) {
            let (at_ms, worker) = (self.instant(), self.worker());
            self.add(at_ms, Action::Drain { worker });
        }
    }

    /// Past the expiry, when another may hold the lease.
    fn late_ms(&mut self) -> i64 {
        *self.dice.one_of(&[1, 300, 800, 1_500])
    }

    fn hold(&mut self, process: Process) -> Action {
        use Method::*;
        let method = *self.dice.one_of(&[Claim, Renew, Renew, Start, Emit, Complete, Complete, Release]);
        let offset_ms = match method {
            Release => self.late_ms(),
            _ => self.aim_ms(),
        };
        Action::Hold { process, method, offset_ms, asleep: self.dice.percent(50) }
    }

    /// In the middle of a call, one time in two: a commit takes a handful of disk calls.
    fn disk_call(&mut self) -> Option<u64> {
        self.dice.percent(50).then(|| self.dice.between(0, 12))
    }

    /// Calls of those who once held a process: late ones, and some that are aimed at an expiry.
    fn past(&mut self) {
        if !self.dice.percent(60) {
            return;
        }
        for _ in 0..self.dice.between(1, 6) {
            let (at_ms, process) = (self.instant(), self.process());
            let haunt = match self.dice.below(20) {
                0..=3 => Haunt::AtExpiry { method: Method::Claim, offset_ms: self.aim_ms() },
                4..=7 => Haunt::AtExpiry { method: Method::Renew, offset_ms: self.aim_ms() },
                8..=9 => Haunt::Returns,
                _ => {
                    use Method::{Complete, Emit, Release, Renew, Start, Wait};
                    Haunt::Late(
                        *self.dice.one_of(&[Complete, Complete, Emit, Release, Release, Renew, Start, Wait]),
                    )
                }
            };
            self.add(at_ms, Action::Ghost { process, haunt });
        }
    }

    /// Handles that are given and moved, and wakes that are read.
    fn handles(&mut self) {
        if !self.dice.percent(15) {
            return;
        }
        for _ in 0..self.dice.between(1, 3) {
            let (at_ms, process) = (self.instant(), self.process());
            self.add(at_ms, Action::GrantHandle { process, to: Scope(1) });
            let later_ms = at_ms + self.dice.below(2_000);
            let others = [process, self.process()].to_vec();
            self.add(later_ms, Action::TransferHandles { processes: others, from: Scope(1), to: Scope(2) });
            let (at_ms, process) = (self.instant(), self.process());
            self.add(at_ms, Action::Wakes { process });
        }
    }

    fn hardship(&mut self) {
        let kind = *self.dice.one_of(&self.swarm.kinds);
        let at_ms = self.instant();
        let short = Span::Ms(self.dice.between(50, 2 * self.ttl_ms));
        let action = match kind {
            Hardship::Pause => Action::Pause { node: self.node(), span: self.span() },
            Hardship::Crash => {
                Action::Crash { node: self.worker(), span: self.span(), renamed: self.dice.percent(15) }
            }
            Hardship::CrashRegistry => {
                let span = Span::Ms(self.dice.between(1, 1_500));
                Action::CrashRegistry { of: Crash::Process, at_disk_call: self.disk_call(), span }
            }
            Hardship::PowerOff => {
                let span = Span::Ms(self.dice.between(1, 1_500));
                if self.dice.percent(30) {
                    // After a crash that left what was not synced, and some answers from it.
                    let before_ms = at_ms.saturating_sub(self.dice.between(100, 1_500));
                    let (at_disk_call, span) = (self.disk_call(), Span::Ms(self.dice.between(1, 50)));
                    self.add(before_ms, Action::CrashRegistry { of: Crash::Process, at_disk_call, span });
                }
                Action::CrashRegistry { of: Crash::Machine, at_disk_call: self.disk_call(), span }
            }
            Hardship::Disk => {
                use DiskFault::{FailsToRead, FailsToSync, FailsToWrite, Full, Shaky};
                let how =
                    *self.dice.one_of(&[FailsToSync, FailsToSync, FailsToWrite, FailsToRead, Shaky, Full]);
                Action::Disk { how, span: Span::Ms(self.dice.between(5, 600)) }
            }
            Hardship::Cut => {
                let link = self.link();
                if self.dice.percent(40) {
                    let span = self.span();
                    self.add(at_ms, Action::Cut { link: Link { from: link.to, to: link.from }, span });
                }
                Action::Cut { link, span: self.span() }
            }
            Hardship::Lossy => {
                let (link, percent) = (self.link(), self.dice.between(10, 80));
                if self.dice.percent(50) {
                    Action::Lose { link, percent, span: short }
                } else {
                    Action::Repeat { link, percent, span: short }
                }
            }
            Hardship::Delay => {
                let by_ms = *self.dice.one_of(&[20, 300, self.ttl_ms - 1, self.ttl_ms, self.ttl_ms + 200]);
                Action::Delay { link: self.link(), by_ms, span: short }
            }
            Hardship::Hold => {
                let process = self.process();
                self.hold(process)
            }
            Hardship::ClockStep => {
                let size = *self.dice.one_of(&[1, 200, self.ttl_ms as i64, 5_000]);
                let by_ms = if self.dice.percent(50) { size } else { -size };
                let node = if self.dice.percent(50) { Node::Registry } else { self.worker() };
                if self.dice.percent(50) {
                    // And back again: what expired meanwhile, and nobody took, lives again.
                    let back_ms = at_ms + self.dice.between(10, 800);
                    self.add(back_ms, Action::StepClock { node, by_ms: -by_ms });
                }
                Action::StepClock { node, by_ms }
            }
            Hardship::Drift => {
                let ppm = self.dice.between(0, 4_000) as i32 - 2_000;
                Action::Drift { node: self.node(), ppm }
            }
            Hardship::Store => {
                let span = Span::Ms(self.dice.between(20, 1_000));
                match self.dice.below(5) {
                    4 => Action::FailStore { how: StoreFailure::Reads, span },
                    0 => Action::SlowStore { by_ms: self.dice.between(10, self.ttl_ms), span },
                    1 => Action::FailStore { how: StoreFailure::Before, span },
                    2 => Action::FailStore { how: StoreFailure::UnknownBefore, span },
                    _ => Action::FailStore { how: StoreFailure::UnknownAfter, span },
                }
            }
            Hardship::Lie => {
                Action::Lie { about: self.worker(), to_workers_only: self.dice.percent(50), span: short }
            }
            Hardship::LateStart => {
                Action::LateStart { node: self.worker(), by_ms: self.dice.between(1, 500), span: short }
            }
        };
        self.add(at_ms, action);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_generated_plan_can_be_run_and_reads_back_from_its_file() {
        for seed in 0..500 {
            let plan = generate(Seed(seed), Store::Sqlite);
            plan.check().unwrap_or_else(|why| panic!("seed {seed}: {why}"));
            assert_eq!(plan.to_string().parse(), Ok(plan), "seed {seed}");
        }
    }

    #[test]
    fn every_kind_of_step_is_generated() {
        let mut words = std::collections::BTreeSet::new();
        for seed in 0..500 {
            for step in generate(Seed(seed), Store::Sqlite).steps {
                let line = step.action.to_string();
                let mut line = line.split_whitespace();
                words.insert(format!("{} {}", line.next().unwrap_or(""), line.next().unwrap_or("")));
            }
        }
        for wanted in [
            "register",
            "cancel",
            "signal",
            "abandon",
            "await",
            "prune",
            "drain",
            "pause",
            "crash",
            "start-late",
            "cut",
            "lose",
            "repeat",
            "delay",
            "hold",
            "step",
            "drift",
            "store slow",
            "store fails",
            "store loses",
            "store forgets",
            "probe lies",
        ] {
            assert!(words.iter().any(|word| word.starts_with(wanted)), "never generated: {wanted}");
        }
    }
}
