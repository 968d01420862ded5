//! Plans for other people's clients of leases. They are the plans of lease services, in which leaders are wanted for longer, leases
//! last whole seconds as most stores have them, and nothing is done to a registry's calls, store or probes. The additions
//! have a random stream of their own.

use crate::plan::Plan;
use crate::plan::body::Body;
use crate::plan::chance::{Dice, Purpose, Seed};
use crate::plan::step_kind::Group;
use crate::plan::work::register::Register;

/// The plan of a lease service as one for clients.
pub fn for_clients(mut plan: Plan) -> Plan {
    let mut dice = Dice::new(Seed(plan.seed).stream(Purpose::Clients, [0, 0]));
    let is_of_registry = |group| matches!(group, Group::Disk | Group::Store | Group::Probe | Group::Call);
    plan.steps.retain(|step| !is_of_registry(step.action.group()));
    plan.leases.clear();
    plan.ttl_ms = *dice.one_of(&[3_000, 4_000, 6_000]);
    plan.renew_ms = plan.ttl_ms / 3;
    for step in &mut plan.steps {
        if let Some(register) = step.action.downcast_mut::<Register>() {
            register.body = Body::Emits { count: dice.between(4, 20) as u16, rest_ms: 500 };
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::client_plan;

    #[test]
    fn every_plan_can_be_run_and_has_only_what_reaches_a_client() {
        for seed in 0..500 {
            let plan = client_plan(Seed(seed), None);
            plan.check().unwrap_or_else(|why| panic!("seed {seed}: {why}"));
            for step in &plan.steps {
                let group = step.action.group();
                let reaches = matches!(
                    group,
                    Group::Work | Group::Standstill | Group::Crash | Group::Link | Group::Clock
                );
                assert!(reaches && !step.action.needs_registry(), "seed {seed}: {step}");
            }
            assert_eq!(plan.ttl_ms % 1_000, 0, "seed {seed}");
        }
    }
}
