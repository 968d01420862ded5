//! Simplifies steps without removing any: usual bodies for exotic ones, fewer steps of bodies, lengths for expiries and
//! expiries for odd lengths; then rounder and smaller numbers, and everything earlier.

use crate::plan::Plan;
use crate::plan::span::Span;
use crate::plan::step_kind::Action;
use crate::shrink::Move;

/// Simpler forms of each step, and other spans.
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
        for simpler in step.action.simpler(plan.ttl_ms) {
            instead(&simpler.what, simpler.change);
        }
        if let Some(span) = step.action.span() {
            for other in other_spans(plan, span) {
                let change = move |action: &mut Action| {
                    if let Some(span) = action.span_mut() {
                        *span = other;
                    }
                };
                instead(&format!("{other} for its span"), Box::new(change));
            }
        }
    }
    moves
}

/// A plain length where it ends at an expiry, and an expiry where its length is odd. The one that is smaller is taken.
fn other_spans(plan: &Plan, span: Span) -> Vec<Span> {
    match span {
        Span::UntilExpiry { .. } => {
            [1_000, plan.ttl_ms, 2_000, 3_000, 2 * plan.ttl_ms, 100].map(Span::Ms).to_vec()
        }
        Span::Ms(_) => {
            let named = plan.steps.iter().find_map(|step| step.action.subjects().first().copied());
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
                step.action.replace_numbers(&mut |number| nearest(number, unit as i64));
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
        moves.push(Move::new(format!("faults end after {horizon_ms}ms"), move |plan| {
            plan.horizon_ms = horizon_ms
        }));
    }
    for (place, step) in plan.steps.iter().enumerate() {
        for (place_of_number, number) in step.action.numbers().into_iter().enumerate() {
            for other in rounder(number) {
                moves.push(Move::new(format!("{other} for {number} in `{step}`"), move |plan| {
                    let Some(step) = plan.steps.get_mut(place) else { return };
                    let mut at = 0;
                    step.action.replace_numbers(&mut |number| {
                        at += 1;
                        if at - 1 == place_of_number { other } else { number }
                    });
                }));
            }
        }
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
