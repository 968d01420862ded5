//! Carries out the plan's steps: work goes to hosts and workers, faults to machines, links, clocks and the store.

use std::sync::Arc;

use fencepost::model::process::RecoveryDisposition;

use crate::disk;
use crate::history::event::What;
use crate::plan::clock_fault::ClockFault;
use crate::plan::host_call::HostCall;
use crate::plan::simulation::{DiskFault, MessageFault, Simulation, StaleCallKind, StoreFailure, StoreWait};
use crate::plan::span::Span;
use crate::plan::{Link, Node, Process, Scope, method::Method};
use crate::world::hosts::{Job, ask};
use crate::world::state::due::Due;
use crate::world::state::traffic::HeldCall;
use crate::world::state::with;
use crate::world::{machines, registry_waits, stale_calls};

/// Takes a step of the plan. Steps after the faults are not taken: the liveness phase itself asks whoever was not asked by then.
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
    if goes_on {
        step.action.carry_out(number, &mut RunningWorld);
    }
}

/// The world of this thread, as steps see it.
struct RunningWorld;

impl Simulation for RunningWorld {
    fn end_of(&mut self, span: Span) -> u64 {
        with(|world| world.end_of(span))
    }

    fn pause(&mut self, node: Node, until_us: u64) {
        with(|world| world.pause(node, until_us));
    }

    fn crash(&mut self, node: Node, span: Span, is_renamed: bool) {
        if with(|world| world.node(node).is_up) {
            machines::crash(node);
            with(|world| {
                let until_us = world.end_of(span);
                let life = world.node(node).life;
                world.kernel.at(until_us, Due::Restarts(node, life, is_renamed));
            });
        }
    }

    fn crash_registry(&mut self, at_disk_call: Option<u64>, span: Span) {
        crash_registry(disk::Crash::Process, at_disk_call, span);
    }

    fn power_off_registry(&mut self, at_disk_call: Option<u64>, span: Span) {
        crash_registry(disk::Crash::Machine, at_disk_call, span);
    }

    fn start_late(&mut self, node: Node, by_us: u64, until_us: u64) {
        with(|world| world.node(node).late_start = (by_us, until_us));
    }

    fn reverse_tasks(&mut self, node: Node, until_us: u64) {
        with(|world| world.kernel.reverse(node.code(), until_us));
    }

    fn bend_clock(&mut self, fault: &dyn ClockFault) {
        with(|world| {
            let now_us = world.kernel.now_us;
            fault.bend(&mut world.node(fault.node()).clock, now_us);
        });
    }

    fn cut(&mut self, link: Link, until_us: u64) {
        with(|world| world.traffic.network.cut(link, until_us));
    }

    fn lose(&mut self, link: Link, percent: u64, until_us: u64) {
        with(|world| world.traffic.network.lose(link, percent, until_us));
    }

    fn repeat(&mut self, link: Link, percent: u64, until_us: u64) {
        with(|world| world.traffic.network.repeat(link, percent, until_us));
    }

    fn delay(&mut self, link: Link, by_us: u64, until_us: u64) {
        with(|world| world.traffic.network.delay(link, by_us, until_us));
    }

    fn single_out(&mut self, link: Link, number: u64, fate: MessageFault) {
        with(|world| world.traffic.network.single_out(link, number, fate));
    }

    fn trouble_disk(&mut self, how: DiskFault, until_us: u64) {
        with(|world| {
            let now_us = world.kernel.now_us;
            world.store_faults.trouble_disk(how, until_us, now_us);
            // An expiry may be there already.
            world.kernel.at(until_us, Due::DiskHeals);
            world.trouble_disk();
        });
    }

    fn slow_store(&mut self, wait: StoreWait, by_us: u64, until_us: u64) {
        with(|world| world.store_faults.slow_down(wait, by_us, until_us));
    }

    fn fail_store(&mut self, how: StoreFailure, until_us: u64) {
        with(|world| world.store_faults.fail(how, until_us));
    }

    fn lie_about(&mut self, node: Node, to_workers_only: bool, until_us: u64) {
        with(|world| {
            let state = world.node(node);
            state.lied_about.tell(until_us);
            if !to_workers_only {
                state.lied_to_registry.tell(until_us);
            }
        });
    }

    fn hold_calls(&mut self, method: Method, process: Process, offset_ms: i64, is_caller_asleep: bool) {
        let held = HeldCall { process, method, offset_ms, asleep: is_caller_asleep, until_us: None };
        with(|world| world.traffic.held_calls.push(held));
    }

    fn send_stale_call(&mut self, process: Process, kind: StaleCallKind) {
        stale_calls::send(process, kind);
    }

    fn register(&mut self, number: usize, process: Process, disposition: RecoveryDisposition) {
        ask(Job::Register { step: number, process, disposition });
    }

    fn cancel(&mut self, process: Process) {
        ask(Job::Cancel(process));
    }

    fn signal(&mut self, process: Process) {
        ask(Job::Signal(process));
    }

    fn abandon(&mut self, process: Process) {
        ask(Job::Abandon(process));
    }

    fn await_end(&mut self, process: Process) {
        ask(Job::Await(process));
    }

    fn await_end_at_registry(&mut self, process: Process) {
        registry_waits::wait(process);
    }

    fn prune(&mut self) {
        ask(Job::Prune);
    }

    fn grant_handle(&mut self, process: Process, to: Scope) {
        ask(Job::GrantHandle(process, to));
    }

    fn transfer_handles(&mut self, processes: &[Process], from: Scope, to: Scope) {
        ask(Job::TransferHandles { processes: processes.to_vec(), from, to });
    }

    fn read_wakes(&mut self, process: Process) {
        ask(Job::Wakes(process));
    }

    fn ask(&mut self, call: HostCall, process: Process, number: u64) {
        ask(Job::Ask { call, process, number });
    }

    fn sweep(&mut self, worker: Node) {
        sweep(worker);
    }

    fn drain(&mut self, worker: Node) {
        drain(worker);
    }
}

fn crash_registry(of: disk::Crash, at_disk_call: Option<u64>, span: Span) {
    let is_up = with(|world| {
        world.services.registry.dies_for = Some(span);
        world.node(Node::Registry).is_up
    });
    match at_disk_call {
        // Wait for the call or for another crash, whichever comes first.
        // A registry that is down dies in the middle of its next opening.
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
    let Some(driver) = with(|world| world.services.workers.get(&worker.code()).cloned()) else {
        return;
    };
    let sweeping = async move { drop(driver.claim_and_run_pending("asked for").await) };
    with(|world| world.spawn(worker, Box::pin(sweeping)));
}

/// The worker gives up its owner-bound work and takes no more; it is restarted when the liveness phase begins.
fn drain(node: Node) {
    let Some(driver) = with(|world| {
        world.liveness.drained.push(node);
        world.services.workers.get(&node.code()).cloned()
    }) else {
        return;
    };
    let draining = async move {
        // Another's worker may have no drain.
        let Some(ended) = driver.drain_owner_bound_work().await else { return };
        with(|world| world.note_at(node, What::Drained { rows: ended.len() as u64 }));
    };
    with(|world| world.spawn(node, Box::pin(draining)));
}
