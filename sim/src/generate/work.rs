//! The work of a plan: processes, whatever is asked of them, and their later lives.

use fencepost::model::process::RecoveryDisposition;

use crate::plan::Process;
use crate::plan::body::Body;
use crate::plan::draw::Drawing;
use crate::plan::fault::hold_call::HoldCall;
use crate::plan::fault::pause::Pause;
use crate::plan::method::Method;
use crate::plan::span::Span;
use crate::plan::work::abandon::Abandon;
use crate::plan::work::await_at_registry::AwaitAtRegistry;
use crate::plan::work::await_end::AwaitEnd;
use crate::plan::work::cancel::Cancel;
use crate::plan::work::drain::Drain;
use crate::plan::work::prune::Prune;
use crate::plan::work::register::Register;
use crate::plan::work::signal::Signal;

/// With `has_aim`, calls about a process may be held back until its lease expires.
pub fn work(drawing: &mut Drawing, has_aim: bool) {
    // Where anybody waits beside the registry, all its calls pass a watch: a world of its own.
    let has_waits_at_registry = drawing.dice.percent(20);
    for number in 1..=drawing.processes {
        let process = Process(number);
        let disposition = disposition(drawing);
        let body = body(drawing, number);
        let at_ms = if drawing.dice.percent(60) { drawing.dice.below(200) } else { drawing.instant() };
        drawing.add(at_ms, Register { process, disposition, body });
        requests(drawing, process, body, at_ms);
        if has_waits_at_registry {
            for _ in 0..drawing.dice.between(1, 4) {
                let at_ms = later(drawing, at_ms);
                drawing.add(at_ms, AwaitAtRegistry { process });
            }
        }
        if has_aim && drawing.dice.percent(50) {
            let mut hold = HoldCall::draw(drawing, process);
            // A release in mid-life is worth holding until late.
            if body == Body::Breaks && drawing.dice.percent(60) {
                let offset_ms = drawing.late_ms();
                hold = HoldCall { process, method: Method::Release, offset_ms, is_caller_asleep: false };
            }
            let at_ms = at_ms + drawing.dice.below(1_500);
            drawing.add(at_ms, hold);
        }
        if drawing.dice.percent(20) {
            later_lives(drawing, process, disposition);
        }
    }
    if drawing.dice.percent(15) {
        let (at_ms, worker) = (drawing.instant(), drawing.worker());
        drawing.add(at_ms, Drain { worker });
    }
}

fn later(drawing: &mut Drawing, at_ms: u64) -> u64 {
    at_ms + drawing.dice.below(4_000)
}

/// Signals, cancels, abandons and waits after the registration.
fn requests(drawing: &mut Drawing, process: Process, body: Body, at_ms: u64) {
    if body == Body::Waits && drawing.dice.percent(60) {
        let at_ms = later(drawing, at_ms);
        drawing.add(at_ms, Signal { process });
    }
    if body == Body::UntilCancelled && drawing.dice.percent(60) || drawing.dice.percent(8) {
        let at_ms = later(drawing, at_ms);
        drawing.add(at_ms, Cancel { process });
    }
    if drawing.dice.percent(12) {
        let at_ms = later(drawing, at_ms);
        drawing.add(at_ms, Abandon { process });
    }
    if drawing.dice.percent(30) {
        let at_ms = later(drawing, at_ms);
        drawing.add(at_ms, AwaitEnd { process });
    }
}

/// Registers processes again while a writer of the earlier life may still be running.
fn later_lives(drawing: &mut Drawing, process: Process, first: RecoveryDisposition) {
    let mut at_ms = drawing.instant();
    if drawing.dice.percent(50) {
        // Somebody sleeps through the end of the life it works on, and through its prune.
        let asleep_ms = at_ms.saturating_sub(drawing.ttl_ms + 1_500);
        let span = Span::Ms(3 * drawing.ttl_ms + 3_000);
        let node = drawing.worker();
        drawing.add(asleep_ms, Pause { node, span });
    }
    for _ in 0..drawing.dice.between(1, 3) {
        drawing.add(at_ms, Prune);
        let body = body(drawing, process.0);
        let disposition = if drawing.dice.percent(50) { disposition(drawing) } else { first };
        let again_ms = at_ms + drawing.dice.below(300);
        drawing.add(again_ms, Register { process, disposition, body });
        if drawing.dice.percent(25) {
            // It may still be at work when the process is registered, or take the new life with the old.
            let prune_ms = again_ms.saturating_sub(10) + drawing.dice.below(20);
            drawing.add(prune_ms, Prune);
        }
        at_ms += drawing.dice.between(200, 1_500);
    }
}

fn body(drawing: &mut Drawing, process: u16) -> Body {
    let rest_ms = *drawing.dice.one_of(&[10, 100, 300, 700]);
    match drawing.dice.below(20) {
        0..=8 => Body::Steps { count: drawing.dice.between(1, 8) as u16, rest_ms },
        9..=12 => Body::Emits { count: drawing.dice.between(1, 5) as u16, rest_ms },
        13..=14 => Body::Waits,
        15 if process < drawing.processes => Body::Awaits { child: Process(process + 1) },
        16 => Body::UntilCancelled,
        17 => Body::Panics,
        18 => Body::Breaks,
        _ if drawing.dice.percent(50) => Body::Breaks,
        _ => Body::Steps { count: 1, rest_ms: 10 },
    }
}

fn disposition(drawing: &mut Drawing) -> RecoveryDisposition {
    match drawing.dice.below(10) {
        0..=4 => RecoveryDisposition::Rerunnable,
        5..=8 => RecoveryDisposition::OwnerBound,
        _ => RecoveryDisposition::ExternallyOwned,
    }
}
