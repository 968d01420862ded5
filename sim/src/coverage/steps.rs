//! The steps of a plan that coverage marks look at.

use std::collections::BTreeSet;

use crate::plan::step::{Action, Body, Link, Span};
use crate::plan::{Node, Plan};

#[derive(Clone, Copy)]
pub enum ObservedStep {
    Cut {
        link: Link,
        ms: u64,
    },
    ClockStep {
        node: Node,
        by_ms: i64,
    },
    /// No mark looks at this step.
    Other,
}

/// Each step of the plan, by its number.
pub fn observed_steps(plan: &Plan) -> Vec<ObservedStep> {
    let observed = plan.steps.iter().map(|step| match &step.action {
        Action::Cut { link, span: Span::Ms(ms) } => ObservedStep::Cut { link: *link, ms: *ms },
        Action::StepClock { node, by_ms } => ObservedStep::ClockStep { node: *node, by_ms: *by_ms },
        _ => ObservedStep::Other,
    });
    observed.collect()
}

/// The processes whose bodies wait for another process.
pub fn parents(plan: &Plan) -> BTreeSet<u16> {
    let parents = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Register { process, body: Body::Awaits { .. }, .. } => Some(process.0),
        _ => None,
    });
    parents.collect()
}
