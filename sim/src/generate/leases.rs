//! Plans for lease services. They are the plans of registries without what has no meaning for a lease: hosts' requests, waits,
//! handles, probes, kinds of processes. In its place keys are taken again and again, and those who once held one come back
//! late. The additions have a random stream of their own.

use fencepost::model::process::RecoveryDisposition;

use crate::plan::body::Body;
use crate::plan::chance::{Dice, Purpose, Seed};
use crate::plan::draw::Drawing;
use crate::plan::fault::stale_call::StaleCall;
use crate::plan::work::prune::Prune;
use crate::plan::work::register::Register;
use crate::plan::{Plan, Process};

/// The plan of a registry as one for leases.
pub fn for_leases(mut plan: Plan, clocks_apart_ms: Option<u64>) -> Plan {
    plan.fences_left = None;
    plan.steps.retain(|step| !step.action.needs_registry());
    for step in &mut plan.steps {
        if let Some(register) = step.action.downcast_mut::<Register>() {
            register.disposition = RecoveryDisposition::Rerunnable;
            register.body = held(register.body);
        }
    }
    contend(&mut plan);
    if let Some(apart_ms) = clocks_apart_ms {
        bring_clocks_together(&mut plan, apart_ms);
    }
    plan
}

/// The acts of a holder with its key: it writes, has effects outside, or breaks off and gives the key back.
fn held(body: Body) -> Body {
    match body {
        Body::Steps { .. } | Body::Emits { .. } | Body::Breaks => body,
        Body::Waits | Body::UntilCancelled => Body::Emits { count: 4, rest_ms: 300 },
        Body::Awaits { .. } | Body::Panics => Body::Emits { count: 2, rest_ms: 100 },
    }
}

/// Keys are wanted again after they were given back, and earlier holders call.
fn contend(plan: &mut Plan) {
    let keys: Vec<Process> = {
        let mut keys: Vec<Process> = plan.bodies().map(|(key, _)| key).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    };
    let mut drawing = Drawing {
        dice: Dice::new(Seed(plan.seed).stream(Purpose::Leases, [0, 0])),
        workers: plan.workers.0.len() as u8,
        hosts: plan.hosts.0.len() as u8,
        processes: keys.last().map_or(1, |key| key.0),
        horizon_ms: plan.horizon_ms,
        ttl_ms: plan.ttl_ms,
        steps: std::mem::take(&mut plan.steps),
    };
    for key in keys {
        for _ in 0..drawing.dice.below(3) {
            let at_ms = drawing.instant();
            let rest_ms = *drawing.dice.one_of(&[10, 100, 300]);
            let body = match drawing.dice.below(3) {
                0 => Body::Breaks,
                1 => Body::Steps { count: drawing.dice.between(1, 5) as u16, rest_ms },
                _ => Body::Emits { count: drawing.dice.between(1, 5) as u16, rest_ms },
            };
            drawing.add(at_ms, Prune);
            drawing.add(at_ms, Register { process: key, disposition: RecoveryDisposition::Rerunnable, body });
        }
        for _ in 0..drawing.dice.below(4) {
            let at_ms = drawing.instant();
            let call = StaleCall::draw(&mut drawing, key);
            drawing.add(at_ms, call);
        }
    }
    drawing.steps.sort_by_key(|step| step.at_ms);
    plan.steps = drawing.steps;
}

/// Offsets shrink until no two clocks are further apart, and nothing moves a clock later.
fn bring_clocks_together(plan: &mut Plan, apart_ms: u64) {
    plan.steps.retain(|step| step.action.clock_fault().is_none());
    let most_ms = i64::try_from(apart_ms / 2).unwrap_or(i64::MAX);
    for clock in &mut plan.clocks {
        clock.drift_ppm = 0;
        clock.offset_ms = clock.offset_ms.clamp(-most_ms, most_ms);
    }
    plan.clocks.retain(|clock| clock.offset_ms != 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::lease_plan;

    #[test]
    fn no_step_of_a_lease_plan_needs_a_registry_and_every_one_can_be_run() {
        for seed in 0..500 {
            let plan = lease_plan(Seed(seed), None);
            plan.check().unwrap_or_else(|why| panic!("seed {seed}: {why}"));
            for step in &plan.steps {
                assert!(!step.action.needs_registry(), "seed {seed}: {step}");
            }
            for (_, body) in plan.bodies() {
                let is_held = matches!(body, Body::Steps { .. } | Body::Emits { .. } | Body::Breaks);
                assert!(is_held, "seed {seed}: {body}");
            }
        }
    }

    #[test]
    fn clocks_are_never_further_apart_than_was_asked_for() {
        let mut furthest_ms = 0;
        for seed in 0..500 {
            let plan = lease_plan(Seed(seed), Some(800));
            let offsets = || plan.clocks.iter().map(|clock| clock.offset_ms).chain([0]);
            let apart_ms = offsets().max().unwrap() - offsets().min().unwrap();
            assert!(apart_ms <= 800 && plan.worst_drift_ppm() == 0, "seed {seed}: {apart_ms} ms");
            assert!(plan.steps.iter().all(|step| step.action.clock_fault().is_none()), "seed {seed}");
            furthest_ms = furthest_ms.max(apart_ms);
        }
        assert_eq!(furthest_ms, 800);
        assert!(lease_plan(Seed(0), Some(0)).clocks.is_empty());
    }
}
