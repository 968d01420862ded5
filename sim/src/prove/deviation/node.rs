//! Nodes: one stands still, dies and starts again, or starts tasks late or in another order. It makes a difference between which two of its own
//! instants that begins, and at which instant of anybody it ends.

use crate::history::event::{CallKind, What};
use crate::plan::Node;
use crate::plan::fault::late_start::LateStart;
use crate::plan::fault::node_crash::NodeCrash;
use crate::plan::fault::pause::Pause;
use crate::plan::fault::registry_crash::RegistryCrash;
use crate::plan::fault::reversed_tasks::ReversedTasks;
use crate::plan::span::Span;
use crate::prove::deviation::point::Points;
use crate::prove::one_run::RecordedRun;

pub fn pause(run: &RecordedRun, points: &mut Points) {
    for node in run.plan.nodes() {
        for at_ms in run.bursts(node) {
            points.lasting(at_ms, u64::from(node.code()), at_ms, move |ms| {
                Pause { node, span: Span::Ms(ms) }.into()
            });
        }
    }
}

pub fn crash(run: &RecordedRun, points: &mut Points) {
    for node in run.plan.nodes().filter(|node| *node != Node::Registry) {
        // Its requests that are on their way may be lost with it.
        let arrivals = run.messages.sent.iter().filter(|message| message.link.from == node);
        let mut instants = run.bursts(node);
        instants.extend(arrivals.filter_map(|message| message.arrives_us).map(|at_us| at_us / 1_000));
        instants.sort_unstable();
        instants.dedup();
        for at_ms in instants {
            points.lasting(at_ms, u64::from(node.code()), at_ms, move |ms| {
                NodeCrash { node, is_renamed: false, span: Span::Ms(ms) }.into()
            });
        }
    }
}

pub fn registry_crash(run: &RecordedRun, points: &mut Points) {
    for at_ms in run.bursts(Node::Registry) {
        points.lasting(at_ms, 0, at_ms, |ms| RegistryCrash { at_disk_call: None, span: Span::Ms(ms) }.into());
    }
}

/// Only workers start tasks while they run: one for each row of a list that they hear.
fn lists_heard(run: &RecordedRun) -> impl Iterator<Item = (Node, u64)> + '_ {
    run.events.iter().filter_map(|event| {
        let What::Heard { call: CallKind::Read, .. } = event.what() else { return None };
        Some((Node::from_code(event.node), event.at_us / 1_000))
    })
}

pub fn late_start(run: &RecordedRun, points: &mut Points) {
    for (node, at_ms) in lists_heard(run) {
        points.lasting(at_ms, u64::from(node.code()), at_ms, move |by_ms| {
            LateStart { node, by_ms, span: Span::Ms(1) }.into()
        });
    }
}

pub fn reversed_tasks(run: &RecordedRun, points: &mut Points) {
    for (node, at_ms) in lists_heard(run) {
        points.once(at_ms, u64::from(node.code()), ReversedTasks { node, span: Span::Ms(1) });
    }
}
