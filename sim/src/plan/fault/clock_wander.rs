//! `wander worker-1 by 200ms every 5s for 10s`: both clocks of a node swing around their even pace, as a sine of this
//! amplitude and period. It ends after the last period that has begun, where the clock is off by nothing, so nothing steps.
//! A drift or another wander of the node ends it earlier, and the clock keeps the offset that it has by then.

use std::fmt;

use crate::plan::clock::Clock;
use crate::plan::clock_fault::{ClockFault, ClockRate};
use crate::plan::draw::{Draft, Drawing, Drawn, FaultDraw, Generated};
use crate::plan::names::Node;
use crate::plan::simulation::Simulation;
use crate::plan::step_kind::{Action, Group, Part, Shown, StepKind};
use crate::plan::words::{Ms, parse_ms};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockWander {
    pub node: Node,
    pub by_ms: u64,
    pub every_ms: u64,
    pub for_ms: u64,
}

/// A quarter of a sine, in millionths: the clock follows straight lines between these points, the same on every machine.
const QUARTER: [i64; 9] = [0, 195_090, 382_683, 555_570, 707_107, 831_470, 923_880, 980_785, 1_000_000];
const LINES: u64 = 32;

const MILLION: i64 = 1_000_000;

/// Two pi, in millionths and rounded up: the sine is steepest where it passes zero.
const STEEPEST: u64 = 6_283_186;
/// At half the pace of true time, and at one and a half, a clock still runs.
const STEEPEST_PPM: u64 = 500_000;

/// The pace is a whole number of millionths. Over the lines of a longer period, what is cut off would add up to a step.
const LONGEST_PERIOD_MS: u64 = 60_000;

/// The sine at a point of its period, in millionths.
fn sine(point: u64) -> i64 {
    let place = (point % LINES) as usize;
    match place / 8 {
        0 => QUARTER[place],
        1 => QUARTER[16 - place],
        2 => -QUARTER[place - 16],
        _ => -QUARTER[32 - place],
    }
}

fn draw(drawing: &mut Drawing, _draft: Draft) -> Action {
    let node = drawing.node();
    let every_ms = *drawing.dice.one_of(&[1_000, 2_000, 5_000]);
    let by_ms = drawing.dice.between(1, every_ms / 25);
    ClockWander { node, by_ms, every_ms, for_ms: every_ms * drawing.dice.between(1, 4) }.into()
}

impl ClockWander {
    fn periods(&self) -> u64 {
        self.for_ms.div_ceil(self.every_ms.max(1))
    }

    /// Rounding moves each end of a line by a microsecond at most.
    fn steepest_ppm(&self) -> u64 {
        let wide = self.by_ms.saturating_mul(STEEPEST).saturating_add(2_000 * LINES);
        wide / self.every_ms.max(1) + 1
    }
}

impl fmt::Display for ClockWander {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (by, every, lasts) = (Ms(self.by_ms), Ms(self.every_ms), Ms(self.for_ms));
        write!(f, "wander {} by {by} every {every} for {lasts}", self.node)
    }
}

impl Drawn for ClockWander {
    fn generated() -> Generated {
        Generated::ByItself(FaultDraw::new(draw))
    }
}

impl StepKind for ClockWander {
    fn examples() -> &'static [&'static str] {
        &["2s wander worker-1 by 200ms every 5s for 10s"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["wander", node, "by", by, "every", every, "for", lasts] = words else { return Ok(None) };
        let (by_ms, every_ms, for_ms) = (parse_ms(by)?, parse_ms(every)?, parse_ms(lasts)?);
        Ok(Some(Self { node: node.parse()?, by_ms, every_ms, for_ms }))
    }

    fn group(&self) -> Group {
        Group::Clock
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        let (by, every, lasts) = (&mut self.by_ms, &mut self.every_ms, &mut self.for_ms);
        vec![Part::Node(&mut self.node), Part::Ms(by), Part::Ms(every), Part::Ms(lasts)]
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        world.bend_clock(self);
    }

    fn impossible(&self) -> Option<String> {
        if !(100..=LONGEST_PERIOD_MS).contains(&self.every_ms) {
            return Some("must swing once in 100ms to 60s".to_owned());
        }
        if !(1..=1_000).contains(&self.periods()) {
            return Some("must last for one to a thousand periods".to_owned());
        }
        let is_steep = self.steepest_ppm() > STEEPEST_PPM;
        is_steep.then(|| "changes the clock's pace by more than a half: take a longer period".to_owned())
    }

    fn shown(&self) -> Shown {
        Shown::Bar(self.periods().saturating_mul(self.every_ms))
    }

    fn clock_fault(&self) -> Option<&dyn ClockFault> {
        Some(self)
    }
}

impl ClockFault for ClockWander {
    fn node(&self) -> Node {
        self.node
    }

    fn bend(&self, clock: &mut Clock, now_us: u64) {
        let (by_us, every_us) = (self.by_ms as i64 * 1_000, self.every_ms * 1_000);
        let point = |number: u64| (every_us * number / LINES, by_us * sine(number) / MILLION);
        clock.follow(now_us, (1..=self.periods() * LINES).map(point));
    }

    fn rate(&self) -> ClockRate {
        ClockRate::Passing(u32::try_from(self.steepest_ppm()).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wandering_clock_swings_by_its_amplitude_and_comes_back() {
        let wander = ClockWander { node: Node::Worker(1), by_ms: 200, every_ms: 5_000, for_ms: 9_000 };
        let (mut clock, even) = (Clock::new(0, 40), Clock::new(0, 40));
        wander.bend(&mut clock, 1_000_000);
        let off_us = |at_us: u64| clock.monotonic_us(at_us) as i64 - even.monotonic_us(at_us) as i64;
        assert_eq!((off_us(2_250_000), off_us(4_750_000), off_us(7_250_000)), (200_000, -200_000, 200_000));
        assert_eq!([1_000_000, 3_500_000, 6_000_000, 11_000_000, 20_000_000].map(off_us), [0; 5]);
    }

    #[test]
    fn its_lines_meet_within_two_microseconds() {
        for (by_ms, every_ms) in [(1, 100), (200, 5_000), (1, 60_000), (4_000, LONGEST_PERIOD_MS)] {
            let wander = ClockWander { node: Node::Registry, by_ms, every_ms, for_ms: every_ms };
            assert_eq!(wander.impossible(), None, "{wander}");
            let mut clock = Clock::new(0, 0);
            wander.bend(&mut clock, 0);
            let stretches: Vec<_> = clock.stretches().copied().collect();
            assert_eq!(stretches.len() as u64, LINES + 2);
            for ends in stretches.windows(2) {
                let [before, after] = ends else { unreachable!() };
                let jump_us = after.wall_us - before.wall_us(after.from_us);
                assert!((0..=2).contains(&jump_us), "{wander}: {jump_us} us at {}", after.from_us);
            }
        }
    }

    #[test]
    fn what_swings_too_rarely_or_never_is_refused() {
        let wander = ClockWander { node: Node::Registry, by_ms: 1, every_ms: 60_000, for_ms: 60_000 };
        assert_eq!(wander.impossible(), None);
        assert!(ClockWander { for_ms: 0, ..wander.clone() }.impossible().is_some());
        assert!(ClockWander { every_ms: 60_001, ..wander }.impossible().is_some());
    }

    #[test]
    fn a_drift_ends_it_where_it_is() {
        let wander = ClockWander { node: Node::Worker(1), by_ms: 200, every_ms: 5_000, for_ms: 5_000 };
        let mut clock = Clock::new(0, 0);
        wander.bend(&mut clock, 0);
        clock.drift(1_250_000, 0);
        assert_eq!([1_250_000, 9_000_000].map(|at_us| clock.monotonic_us(at_us)), [1_450_000, 9_200_000]);
    }

    #[test]
    fn it_is_never_steeper_than_it_says() {
        for (by_ms, every_ms) in [(1, 100), (3, 101), (40, 1_000), (200, 5_000), (7, 60_000)] {
            let wander = ClockWander { node: Node::Registry, by_ms, every_ms, for_ms: every_ms };
            assert_eq!(wander.impossible(), None, "{wander}");
            let mut clock = Clock::new(0, 0);
            wander.bend(&mut clock, 0);
            let steepest = clock.stretches().map(|stretch| stretch.drift_ppm.unsigned_abs()).max();
            assert!(u64::from(steepest.unwrap()) <= wander.steepest_ppm(), "{wander}");
        }
    }
}
