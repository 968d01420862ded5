//! The liveness phase after the faults: everything is healed and restarted, and then every row must end within a bound that
//! follows from the plan. First those that end by themselves; then the hosts ask for the end of the others. A row that does
//! not end is recorded; a law says whether that is a breach.

use std::collections::BTreeMap;
use std::sync::Arc;

use fencepost::model::process::RecoveryDisposition;

use crate::disk;
use crate::history::event::{GrantNo, Leftover, NO_PROCESS, What};
use crate::plan::step::Body;
use crate::plan::{Node, Plan, Process};
use crate::world::hosts::{Job, ask};
use crate::world::machines;
use crate::world::messages::CALL_DEADLINE_MS;
use crate::world::recorder::read_everything::{Extent, read_everything};
use crate::world::state::due::Due;
use crate::world::state::liveness::Phase;
use crate::world::state::nodes::NodeState;
use crate::world::state::rows::RowView;
use crate::world::state::{World, try_with, with};

/// Between two looks at the rows that are left.
const CHECK_EVERY_US: u64 = 100_000;

/// Begins the phase when the horizon is reached; later it looks at the rows that are left.
pub fn check(dispatch: impl Fn(Due)) {
    let phase = with(|world| world.liveness.phase());
    if phase == Phase::Faults {
        begin(dispatch);
    }
    let (resting, asked) = with(|world| world.open_rows());
    match phase {
        Phase::Asking if resting.is_empty() && asked.is_empty() && with(|world| world.is_at_rest()) => {
            read_everything(Extent::RowsAndLogs);
            with(|world| world.is_over = true);
            return;
        }
        Phase::Asking => asked.into_iter().for_each(ask_to_end),
        Phase::Faults | Phase::Resting if resting.is_empty() => with(World::begin_asking),
        Phase::Faults | Phase::Resting => {}
    }
    with(|world| {
        let next_us = world.kernel.now_us + CHECK_EVERY_US;
        world.kernel.at(next_us, Due::LivenessCheck);
    });
}

/// True once the faults of the present run are over and everything must come to its end: for a subject of yours that has
/// troubles of its own, which must be over, too. False outside a run.
pub fn liveness_phase_has_begun() -> bool {
    try_with(|world| world.liveness.has_begun()) == Some(true)
}

fn begin(dispatch: impl Fn(Due)) {
    let (down, paused, drained) = with(|world| {
        world.end_faults();
        let found = |which: fn(&&NodeState) -> bool| -> Vec<(Node, u64, u64)> {
            let found = world.nodes.iter().filter(which);
            found.map(|state| (state.node, state.life, state.pauses)).collect()
        };
        let (down, paused) = (found(|state| !state.is_up), found(|state| state.is_paused));
        (down, paused, std::mem::take(&mut world.liveness.drained))
    });
    for (node, life, _) in down {
        machines::restart(node, life, false);
    }
    for (node, _, pause) in paused {
        machines::resume(node, pause, &dispatch);
    }
    for node in drained {
        machines::crash(node);
        let life = with(|world| world.node(node).life);
        machines::restart(node, life, false);
    }
    read_everything(Extent::Rows);
}

/// Asks the host of the process for what its end needs, once.
fn ask_to_end(process: u16) {
    let jobs = with(|world| {
        let row = world.row(process);
        if std::mem::replace(&mut row.is_asked, true) {
            return Vec::new();
        }
        let (body, is_rerunnable) = (row.body, row.disposition == Some(RecoveryDisposition::Rerunnable));
        let process = Process(process);
        let mut jobs = Vec::new();
        if !is_rerunnable {
            jobs.push(Job::Abandon(process));
        }
        if body == Some(Body::Waits) {
            jobs.push(Job::Signal(process));
        }
        if body == Some(Body::UntilCancelled) {
            jobs.push(Job::Cancel(process));
        }
        jobs
    });
    jobs.into_iter().for_each(ask);
}

impl World {
    /// Ends all faults, and begins the phase.
    fn end_faults(&mut self) {
        self.liveness.bound_us = self.liveness_bound_us();
        let bound_us = self.liveness.bound_us;
        self.traffic.network.end_faults();
        self.traffic.held_calls.clear();
        self.store_faults.end();
        self.kernel.end_reversals();
        self.trouble_disk();
        disk::with(disk::Disk::lets_live);
        self.note_at(Node::Registry, What::LivenessBegan { bound_us });
        self.begin_phase(Phase::Resting);
        for state in self.nodes.iter_mut() {
            state.lied_about.until_us = 0;
            state.lied_to_registry.until_us = 0;
            state.late_start = (0, 0);
        }
    }

    fn begin_asking(&mut self) {
        self.note_at(Node::Registry, What::LivenessAsked);
        self.begin_phase(Phase::Asking);
    }

    fn begin_phase(&mut self, phase: Phase) {
        let deadline_us = self.liveness.begin(phase, self.kernel.now_us);
        self.kernel.at(deadline_us, Due::LivenessDeadline);
    }

    /// Records what is left when the bound is over, and ends the run.
    pub fn end_liveness(&mut self) {
        if self.kernel.now_us < self.liveness.deadline_us {
            return;
        }
        let (resting, asked) = self.open_rows();
        resting.into_iter().for_each(|process| self.remained(process, Leftover::Row));
        if self.liveness.phase() == Phase::Asking {
            asked.into_iter().for_each(|process| self.remained(process, Leftover::RowAsked));
            let leased = self.leased_rows();
            leased.into_iter().for_each(|process| self.remained(process, Leftover::Lease));
            if self.workload.waiting > 0 && !self.is_any_doomed() {
                self.remained(NO_PROCESS, Leftover::Waiter);
            }
        }
        self.is_over = true;
    }

    fn remained(&mut self, process: u16, what: Leftover) {
        self.note(Node::Registry, process, GrantNo::NONE, What::Remained { what });
    }

    /// Rows that have not ended: those that must end by themselves, and the others.
    ///
    /// A body that nobody cancels keeps its permit. While there are fewer of those than permits, the other bodies can run; once
    /// they hold every permit, no row must end by itself.
    fn open_rows(&self) -> (Vec<u16>, Vec<u16>) {
        let is_stuck = self.free_permits() == 0;
        // A body that has waited needs a permit of its own worker again, and all of that worker's may be held.
        let may_go_on = self.holding_on() < u64::from(self.plan.bound);
        let open = |process: &u16| {
            let row = self.records.rows.get(*process);
            // Without a fence left nobody can hold it, and nothing ends it.
            row.is_some_and(|row| row.body.is_some() && !row.has_ended()) && !self.is_doomed(*process)
        };
        (0..self.records.rows.len())
            .filter(open)
            .partition(|process| !is_stuck && self.ends_by_itself(*process, may_go_on))
    }

    /// Nothing can end it: it has no fence left, or waits for one that has none.
    fn is_doomed(&self, process: u16) -> bool {
        let Some(row) = self.records.rows.get(process) else { return false };
        let waits_for_doomed = match row.body {
            // Plans have no circles of waits.
            Some(Body::Awaits { child }) if !row.has_ended() => self.is_doomed(child.0),
            _ => false,
        };
        !row.has_ended() && (row.is_exhausted || waits_for_doomed)
    }

    fn is_any_doomed(&self) -> bool {
        (0..self.records.rows.len()).any(|process| self.is_doomed(process))
    }

    /// Bodies that keep their permits until somebody cancels them.
    fn holding_on(&self) -> u64 {
        let holds_on = |row: &RowView| {
            let is_run = row.disposition != Some(RecoveryDisposition::ExternallyOwned);
            row.body == Some(Body::UntilCancelled) && is_run && !row.has_ended() && row.cancels == 0
        };
        self.records.rows.iter().filter(|(_, row)| holds_on(row)).count() as u64
    }

    fn free_permits(&self) -> u64 {
        (u64::from(self.plan.bound) * self.plan.workers.0.len() as u64).saturating_sub(self.holding_on())
    }

    fn ends_by_itself(&self, process: u16, may_go_on: bool) -> bool {
        let Some(row) = self.records.rows.get(process) else { return true };
        // A wait for an id that nobody knows ends at once.
        let Some(body) = row.body else { return true };
        if row.has_ended() {
            return true;
        }
        let runs = match row.disposition {
            Some(RecoveryDisposition::Rerunnable) => true,
            Some(RecoveryDisposition::OwnerBound) => row.first_start.is_none(),
            Some(RecoveryDisposition::ExternallyOwned) | None => false,
        };
        let goes_on = match body {
            Body::Waits | Body::Awaits { .. } if !may_go_on => false,
            Body::Waits => row.signals > 0,
            Body::UntilCancelled => row.cancels > 0,
            // Plans have no circles of waits.
            Body::Awaits { child } => self.ends_by_itself(child.0, may_go_on),
            Body::Steps { .. } | Body::Emits { .. } | Body::Panics | Body::Breaks => true,
        };
        runs && goes_on
    }

    fn leased_rows(&self) -> Vec<u16> {
        let leased = self.records.rows.iter().filter(|(_, row)| row.lease.is_some() && !row.has_ended());
        leased.map(|(process, _)| process).filter(|process| !self.is_doomed(*process)).collect()
    }

    fn is_at_rest(&self) -> bool {
        (self.workload.waiting == 0 || self.is_any_doomed()) && self.leased_rows().is_empty()
    }

    /// Somebody's client may wait for a lease that was renewed last, longer by some jitter, and then again for one that it lost a
    /// race for.
    fn terms_to_wait_out(&self) -> u64 {
        if self.subject.lease_client.is_some() { 6 } else { 0 }
    }

    /// The longest that the phase may take: the longest lease left, a ttl, as many rounds of the longest body as the bound on
    /// runs and the depth of waiting make of the rows, and two calls.
    fn liveness_bound_us(&mut self) -> u64 {
        let now_ms = self.wall_ms(Node::Registry);
        let leases = self.records.rows.iter().filter_map(|(_, row)| row.lease);
        let left_ms = leases.map(|(until_ms, _)| until_ms.saturating_sub(now_ms)).max();
        let plan = Arc::clone(&self.plan);
        let side_by_side = self.free_permits().clamp(1, u64::from(plan.bound));
        let rounds = (plan.bodies().count() as u64).div_ceil(side_by_side) * depth_of_waits(&plan);
        // A request that was sent before the phase may still make a row.
        let now_us = self.kernel.now_us;
        let latest_us = self.kernel.latest(|due| matches!(due, Due::RequestArrives(_))).unwrap_or(now_us);
        let bound_ms = left_ms.unwrap_or(0)
            + (latest_us - now_us) / 1_000
            + plan.longest_ttl_ms()
            + self.terms_to_wait_out() * plan.longest_ttl_ms()
            + rounds * (longest_body_ms(&plan) + plan.sweep_ms + 1_000)
            + 2 * CALL_DEADLINE_MS;
        // By the slowest clock of the plan.
        bound_ms * 1_000 * (1_000_000 + plan.worst_drift_ppm()) / 1_000_000
    }
}

/// The longest that one run of a body takes on the plan's links.
fn longest_body_ms(plan: &Plan) -> u64 {
    let round_trip_ms = plan.links.slowest_us.div_ceil(500);
    let longest_ms = plan.bodies().map(|(_, body)| match body {
        Body::Steps { count, .. } | Body::Emits { count, .. } => {
            body.longest_ms() + u64::from(*count) * round_trip_ms
        }
        // Four steps, after a sweep that was for nothing.
        Body::Breaks => body.longest_ms() + 4 * round_trip_ms + plan.sweep_ms,
        Body::Waits | Body::Awaits { .. } | Body::UntilCancelled | Body::Panics => round_trip_ms,
    });
    longest_ms.max().unwrap_or(0)
}

/// The length of the longest chain of processes that wait for one another.
fn depth_of_waits(plan: &Plan) -> u64 {
    let child_of: BTreeMap<Process, Process> = plan
        .bodies()
        .filter_map(|(process, body)| match body {
            Body::Awaits { child } => Some((process, *child)),
            _ => None,
        })
        .collect();
    let depth_of = |process: Process| {
        let children = std::iter::successors(child_of.get(&process), |child| child_of.get(child));
        1 + children.take(child_of.len()).count() as u64
    };
    plan.bodies().map(|(process, _)| depth_of(process)).max().unwrap_or(1)
}
