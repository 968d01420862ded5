//! The steps of a plan that coverage marks look at.

use std::collections::BTreeSet;

use crate::plan::body::Body;
use crate::plan::span::Span;
use crate::plan::{Link, Node, Plan};

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
    let observed = plan.steps.iter().map(|step| {
        if let Some((link, Span::Ms(ms))) = step.action.cuts() {
            return ObservedStep::Cut { link, ms };
        }
        match step.action.clock_fault() {
            Some(fault) if fault.step_ms() != 0 => {
                ObservedStep::ClockStep { node: fault.node(), by_ms: fault.step_ms() }
            }
            Some(_) | None => ObservedStep::Other,
        }
    });
    observed.collect()
}

/// The processes whose bodies wait for another process.
pub fn parents(plan: &Plan) -> BTreeSet<u16> {
    let parents = plan.bodies().filter(|(_, body)| matches!(body, Body::Awaits { .. }));
    parents.map(|(process, _)| process.0).collect()
}
