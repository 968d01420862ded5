//! The calm after the faults: everything is healed and restarted, and then every row must end within a bound that follows
//! from the plan. First those that end by themselves; then the hosts ask for the end of the rest. What does not end is
//! noted; whether that breaks a law is for the law to say.

use std::collections::BTreeMap;

use crate::disk;
use crate::history::event::{GrantNo, Kind, Left, NO_PROCESS, disposition};
use crate::plan::step::Body;
use crate::plan::{Node, Process};
use crate::world::hosts::{Job, ask};
use crate::world::machines::CALL_DEADLINE_MS;
use crate::world::{Due, World, machines, with};

/// Between two looks at what has ended.
const LOOK_MS: u64 = 100;

#[derive(Default)]
pub struct Calm {
    phase: Phase,
    /// When the present phase must have done its work.
    deadline_us: u64,
    bound_us: u64,
    pub drained: Vec<Node>,
    /// Processes whose body has broken once.
    pub broken: Vec<u16>,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    #[default]
    Faults,
    /// Rows end by themselves.
    Resting,
    /// Rows that do not are asked to.
    Asking,
}

impl Calm {
    pub fn has_begun(&self) -> bool {
        self.phase != Phase::Faults
    }
}

/// The horizon is reached, or some of the calm has passed.
pub fn look() {
    let phase = with(|world| world.calm.phase);
    if phase == Phase::Faults {
        begin();
    }
    let (rests, asks) = with(|world| world.open_rows());
    match phase {
        Phase::Asking if rests.is_empty() && asks.is_empty() && with(|world| world.is_at_rest()) => {
            with(|world| world.is_over = true);
            return;
        }
        Phase::Asking => {
            for process in asks {
                help(process);
            }
        }
        _ if rests.is_empty() => ask_for_the_end(),
        _ => {}
    }
    with(|world| {
        let next_us = world.kernel.now_us + LOOK_MS * 1_000;
        world.kernel.at(next_us, Due::Calm);
    });
}

fn begin() {
    let (down, paused, drained) = with(|world| {
        let bound_us = world.bound_us();
        world.network.calm();
        world.holds.clear();
        world.slow_store = (0, 0);
        world.failing_store = None;
        world.disk_faults.clear();
        world.trouble_disk();
        disk::with(disk::Disk::lets_live);
        world.note(Node::Registry, Kind::LivenessBegan, NO_PROCESS, GrantNo::NONE, bound_us, 0);
        world.calm.phase = Phase::Resting;
        world.calm.bound_us = bound_us;
        world.calm.deadline_us = world.kernel.now_us + bound_us;
        let deadline_us = world.calm.deadline_us;
        world.kernel.at(deadline_us, Due::CalmEnds);
        for state in &mut world.nodes {
            state.lied_about.until_us = 0;
            state.lied_to_registry.until_us = 0;
            state.late_start = (0, 0);
        }
        let of = |which: fn(&&crate::world::NodeState) -> bool| -> Vec<(Node, u64, u64)> {
            let found = world.nodes.iter().filter(which);
            found.map(|state| (state.node, state.life, state.pauses)).collect()
        };
        (of(|state| !state.is_up), of(|state| state.is_paused), std::mem::take(&mut world.calm.drained))
    });
    for (node, life, _) in down {
        machines::restart(node, life, false);
    }
    for (node, _, pause) in paused {
        machines::resume(node, pause);
    }
    for node in drained {
        machines::crash(node);
        let life = with(|world| world.node(node).life);
        machines::restart(node, life, false);
    }
}

fn ask_for_the_end() {
    with(|world| {
        world.note(Node::Registry, Kind::LivenessAsked, NO_PROCESS, GrantNo::NONE, 0, 0);
        world.calm.phase = Phase::Asking;
        world.calm.deadline_us = world.kernel.now_us + world.calm.bound_us;
        let deadline_us = world.calm.deadline_us;
        world.kernel.at(deadline_us, Due::CalmEnds);
    });
}

/// Whatever keeps a row from its end is brought about, once.
fn help(process: u16) {
    let needs = with(|world| {
        let row = world.row(process);
        if std::mem::replace(&mut row.is_asked, true) {
            return Vec::new();
        }
        let (body, is_rerunnable) = (row.body, row.disposition == disposition::RERUNNABLE);
        let process = Process(process);
        let mut needs = Vec::new();
        if !is_rerunnable {
            needs.push(Job::Abandon(process));
        }
        match body {
            Some(Body::Waits) => needs.push(Job::Signal(process)),
            Some(Body::UntilCancelled) => needs.push(Job::Cancel(process)),
            _ => {}
        }
        needs
    });
    needs.into_iter().for_each(ask);
}

/// The bound is over.
pub fn end() {
    with(|world| {
        if world.kernel.now_us < world.calm.deadline_us {
            return;
        }
        let (rests, asks) = world.open_rows();
        let is_asking = world.calm.phase == Phase::Asking;
        let left = |world: &mut World, process: u16, what: Left| {
            world.note(Node::Registry, Kind::Remained, process, GrantNo::NONE, what as u64, 0);
        };
        for process in rests {
            left(world, process, Left::Row);
        }
        if is_asking {
            for process in asks {
                left(world, process, Left::RowAsked);
            }
            let leased: Vec<u16> = world.leased_rows();
            for process in leased {
                left(world, process, Left::Lease);
            }
            if world.waiting > 0 && !world.is_anybody_doomed() {
                left(world, NO_PROCESS, Left::Waiter);
            }
        }
        world.is_over = true;
    });
}

impl World {
    /// Rows that have not ended: those that must by themselves, and the others.
    ///
    /// A body that nobody cancels keeps its permit. As long as there are fewer of those than permits somebody can run the
    /// others; once they hold every permit, nothing must end by itself.
    fn open_rows(&self) -> (Vec<u16>, Vec<u16>) {
        let is_stuck = self.free_permits() == 0;
        // Whoever waited needs a permit of its own worker again, and that worker's may all be held.
        let may_go_on = self.holding_on() < u64::from(self.plan.bound);
        let open = |process: &u16| {
            let row = &self.rows[usize::from(*process)];
            // Without a fence left nobody can hold it, and nothing ends it.
            row.body.is_some() && !row.is_terminal && !self.is_doomed(*process)
        };
        (0..self.rows.len() as u16)
            .filter(open)
            .partition(|process| !is_stuck && self.ends_by_itself(*process, may_go_on))
    }

    /// Whether nothing can end it: it has no fence left, or waits for one that has none.
    fn is_doomed(&self, process: u16) -> bool {
        let Some(row) = self.rows.get(usize::from(process)) else { return false };
        let waits_for_doomed = match row.body {
            // Plans have no circles of waits.
            Some(Body::Awaits { child }) if !row.is_terminal => self.is_doomed(child.0),
            _ => false,
        };
        !row.is_terminal && (row.is_exhausted || waits_for_doomed)
    }

    fn is_anybody_doomed(&self) -> bool {
        (0..self.rows.len() as u16).any(|process| self.is_doomed(process))
    }

    /// Bodies that keep their permits until somebody cancels them.
    fn holding_on(&self) -> u64 {
        let holds_on = |row: &&crate::world::rows::RowView| {
            let is_run = row.disposition != disposition::EXTERNALLY_OWNED;
            row.body == Some(Body::UntilCancelled) && is_run && !row.is_terminal && row.cancels == 0
        };
        self.rows.iter().filter(holds_on).count() as u64
    }

    fn free_permits(&self) -> u64 {
        (u64::from(self.plan.bound) * self.plan.workers.0.len() as u64).saturating_sub(self.holding_on())
    }

    fn ends_by_itself(&self, process: u16, may_go_on: bool) -> bool {
        let Some(row) = self.rows.get(usize::from(process)) else { return true };
        // A wait for an id that nobody knows ends at once.
        let Some(body) = row.body else { return true };
        if row.is_terminal {
            return true;
        }
        let runs = match row.disposition {
            disposition::RERUNNABLE => true,
            disposition::OWNER_BOUND => !row.is_started,
            _ => false,
        };
        let goes_on = match body {
            Body::Waits | Body::Awaits { .. } if !may_go_on => false,
            Body::Waits => row.signals > 0,
            Body::UntilCancelled => row.cancels > 0,
            // Plans have no circles of waits.
            Body::Awaits { child } => self.ends_by_itself(child.0, may_go_on),
            _ => true,
        };
        runs && goes_on
    }

    fn leased_rows(&self) -> Vec<u16> {
        let leased = self.rows.iter().enumerate().filter(|(_, row)| row.lease.is_some());
        leased.map(|(process, _)| process as u16).filter(|process| !self.is_doomed(*process)).collect()
    }

    fn is_at_rest(&self) -> bool {
        (self.waiting == 0 || self.is_anybody_doomed()) && self.leased_rows().is_empty()
    }

    /// What a calm may take: the longest lease left, a ttl, as many rounds of the longest body as the bound on runs and the
    /// depth of waiting make of the rows, and two calls.
    fn bound_us(&mut self) -> u64 {
        let now_ms = self.wall_ms(Node::Registry);
        let left_ms = self
            .rows
            .iter()
            .filter_map(|row| row.lease)
            .map(|(until_ms, _)| until_ms.saturating_sub(now_ms))
            .max();
        let plan = std::sync::Arc::clone(&self.plan);
        let bodies: Vec<(Process, Body)> = plan.bodies().map(|(process, body)| (process, *body)).collect();
        let round_trip_ms = plan.links.slowest_us.div_ceil(500);
        let longest_ms = bodies.iter().map(|(_, body)| match body {
            Body::Steps { count, .. } | Body::Emits { count, .. } => {
                body.longest_ms() + u64::from(*count) * round_trip_ms
            }
            // Four steps, after a sweep that was for nothing.
            Body::Breaks => body.longest_ms() + 4 * round_trip_ms + plan.sweep_ms,
            _ => round_trip_ms,
        });
        let longest_ms = longest_ms.max().unwrap_or(0);
        let child_of: BTreeMap<Process, Process> = bodies
            .iter()
            .filter_map(|(process, body)| match body {
                Body::Awaits { child } => Some((*process, *child)),
                _ => None,
            })
            .collect();
        let depth_of = |process: Process| {
            let links = std::iter::successors(child_of.get(&process), |child| child_of.get(child));
            1 + links.take(child_of.len()).count() as u64
        };
        let depth = bodies.iter().map(|(process, _)| depth_of(*process)).max().unwrap_or(1);
        let side_by_side = self.free_permits().clamp(1, u64::from(plan.bound));
        let rounds = (bodies.len() as u64).div_ceil(side_by_side) * depth;
        // A request that was sent before the calm may still make a row.
        let now_us = self.kernel.now_us;
        let latest_us = self.kernel.latest(|due| matches!(due, Due::Arrives(_))).unwrap_or(now_us);
        let bound_ms = left_ms.unwrap_or(0)
            + (latest_us - now_us) / 1_000
            + plan.ttl_ms
            + rounds * (longest_ms + plan.sweep_ms + 1_000)
            + 2 * CALL_DEADLINE_MS;
        // By the slowest clock of the plan.
        bound_ms * 1_000 * (1_000_000 + plan.worst_drift_ppm()) / 1_000_000
    }
}
