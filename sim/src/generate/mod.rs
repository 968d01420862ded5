//! From a seed to a plan. Swarm: whole kinds of fault are off in a seed, so that no kind hides behind another. Aim: a
//! share of steps is tied to the expiry of a lease, one millisecond to each side, where random times almost never fall.
//! Limits: enough of the world stays alive to be interesting, and every plan ends in reach.
//!
//! How a single fault is drawn stands in its own file, under `plan/fault/`.

mod asks;
mod clients;
pub mod fault_filter;
mod leases;
mod lost_answers;
pub mod profile;
mod swarm;
mod work;

use crate::plan::chance::{Dice, Purpose, Seed};
use crate::plan::draw::{Draft, Drawing};
use crate::plan::fault::stale_call::StaleCall;
use crate::plan::span::Span;
use crate::plan::work::grant_handle::GrantHandle;
use crate::plan::work::read_wakes::ReadWakes;
use crate::plan::work::transfer_handles::TransferHandles;
use crate::plan::{
    ClockSetting, FORMAT, LeaseSetting, Links, Node, NodeNumbers, Plan, Scope, Store, TaskOrder,
};

use swarm::Swarm;

/// How large a world is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorldSize {
    /// Drawn, too: most are small, where a fault is likely to matter.
    Any,
    /// Exactly so much; for measuring.
    Fixed { workers: u8, processes: u16, seconds: u64, faults: u64 },
}

/// The plan of a seed, for a world with this store.
pub fn generate(seed: Seed, store: Store) -> Plan {
    generate_of_size(seed, store, WorldSize::Any)
}

/// The plan of a seed for a lease service, which is opened once and keeps no files. `clocks_apart_ms` is the most that any two
/// clocks may be apart; none is no bound.
pub fn lease_plan(seed: Seed, clocks_apart_ms: Option<u64>) -> Plan {
    leases::for_leases(generate(seed, Store::Memory), clocks_apart_ms)
}

/// The plan of a seed for somebody's client of leases. `clocks_apart_ms` as for a lease service.
pub fn client_plan(seed: Seed, clocks_apart_ms: Option<u64>) -> Plan {
    clients::for_clients(lease_plan(seed, clocks_apart_ms))
}

pub fn generate_of_size(seed: Seed, store: Store, size: WorldSize) -> Plan {
    let mut dice = Dice::new(seed.stream(Purpose::Generate, [0, 0]));
    let (workers, processes, horizon_ms, faults) = match size {
        WorldSize::Any => {
            let processes = if dice.percent(70) { dice.between(1, 3) } else { dice.between(4, 8) };
            (dice.between(1, 3) as u8, processes as u16, dice.between(8, 20) * 700, dice.between(3, 16))
        }
        WorldSize::Fixed { workers, processes, seconds, faults } => {
            (workers, processes, seconds * 1_000, faults)
        }
    };
    let ttl_ms = *dice.one_of(&[1_000, 1_500, 2_500]);
    let renew_ms = ttl_ms / dice.between(3, 5);
    let links = links(&mut dice, renew_ms);
    let hosts = if dice.percent(70) { 1 } else { 2 };
    let swarm = Swarm::draw(&mut dice, store);
    let mut drawing = Drawing { dice, workers, hosts, processes, horizon_ms, ttl_ms, steps: Vec::new() };
    let clocks = if swarm.has_clocks { clocks(&mut drawing) } else { Vec::new() };
    work::work(&mut drawing, swarm.has_aim);
    stale_calls(&mut drawing);
    handles(&mut drawing);
    for _ in 0..faults {
        fault(&mut drawing, &swarm);
    }
    if size == WorldSize::Any {
        asks::asks(&mut drawing, seed);
        lost_answers::lost_answers(&mut drawing, seed);
    }
    let Drawing { mut steps, mut dice, .. } = drawing;
    steps.sort_by_key(|step| step.at_ms);
    Plan {
        format: FORMAT,
        seed: seed.0,
        workers: NodeNumbers((1..=workers).collect()),
        hosts: NodeNumbers((1..=hosts).collect()),
        ttl_ms,
        renew_ms,
        sweep_ms: *dice.one_of(&[300, 500, 1_000]),
        bound: *dice.one_of(&[1, 2, 4, 8]),
        store,
        order: TaskOrder::Drawn,
        fences_left: dice.percent(3).then(|| dice.between(1, 12)),
        links,
        clocks,
        leases: leases(&mut dice, workers, ttl_ms, &links),
        horizon_ms,
        steps,
    }
}

/// A few worlds have a worker that is set up with another ttl: shorter or longer than the others'.
fn leases(dice: &mut Dice, workers: u8, ttl_ms: u64, links: &Links) -> Vec<LeaseSetting> {
    let shortest_ms = links.slowest_us * 6 / 1_000 + 6;
    let ttl_ms = (*dice.one_of(&[ttl_ms / 4, ttl_ms / 2, ttl_ms * 2])).max(shortest_ms);
    let setting = LeaseSetting { worker: Node::Worker(2), ttl_ms, renew_ms: ttl_ms / 3 };
    if workers > 1 && dice.percent(15) { vec![setting] } else { Vec::new() }
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

fn clocks(drawing: &mut Drawing) -> Vec<ClockSetting> {
    let workers = (1..=drawing.workers).map(Node::Worker);
    let mut clocks = Vec::new();
    for node in std::iter::once(Node::Registry).chain(workers) {
        let dice = &mut drawing.dice;
        if dice.percent(60) {
            let offset_ms = dice.between(0, 20_000) as i64 - 10_000;
            let drift_ppm = dice.between(0, 2_000) as i32 - 1_000;
            clocks.push(ClockSetting { node, offset_ms, drift_ppm });
        }
    }
    clocks
}

fn fault(drawing: &mut Drawing, swarm: &Swarm) {
    let kind = *drawing.dice.one_of(&swarm.kinds);
    let at_ms = drawing.instant();
    let short = Span::Ms(drawing.dice.between(50, 2 * drawing.ttl_ms));
    let action = (kind.draw)(drawing, Draft { at_ms, short });
    drawing.add(at_ms, action);
}

/// Calls of those who once held a process: late ones, and some that are aimed at an expiry.
fn stale_calls(drawing: &mut Drawing) {
    if !drawing.dice.percent(60) {
        return;
    }
    for _ in 0..drawing.dice.between(1, 9) {
        let (at_ms, process) = (drawing.instant(), drawing.process());
        let call = StaleCall::draw(drawing, process);
        drawing.add(at_ms, call);
    }
}

/// Handles that are given and moved, and wakes that are read.
fn handles(drawing: &mut Drawing) {
    if !drawing.dice.percent(15) {
        return;
    }
    for _ in 0..drawing.dice.between(1, 3) {
        let (at_ms, process) = (drawing.instant(), drawing.process());
        drawing.add(at_ms, GrantHandle { process, to: Scope(1) });
        let later_ms = at_ms + drawing.dice.below(2_000);
        let processes = [process, drawing.process()].to_vec();
        drawing.add(later_ms, TransferHandles { processes, from: Scope(1), to: Scope(2) });
        let (at_ms, process) = (drawing.instant(), drawing.process());
        drawing.add(at_ms, ReadWakes { process });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::all_kinds;
    use crate::plan::draw::Generated;

    #[test]
    fn every_generated_plan_can_be_run_and_reads_back_from_its_file() {
        for seed in 0..500 {
            let plan = generate(Seed(seed), Store::Sqlite);
            plan.check().unwrap_or_else(|why| panic!("seed {seed}: {why}"));
            assert_eq!(plan.to_string().parse(), Ok(plan), "seed {seed}");
        }
    }

    #[test]
    fn every_kind_that_can_be_generated_is_generated() {
        let mut generated = std::collections::BTreeSet::new();
        for seed in 0..500 {
            let plan = generate(Seed(seed), Store::Sqlite);
            generated.extend(plan.steps.iter().map(|step| kind_of(&step.action.to_string())));
        }
        for kind in all_kinds::all().filter(|kind| !matches!((kind.generated)(), Generated::Never)) {
            let line = (kind.examples)()[0].split_once(' ').unwrap().1;
            assert!(generated.contains(&kind_of(line)), "never generated: {line}");
        }
    }

    /// The place of the kind that reads this line.
    fn kind_of(line: &str) -> usize {
        let words: Vec<&str> = line.split(' ').collect();
        all_kinds::all().position(|kind| matches!((kind.parse)(&words), Ok(Some(_)))).unwrap()
    }
}
