//! The registry's store: the calls of one millisecond fail, with or without having changed something, or wait.

use crate::plan::Node;
use crate::plan::fault::failing_store::FailingStore;
use crate::plan::fault::slow_store::SlowStore;
use crate::plan::span::Span;
use crate::plan::step::{StoreFailure, StoreWait};
use crate::prove::deviation::point::Points;
use crate::prove::one_run::RecordedRun;

fn failing(run: &RecordedRun, points: &mut Points, how: StoreFailure) {
    for at_ms in run.bursts(Node::Registry) {
        points.once(at_ms, 0, FailingStore { how, span: Span::Ms(1) });
    }
}

pub fn fails(run: &RecordedRun, points: &mut Points) {
    failing(run, points, StoreFailure::Before);
}

pub fn loses(run: &RecordedRun, points: &mut Points) {
    failing(run, points, StoreFailure::UnknownBefore);
}

pub fn forgets(run: &RecordedRun, points: &mut Points) {
    failing(run, points, StoreFailure::UnknownAfter);
}

pub fn fails_to_read(run: &RecordedRun, points: &mut Points) {
    failing(run, points, StoreFailure::Reads);
}

pub fn slow(run: &RecordedRun, points: &mut Points) {
    for at_ms in run.bursts(Node::Registry) {
        points.lasting(at_ms, 0, at_ms, |by_ms| {
            SlowStore { wait: StoreWait::ForLock, by_ms, span: Span::Ms(1) }.into()
        });
    }
}
