//! The plan's steps, taken: work goes to hosts and workers, hardship to machines, links, clocks and the store.

use std::sync::Arc;

use crate::disk;
use crate::history::event::{GrantNo, Kind, NO_PROCESS};
use crate::plan::Node;
use crate::plan::step::{Action, Crash, DiskFault, Span};
use crate::world::hosts::{Job, ask};
use crate::world::messages::Held;
use crate::world::{Due, World, machines, registry_waits, stale_calls, with};

/// Takes a step of the plan. Steps of the calm are not taken: whoever is not asked by then is asked by the calm.
pub fn take(number: usize) {
    let plan = with(|world| Arc::clone(&world.plan));
    let Some(step) = plan.steps.get(number) else { return };
    let goes_on = with(|world| {
        if world.calm.has_begun() {
            return false;
        }
        world.note(Node::Registry, Kind::StepTaken, NO_PROCESS, GrantNo::NONE, number as u64, 0);
        world.faults += u64::from(step.action.is_fault());
        true
    });
    if !goes_on {
        return;
    }
    match &step.action {
        Action::Register { process, disposition, .. } => {
            ask(Job::Register { step: number, process: *process, disposition: *disposition });
        }
        Action::Cancel { process } => ask(Job::Cancel(*process)),
        Action::Signal { process } => ask(Job::Signal(*process)),
        Action::Abandon { process } => ask(Job::Abandon(*process)),
        Action::AwaitAtHome { process } => registry_waits::wait(*process),
        Action::Await { process } => ask(Job::Await(*process)),
        Action::Prune => ask(Job::Prune),
        Action::Sweep { worker } => sweep(*worker),
        Action::Drain { worker } => drain(*worker),
        Action::Crash { node, span, renamed } => {
            let is_up = with(|world| world.node(*node).is_up);
            if is_up {
                machines::crash(*node);
                with(|world| {
                    let until_us = world.end_of(*span);
                    let life = world.node(*node).life;
                    world.kernel.at(until_us, Due::Restarts(*node, life, *renamed));
                });
            }
        }
        Action::GrantHandle { process, to } => ask(Job::GrantHandle(*process, *to)),
        Action::TransferHandles { processes, from, to } => {
            ask(Job::TransferHandles { processes: processes.clone(), from: *from, to: *to });
        }
        Action::Wakes { process } => ask(Job::Wakes(*process)),
        Action::Ghost { process, haunt } => stale_calls::haunt(*process, *haunt),
        Action::CrashRegistry { of, at_disk_call, span } => crash_registry(*of, *at_disk_call, *span),
        hardship => with(|world| world.befall(hardship)),
    }
}

fn crash_registry(of: Crash, at_disk_call: Option<u64>, span: Span) {
    let is_up = with(|world| {
        world.registry.dies_for = Some(span);
        world.node(Node::Registry).is_up
    });
    let of = match of {
        Crash::Process => disk::Crash::Process,
        Crash::Machine => disk::Crash::Machine,
    };
    match at_disk_call {
        // Whatever comes first: the call, or another crash.
        // While it is down: in the middle of its next opening.
        Some(call) if with(|world| world.is_on_disk()) => {
            disk::with(|disk| disk.die_in(call, of));
        }
        _ if is_up => registry_dies(of),
        _ => {}
    }
}

/// The registry is gone, at once or in the middle of a call, and comes back later.
pub fn registry_dies(of: disk::Crash) {
    if !with(|world| world.node(Node::Registry).is_up) {
        return;
    }
    with(|world| world.registry.crash = of);
    machines::crash(Node::Registry);
    with(|world| {
        let span = world.registry.dies_for.unwrap_or(Span::Ms(0));
        let until_us = world.end_of(span);
        let life = world.node(Node::Registry).life;
        world.kernel.at(until_us, Due::Restarts(Node::Registry, life, false));
    });
}

fn sweep(worker: Node) {
    let Some(driver) =
        with(|world| world.workers.workers.get(&worker.code()).map(|(_, driver)| driver.clone()))
    else {
        return;
    };
    let sweeping = async move { drop(driver.claim_and_run_pending("asked for").await) };
    with(|world| world.spawn(worker, Box::pin(sweeping)));
}

/// The worker gives up its owner-bound work and takes no more; it is restarted when the calm begins.
fn drain(node: Node) {
    let Some(worker) = with(|world| {
        world.calm.drained.push(node);
        world.workers.workers.get(&node.code()).and_then(|(worker, _)| worker.clone())
    }) else {
        return;
    };
    let draining = async move {
        let drained = worker.drain_owner_bound_work().await.len() as u64;
        with(|world| world.note(node, Kind::Drained, NO_PROCESS, GrantNo::NONE, 0, drained));
    };
    with(|world| world.spawn(node, Box::pin(draining)));
}

impl World {
    /// When a span that begins now ends.
    pub fn end_of(&mut self, span: Span) -> u64 {
        match span {
            Span::Ms(ms) => self.kernel.now_us + ms * 1_000,
            Span::UntilExpiry { process, offset_ms } => {
                self.true_us_of_expiry(process, offset_ms).unwrap_or(self.kernel.now_us)
            }
        }
    }

    pub fn pause(&mut self, node: Node, until_us: u64) {
        let now_us = self.kernel.now_us;
        let state = self.node(node);
        if state.is_up && until_us > now_us {
            state.is_paused = true;
            state.pauses += 1;
            let pause = state.pauses;
            self.note(node, Kind::Paused, NO_PROCESS, GrantNo::NONE, 0, 0);
            self.kernel.at(until_us, Due::Resumes(node, pause));
        }
    }

    /// The disk has the faults that last now, and no others.
    pub fn trouble_disk(&mut self) {
        let now_us = self.kernel.now_us;
        let has = |fault: DiskFault| {
            self.disk_faults.iter().any(|(how, until_us)| *how == fault && now_us < *until_us)
        };
        let fails = [
            (DiskFault::FailsToRead, disk::Operation::Read),
            (DiskFault::FailsToWrite, disk::Operation::Write),
            (DiskFault::FailsToSync, disk::Operation::Sync),
        ];
        let trouble = disk::Trouble {
            fails: fails.into_iter().find(|(fault, _)| has(*fault)).map(|(_, operation)| operation),
            is_shaky: has(DiskFault::Shaky),
            is_full: has(DiskFault::Full),
            sync_lies: has(DiskFault::LiesAboutSyncs),
        };
        disk::with(|disk| disk.trouble = trouble);
    }

    fn befall(&mut self, hardship: &Action) {
        let now_us = self.kernel.now_us;
        match *hardship {
            Action::Pause { node, span } => {
                let until_us = self.end_of(span);
                self.pause(node, until_us);
            }
            Action::LateStart { node, by_ms, span } => {
                let until_us = self.end_of(span);
                self.node(node).late_start = (by_ms * 1_000, until_us);
            }
            Action::Cut { link, span } => {
                let until_us = self.end_of(span);
                self.network.cut(link, until_us);
            }
            Action::Lose { link, percent, span } => {
                let until_us = self.end_of(span);
                self.network.lose(link, percent, until_us);
            }
            Action::Repeat { link, percent, span } => {
                let until_us = self.end_of(span);
                self.network.repeat(link, percent, until_us);
            }
            Action::Delay { link, by_ms, span } => {
                let until_us = self.end_of(span);
                self.network.delay(link, by_ms * 1_000, until_us);
            }
            Action::Hold { process, method, offset_ms, asleep } => {
                self.holds.push(Held { process, method, offset_ms, asleep, until_us: None });
            }
            Action::StepClock { node, by_ms } => self.node(node).clock.step(by_ms),
            Action::Drift { node, ppm } => self.node(node).clock.drift(now_us, ppm),
            Action::SlowStore { by_ms, span } => self.slow_store = (by_ms * 1_000, self.end_of(span)),
            Action::FailStore { how, span } => self.failing_store = Some((how, self.end_of(span))),
            Action::Disk { how, span } => {
                let until_us = self.end_of(span);
                self.disk_faults.retain(|(_, until_us)| now_us < *until_us);
                self.disk_faults.push((how, until_us));
                // An expiry may be there already.
                self.kernel.at(until_us, Due::DiskHeals);
                self.trouble_disk();
            }
            Action::Lie { about, to_workers_only, span } => {
                let until_us = self.end_of(span);
                let state = self.node(about);
                state.lied_about.tell(until_us);
                if !to_workers_only {
                    state.lied_to_registry.tell(until_us);
                }
            }
            _ => {}
        }
    }
}
