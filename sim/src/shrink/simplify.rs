//! The same steps, said more plainly: usual bodies for exotic ones, fewer steps of bodies, lengths for expiries and
//! expiries for odd lengths; then rounder and smaller numbers, and everything earlier.

use fencepost::model::process::RecoveryDisposition;

use crate::plan::Plan;
use crate::plan::step::{Action, Body, Crash, DiskFault, Span};
use crate::shrink::Move;
use crate::shrink::parts::{numbers, span_of, subjects};

/// Of each step, whatever about it is more than it must be.
pub fn steps(plan: &Plan) -> Vec<Move> {
    let mut moves = Vec::new();
    for (place, step) in plan.steps.iter().enumerate() {
        let mut instead = |what: &str, change: Box<dyn Fn(&mut Action)>| {
            moves.push(Move::new(format!("{what} in `{step}`"), move |plan| {
                if let Some(step) = plan.steps.get_mut(place) {
                    change(&mut step.action);
                }
            }));
        };
        if let Action::Register { body, .. } = step.action {
            instead("any disposition", Box::new(becomes_rerunnable));
            for plain in plainer_bodies(body, plan.ttl_ms) {
                instead(
                    &format!("`{plain}` for its body"),
                    Box::new(move |action| becomes_body(action, plain)),
                );
            }
        }
        instead("a plain kind", Box::new(becomes_plain));
        if let Some(span) = crate::shrink::parts::span(&step.action) {
            for other in other_spans(plan, span) {
                instead(
                    &format!("{other} for its span"),
                    Box::new(move |action| {
                        if let Some(span) = span_of(action) {
                            *span = other;
                        }
                    }),
                );
            }
        }
    }
    moves
}

fn becomes_rerunnable(action: &mut Action) {
    if let Action::Register { disposition, .. } = action {
        *disposition = RecoveryDisposition::Rerunnable;
    }
}

fn becomes_body(action: &mut Action, plain: Body) {
    if let Action::Register { body, .. } = action {
        *body = plain;
    }
}

fn becomes_plain(action: &mut Action) {
    match action {
        Action::Crash { renamed, .. } => *renamed = false,
        Action::CrashRegistry { at_disk_call, .. } if at_disk_call.is_some() => *at_disk_call = None,
        Action::CrashRegistry { of, .. } => *of = Crash::Process,
        Action::Disk { how, .. } => *how = DiskFault::FailsToWrite,
        Action::Lose { percent, .. } | Action::Repeat { percent, .. } if *percent < 100 => *percent = 100,
        Action::Lose { link, span, .. } => *action = Action::Cut { link: *link, span: *span },
        Action::Hold { asleep, .. } => *asleep = false,
        _ => {}
    }
}

/// From the plainest on.
fn plainer_bodies(body: Body, ttl_ms: u64) -> Vec<Body> {
    let steps = |count, rest_ms| Body::Steps { count, rest_ms };
    let mut bodies = vec![steps(1, 0), steps(1, 10), steps(1, 1_000), steps(1, 2 * ttl_ms)];
    match body {
        Body::Steps { count, rest_ms } | Body::Emits { count, rest_ms } => {
            let whole_ms = u64::from(count).saturating_mul(rest_ms);
            bodies.push(steps(1, whole_ms.next_multiple_of(1_000)));
            for fewer in [1, count / 2, count.saturating_sub(1)].map(|fewer: u16| fewer.max(1)) {
                bodies.push(steps(fewer, rest_ms));
                if let Body::Emits { .. } = body {
                    bodies.push(Body::Emits { count: fewer, rest_ms });
                }
            }
            bodies.push(steps(count, rest_ms));
            if let Body::Emits { .. } = body {
                bodies.push(Body::Emits { count: 1, rest_ms: whole_ms });
            }
        }
        Body::Breaks => bodies.push(steps(4, 300)),
        Body::Awaits { .. } => bodies.push(Body::UntilCancelled),
        _ => {}
    }
    bodies
}

/// A plain length where it ends at an expiry, and an expiry where its length is odd. The one that is smaller is taken.
fn other_spans(plan: &Plan, span: Span) -> Vec<Span> {
    match span {
        Span::UntilExpiry { .. } => {
            [1_000, plan.ttl_ms, 2_000, 3_000, 2 * plan.ttl_ms, 100].map(Span::Ms).to_vec()
        }
        Span::Ms(_) => {
            let named = plan.steps.iter().find_map(|step| subjects(&step.action).first().copied());
            let until = |process| [0, 1].map(|offset_ms| Span::UntilExpiry { process, offset_ms }).to_vec();
            named.map(until).unwrap_or_default()
        }
    }
}

/// All numbers at once, then each.
pub fn times(plan: &Plan) -> Vec<Move> {
    let mut moves = Vec::new();
    for unit in UNITS {
        moves.push(Move::new(format!("all times in units of {unit}ms"), move |plan| {
            for step in &mut plan.steps {
                step.at_ms = nearest(step.at_ms as i64, unit as i64) as u64;
                numbers(&mut step.action, &mut |number| nearest(number, unit as i64));
            }
            plan.horizon_ms = plan.horizon_ms.next_multiple_of(unit);
        }));
    }
    for place in 0..plan.steps.len() {
        moves.extend(earlier(plan, place));
    }
    let last_ms = plan.steps.last().map_or(0, |step| step.at_ms);
    for horizon_ms in [last_ms.next_multiple_of(1_000), last_ms + 1_000, plan.horizon_ms / 2]
        .into_iter()
        .chain(rounder(plan.horizon_ms as i64).into_iter().map(|ms| ms as u64))
    {
        moves.push(Move::new(format!("calm after {horizon_ms}ms"), move |plan| plan.horizon_ms = horizon_ms));
    }
    for (place, step) in plan.steps.iter().enumerate() {
        let mut count = 0;
        numbers(&mut step.action.clone(), &mut |number| {
            let this = count;
            for other in rounder(number) {
                moves.push(Move::new(format!("{other} for {number} in `{step}`"), move |plan| {
                    let Some(step) = plan.steps.get_mut(place) else { return };
                    let mut at = 0;
                    numbers(&mut step.action, &mut |number| {
                        at += 1;
                        if at - 1 == this { other } else { number }
                    });
                }));
            }
            count += 1;
            number
        });
        for at_ms in rounder(step.at_ms as i64) {
            moves.push(Move::new(format!("`{step}` at {at_ms}ms"), move |plan| {
                if let Some(step) = plan.steps.get_mut(place) {
                    step.at_ms = at_ms as u64;
                }
            }));
        }
    }
    moves
}

const UNITS: [u64; 3] = [1_000, 100, 10];

/// From the smallest on: nothing, half of it, and the round numbers at both sides.
fn rounder(number: i64) -> Vec<i64> {
    let mut others = vec![0];
    if number.abs() > 10 {
        others.push(number / 2);
    } else if number.abs() > 1 {
        others.push(number.signum());
    }
    for unit in UNITS.map(|unit| unit as i64).into_iter().filter(|unit| *unit <= 10 * number.abs()) {
        let down = number / unit * unit;
        others.extend([down, down + unit * number.signum()]);
        if number == down {
            others.push(down - unit * number.signum());
        }
    }
    others.retain(|other| *other != number);
    others.dedup();
    others
}

fn nearest(number: i64, unit: i64) -> i64 {
    // An offset from an expiry is exact for a reason.
    if number.abs() < 10 { number } else { (number + unit / 2 * number.signum()) / unit * unit }
}

/// A step and all after it, with a part of the time before it gone.
fn earlier(plan: &Plan, place: usize) -> Vec<Move> {
    let before_ms = place.checked_sub(1).map_or(0, |before| plan.steps[before].at_ms);
    let gap_ms = plan.steps[place].at_ms.saturating_sub(before_ms);
    let cuts = [gap_ms, gap_ms / 2 / 100 * 100, gap_ms / 4 / 10 * 10];
    let by = |cut_ms: u64| {
        let step = &plan.steps[place];
        Move::new(format!("{cut_ms}ms less before `{step}`"), move |plan| {
            for step in plan.steps.iter_mut().skip(place) {
                step.at_ms = step.at_ms.saturating_sub(cut_ms);
            }
            plan.horizon_ms = plan.horizon_ms.saturating_sub(cut_ms);
        })
    };
    cuts.into_iter().filter(|cut_ms| *cut_ms > 0).map(by).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_numbers_are_tried_on_both_sides_and_nothing_is_tried_first() {
        assert_eq!(rounder(1_437), [0, 718, 1_000, 2_000, 1_400, 1_500, 1_430, 1_440]);
        assert_eq!(rounder(-1), [0, -10]);
        assert_eq!(rounder(0), Vec::<i64>::new());
    }

    #[test]
    fn an_exact_offset_is_not_rounded_away_with_the_others() {
        assert_eq!((nearest(-1, 1_000), nearest(1_437, 1_000), nearest(-1_520, 100)), (-1, 1_000, -1_500));
    }
}
