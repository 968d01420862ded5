//! What a plan's steps are made of, whatever they are: the processes they are about, how long they last, their numbers. So
//! that one change is tried on every kind of step that it fits.

use std::collections::BTreeSet;

use crate::plan::step::{Action, Body, Haunt, Span};
use crate::plan::{Node, Plan, Process};

/// Every process that a step names.
pub fn processes(plan: &Plan) -> BTreeSet<Process> {
    let mut named = BTreeSet::new();
    for step in &plan.steps {
        named.extend(subjects(&step.action));
        if let Action::Register { body: Body::Awaits { child }, .. } = &step.action {
            named.insert(*child);
        }
        if let Some(Span::UntilExpiry { process, .. }) = span(&step.action) {
            named.insert(process);
        }
    }
    named
}

/// The processes that an action is about.
pub fn subjects(action: &Action) -> Vec<Process> {
    match action {
        Action::Register { process, .. }
        | Action::Cancel { process }
        | Action::Signal { process }
        | Action::Abandon { process }
        | Action::Await { process }
        | Action::GrantHandle { process, .. }
        | Action::Wakes { process }
        | Action::Ghost { process, .. }
        | Action::Hold { process, .. } => vec![*process],
        Action::TransferHandles { processes, .. } => processes.clone(),
        _ => Vec::new(),
    }
}

pub fn span(action: &Action) -> Option<Span> {
    span_of(&mut action.clone()).copied()
}

pub fn span_of(action: &mut Action) -> Option<&mut Span> {
    match action {
        Action::Pause { span, .. }
        | Action::Crash { span, .. }
        | Action::CrashRegistry { span, .. }
        | Action::Disk { span, .. }
        | Action::LateStart { span, .. }
        | Action::Cut { span, .. }
        | Action::Lose { span, .. }
        | Action::Repeat { span, .. }
        | Action::Delay { span, .. }
        | Action::SlowStore { span, .. }
        | Action::FailStore { span, .. }
        | Action::Lie { span, .. } => Some(span),
        _ => None,
    }
}

/// Replaces each number of an action, in the order they are written in. Those that cannot be negative stop at 0.
pub fn numbers(action: &mut Action, replaced: &mut dyn FnMut(i64) -> i64) {
    let unsigned = |ms: &mut u64, replaced: &mut dyn FnMut(i64) -> i64| {
        if let Ok(number) = i64::try_from(*ms) {
            *ms = u64::try_from(replaced(number)).unwrap_or(0);
        }
    };
    match action {
        Action::LateStart { by_ms, .. } | Action::Delay { by_ms, .. } | Action::SlowStore { by_ms, .. } => {
            unsigned(by_ms, replaced);
        }
        Action::Register { body: Body::Steps { rest_ms, .. } | Body::Emits { rest_ms, .. }, .. } => {
            unsigned(rest_ms, replaced);
        }
        Action::Hold { offset_ms, .. } | Action::Ghost { haunt: Haunt::AtExpiry { offset_ms, .. }, .. } => {
            *offset_ms = replaced(*offset_ms);
        }
        Action::StepClock { by_ms, .. } => *by_ms = replaced(*by_ms),
        Action::Drift { ppm, .. } => *ppm = i32::try_from(replaced(i64::from(*ppm))).unwrap_or(*ppm),
        _ => {}
    }
    match span_of(action) {
        Some(Span::Ms(ms)) => unsigned(ms, replaced),
        Some(Span::UntilExpiry { offset_ms, .. }) => *offset_ms = replaced(*offset_ms),
        None => {}
    }
}

/// The plan without a machine, and without whatever is said of it.
pub fn without(plan: &mut Plan, node: Node) {
    let (numbers, gone) = match node {
        Node::Worker(number) => (&mut plan.workers.0, number),
        Node::Host(number) => (&mut plan.hosts.0, number),
        _ => return,
    };
    numbers.retain(|number| *number != gone);
    plan.clocks.retain(|clock| clock.node != node);
    plan.steps.retain(|step| {
        let mut named = Vec::new();
        step.action.nodes(&mut named);
        !named.contains(&node)
    });
}
