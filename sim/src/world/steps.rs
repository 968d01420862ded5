//! Carries out the plan's steps: work goes to hosts and workers, faults to machines, links, clocks and the store.

use std::sync::Arc;

use crate::disk;
use crate::history::event::What;
use crate::plan::Node;
use crate::plan::step::{Action, Crash, Span};
use crate::world::hosts::{Job, ask};
use crate::world::state::due::Due;
use crate::world::state::traffic::HeldCall;
use crate::world::state::{World, with};
use crate::world::{machines, registry_waits, stale_calls};

/// Takes a step of the plan. Steps of the calm are not taken: whoever is not asked by then is asked by the calm.
pub fn take(number: usize) {
    let plan = with(|world| Arc::clone(&world.plan));
    let Some(step) = plan.steps.get(number) else { return };
    let goes_on = with(|world| {
        if world.liveness.has_begun() {
            return false;
        }
        world.note_at(Node::Registry, What::StepTaken { step: number as u64 });
        world.workload.faults += u64::from(step.action.is_fault());
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
        Action::Ghost { process, haunt } => stale_calls::send(*process, *haunt),
        Action::CrashRegistry { of, at_disk_call, span } => crash_registry(*of, *at_disk_call, *span),
        hardship => with(|world| world.befall(hardship)),
    }
}

fn crash_registry(of: Crash, at_disk_call: Option<u64>, span: Span) {
    let is_up = with(|world| {
        world.services.registry.dies_for = Some(span);
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
    with(|world| world.services.registry.crash = of);
    machines::crash(Node::Registry);
    with(|world| {
        let span = world.services.registry.dies_for.unwrap_or(Span::Ms(0));
        let until_us = world.end_of(span);
        let life = world.node(Node::Registry).life;
        world.kernel.at(until_us, Due::Restarts(Node::Registry, life, false));
    });
}

fn sweep(worker: Node) {
    let Some(driver) =
        with(|world| world.services.workers.get(&worker.code()).map(|service| service.driver.clone()))
    else {
        return;
    };
    let sweeping = async move { drop(driver.claim_and_run_pending("asked for").await) };
    with(|world| world.spawn(worker, Box::pin(sweeping)));
}

/// The worker gives up its owner-bound work and takes no more; it is restarted when the calm begins.
fn drain(node: Node) {
    let Some(worker) = with(|world| {
        world.liveness.drained.push(node);
        world.services.workers.get(&node.code()).and_then(|service| service.worker.clone())
    }) else {
        return;
    };
    let draining = async move {
        let rows = worker.drain_owner_bound_work().await.len() as u64;
        with(|world| world.note_at(node, What::Drained { rows }));
    };
    with(|world| world.spawn(node, Box::pin(draining)));
}

impl World {
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
                self.traffic.network.cut(link, until_us);
            }
            Action::Lose { link, percent, span } => {
                let until_us = self.end_of(span);
                self.traffic.network.lose(link, percent, until_us);
            }
            Action::Repeat { link, percent, span } => {
                let until_us = self.end_of(span);
                self.traffic.network.repeat(link, percent, until_us);
            }
            Action::Delay { link, by_ms, span } => {
                let until_us = self.end_of(span);
                self.traffic.network.delay(link, by_ms * 1_000, until_us);
            }
            Action::Hold { process, method, offset_ms, asleep } => {
                self.traffic.held_calls.push(HeldCall { process, method, offset_ms, asleep, until_us: None });
            }
            Action::StepClock { node, by_ms } => self.node(node).clock.step(by_ms),
            Action::Drift { node, ppm } => self.node(node).clock.drift(now_us, ppm),
            Action::SlowStore { by_ms, span } => {
                let until_us = self.end_of(span);
                self.store_faults.slow_down(by_ms * 1_000, until_us);
            }
            Action::FailStore { how, span } => {
                let until_us = self.end_of(span);
                self.store_faults.fail(how, until_us);
            }
            Action::Disk { how, span } => {
                let until_us = self.end_of(span);
                self.store_faults.trouble_disk(how, until_us, now_us);
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
