//! Changes that concern a whole plan's names: every process it names, and the plan without one of its machines.

use std::collections::BTreeSet;

use crate::plan::{Node, Plan, Process};

/// Every process that a step names.
pub fn processes(plan: &Plan) -> BTreeSet<Process> {
    plan.steps.iter().flat_map(|step| step.action.processes()).collect()
}

/// The plan without a machine, and without every step and clock that names it.
pub fn remove_node(plan: &mut Plan, node: Node) {
    let (numbers, gone) = match node {
        Node::Worker(number) => (&mut plan.workers.0, number),
        Node::Host(number) => (&mut plan.hosts.0, number),
        Node::Registry | Node::Ledger => return,
    };
    numbers.retain(|number| *number != gone);
    plan.clocks.retain(|clock| clock.node != node);
    plan.leases.retain(|lease| lease.worker != node);
    plan.steps.retain(|step| !step.action.nodes().contains(&node));
}
