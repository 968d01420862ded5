//! Probes: a living worker is called dead while another one claims what it holds; by the probes of workers, or by the
//! registry's, too.

use crate::plan::Node;
use crate::plan::fault::lying_probe::LyingProbe;
use crate::plan::span::Span;
use crate::plan::step::Method;
use crate::prove::deviation::point::Points;
use crate::prove::one_run::RecordedRun;

pub fn lies(run: &RecordedRun, points: &mut Points) {
    // A claim, a reclaim and the way of each there and back.
    let span = Span::Ms(5 * run.plan.links.slowest_us.div_ceil(1_000));
    for message in &run.messages.sent {
        let is_claim = matches!(message.call, Some((Method::Claim, _)));
        if !is_claim {
            continue;
        }
        let others = run.plan.nodes().filter(|node| matches!(node, Node::Worker(_)));
        for about in others.filter(|node| *node != message.link.from) {
            for to_workers_only in [false, true] {
                let target = u64::from(about.code()) << 1 | u64::from(to_workers_only);
                let at_ms = message.at_us / 1_000;
                points.once(at_ms, target, LyingProbe { about, to_workers_only, span });
            }
        }
    }
}
