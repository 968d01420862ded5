//! A node's two clocks as functions of true time, in stretches during which both run evenly: drift changes the pace of both,
//! a step sets the wall clock alone. Integers throughout, so that an instant of true time can be found for any reading.

use serde::Serialize;

/// The wall clocks' common beginning, in epoch milliseconds.
pub const EPOCH_MS: i64 = 1_700_000_000_000;

const MILLION: i64 = 1_000_000;

/// Twelve days: products of times below it with a million fit, with room for drift.
const FEW_DAYS_US: i64 = 1 << 40;

/// A time in which a clock runs evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stretch {
    pub from_us: u64,
    /// The instant from which it counts, and the readings it had then.
    pub since_us: u64,
    pub wall_us: i64,
    pub monotonic_us: u64,
    pub drift_ppm: i32,
}

#[derive(Debug, Clone)]
pub struct Clock {
    /// In order, and never empty: the last stretch stands by itself.
    earlier: Vec<Stretch>,
    last: Stretch,
    /// Its drift outside of whatever passes.
    drift_ppm: i32,
}

impl Stretch {
    fn passed(&self, at_us: u64) -> i64 {
        let true_us = i64::try_from(at_us.saturating_sub(self.since_us)).unwrap_or(i64::MAX);
        if self.drift_ppm == 0 {
            return true_us;
        }
        let rate = MILLION + i64::from(self.drift_ppm);
        if true_us < FEW_DAYS_US {
            return true_us * rate / MILLION;
        }
        let wide = i128::from(true_us) * i128::from(rate) / i128::from(MILLION);
        i64::try_from(wide).unwrap_or(i64::MAX)
    }

    pub fn wall_us(&self, at_us: u64) -> i64 {
        self.wall_us.saturating_add(self.passed(at_us))
    }

    pub fn wall_ms(&self, at_us: u64) -> u64 {
        u64::try_from(self.wall_us(at_us) / 1_000).unwrap_or(0)
    }

    pub fn monotonic_us(&self, at_us: u64) -> u64 {
        self.monotonic_us.saturating_add_signed(self.passed(at_us))
    }

    /// The first instant at which so much has passed since it began to count, if it went on for ever.
    pub fn reaches(&self, passed_us: u64) -> u64 {
        if self.drift_ppm == 0 {
            return passed_us.saturating_add(self.since_us);
        }
        // A wait that is longer than any run need not be exact.
        let rate = (MILLION + i64::from(self.drift_ppm)).max(1).unsigned_abs();
        let passed = match passed_us.checked_mul(MILLION.unsigned_abs()) {
            Some(product) => product.div_ceil(rate),
            None => passed_us,
        };
        passed.saturating_add(self.since_us)
    }

    /// The first instant at which the wall clock shows this, if it went on for ever.
    pub fn reaches_wall_ms(&self, wall_ms: u64) -> u64 {
        let wanted = i128::from(wall_ms) * 1_000 - i128::from(self.wall_us);
        self.reaches(u64::try_from(wanted.max(0)).unwrap_or(u64::MAX))
    }

    pub fn reaches_monotonic_us(&self, monotonic_us: u64) -> u64 {
        self.reaches(monotonic_us.saturating_sub(self.monotonic_us))
    }
}

impl Clock {
    pub fn new(offset_ms: i64, drift_ppm: i32) -> Self {
        let wall_us = EPOCH_MS.saturating_add(offset_ms).saturating_mul(1_000);
        let last = Stretch { from_us: 0, since_us: 0, wall_us, monotonic_us: 0, drift_ppm };
        Self { earlier: Vec::new(), last, drift_ppm }
    }

    pub fn stretches(&self) -> impl DoubleEndedIterator<Item = &Stretch> {
        self.earlier.iter().chain([&self.last])
    }

    pub fn at(&self, now_us: u64) -> &Stretch {
        if self.last.from_us <= now_us {
            return &self.last;
        }
        let later = self.earlier.partition_point(|stretch| stretch.from_us <= now_us);
        self.earlier.get(later.saturating_sub(1)).unwrap_or(&self.last)
    }

    pub fn wall_ms(&self, now_us: u64) -> u64 {
        self.at(now_us).wall_ms(now_us)
    }

    pub fn monotonic_us(&self, now_us: u64) -> u64 {
        self.at(now_us).monotonic_us(now_us)
    }

    /// The first instant of true time, from now on, at which the monotonic clock shows this.
    pub fn true_us_after(&self, now_us: u64, monotonic_us: u64) -> u64 {
        self.first_instant(now_us, |stretch| stretch.reaches_monotonic_us(monotonic_us))
    }

    /// The first instant of true time, from now on, at which the wall clock shows this.
    pub fn true_us_at_wall_ms(&self, now_us: u64, wall_ms: u64) -> u64 {
        self.first_instant(now_us, |stretch| stretch.reaches_wall_ms(wall_ms))
    }

    fn first_instant(&self, now_us: u64, reached_us: impl Fn(&Stretch) -> u64) -> u64 {
        if self.last.from_us > now_us {
            let first = self.earlier.partition_point(|stretch| stretch.from_us <= now_us).saturating_sub(1);
            for (place, stretch) in self.earlier.iter().enumerate().skip(first) {
                let next_us = self.earlier.get(place + 1).unwrap_or(&self.last).from_us;
                let instant_us = reached_us(stretch).max(stretch.from_us).max(now_us);
                if instant_us < next_us {
                    return instant_us;
                }
            }
        }
        reached_us(&self.last).max(self.last.from_us).max(now_us)
    }

    /// Sets the wall clock: its readings from now on are so much higher or lower.
    pub fn step(&mut self, now_us: u64, by_ms: i64) {
        let present = *self.at(now_us);
        let later = self.earlier.partition_point(|stretch| stretch.from_us <= now_us);
        let by_us = by_ms.saturating_mul(1_000);
        for stretch in self.earlier.iter_mut().skip(later) {
            stretch.wall_us = stretch.wall_us.saturating_add(by_us);
        }
        let wall_us = present.wall_us.saturating_add(by_us);
        let stepped = Stretch { from_us: now_us, wall_us, ..present };
        if self.last.from_us <= now_us {
            self.earlier.push(self.last);
            self.last = stepped;
        } else {
            self.last.wall_us = self.last.wall_us.saturating_add(by_us);
            self.earlier.insert(later, stepped);
        }
    }

    /// Both clocks run at this pace from now on.
    pub fn drift(&mut self, now_us: u64, drift_ppm: i32) {
        self.forget_after(now_us);
        self.drift_ppm = drift_ppm;
        self.push(now_us, self.last.wall_us(now_us), self.last.monotonic_us(now_us), drift_ppm);
    }

    /// From now on both clocks are off their even pace by these offsets, with straight lines between them, and after the
    /// last one they run evenly again. Each offset is in µs, after so many µs from now, in order.
    pub fn follow(&mut self, now_us: u64, offsets: impl IntoIterator<Item = (u64, i64)>) {
        self.forget_after(now_us);
        let (wall_us, monotonic_us) = (self.last.wall_us(now_us), self.last.monotonic_us(now_us));
        let drift_ppm = self.drift_ppm;
        let even = Stretch { from_us: now_us, since_us: now_us, wall_us, monotonic_us, drift_ppm };
        let mut add = |(after_us, offset_us): (u64, i64), slope_ppm: i32| {
            let at_us = now_us.saturating_add(after_us);
            let wall_us = even.wall_us(at_us).saturating_add(offset_us);
            let monotonic_us = even.monotonic_us(at_us).saturating_add_signed(offset_us);
            self.push(at_us, wall_us, monotonic_us, drift_ppm.saturating_add(slope_ppm));
        };
        let mut from = (0, 0);
        for to in offsets {
            let lasts_us = i128::from(to.0.saturating_sub(from.0).max(1));
            // Rounded down: where the next line begins, the clock has not passed it.
            let slope = (i128::from(to.1) - i128::from(from.1)) * i128::from(MILLION);
            add(
                from,
                i32::try_from(slope.div_euclid(lasts_us)).expect("no clock runs two thousand times as fast"),
            );
            from = to;
        }
        add(from, 0);
    }

    fn push(&mut self, from_us: u64, wall_us: i64, monotonic_us: u64, drift_ppm: i32) {
        self.earlier.push(self.last);
        self.last = Stretch { from_us, since_us: from_us, wall_us, monotonic_us, drift_ppm };
    }

    /// Drops all changes of the clock after this instant.
    fn forget_after(&mut self, now_us: u64) {
        while self.last.from_us > now_us
            && let Some(before) = self.earlier.pop()
        {
            self.last = before;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instant_of_a_reading_is_the_first_one_that_shows_it() {
        for drift_ppm in [0, 1, -1, 250, -40_000, 300_000] {
            let mut clock = Clock::new(-77, drift_ppm);
            clock.drift(1_234_567, drift_ppm / 2);
            clock.step(1_500_000, -300);
            for ahead_ms in [1, 7, 1_000, 123_456] {
                let wall_ms = clock.wall_ms(2_000_000) + ahead_ms;
                let at = clock.true_us_at_wall_ms(2_000_000, wall_ms);
                assert_eq!((clock.wall_ms(at), clock.wall_ms(at - 1)), (wall_ms, wall_ms - 1));
                let monotonic_us = clock.monotonic_us(2_000_000) + ahead_ms * 1_000;
                let at = clock.true_us_after(2_000_000, monotonic_us);
                assert!(clock.monotonic_us(at) >= monotonic_us && clock.monotonic_us(at - 1) < monotonic_us);
            }
        }
    }

    #[test]
    fn a_step_moves_the_wall_clock_alone_and_drift_moves_both() {
        let mut clock = Clock::new(0, 0);
        clock.step(0, -500);
        assert_eq!(clock.wall_ms(1_000_000), EPOCH_MS as u64 + 500);
        assert_eq!(clock.monotonic_us(1_000_000), 1_000_000);
        clock.drift(1_000_000, 100_000);
        assert_eq!(clock.wall_ms(2_000_000), EPOCH_MS as u64 + 1_600);
        assert_eq!(clock.monotonic_us(2_000_000), 2_100_000);
    }

    #[test]
    fn a_clock_follows_offsets_without_a_step_and_can_be_set_and_read_in_between() {
        for drift_ppm in [0, 250, -2_000] {
            let mut clock = Clock::new(0, drift_ppm);
            let even = clock.clone();
            clock.follow(1_000_000, [(500_000, 100_000), (1_500_001, -100_000), (2_000_000, 0)]);
            clock.step(1_200_000, 50);
            let off_us = |at_us: u64| clock.monotonic_us(at_us) as i64 - even.monotonic_us(at_us) as i64;
            assert_eq!([0, 1_000_000, 3_000_000, 9_000_000].map(off_us), [0; 4]);
            assert_eq!((off_us(1_500_000), off_us(2_500_001)), (100_000, -100_000));
            assert_eq!(clock.wall_ms(9_000_000), even.wall_ms(9_000_000) + 50);
            let mut before_us = 0;
            for at_us in (900_000..3_100_000).step_by(997) {
                let shown_us = clock.monotonic_us(at_us);
                assert!(shown_us > before_us, "monotonic at {at_us}");
                before_us = shown_us;
                let first_us = clock.true_us_after(500_000, shown_us);
                assert!(
                    clock.monotonic_us(first_us) >= shown_us && clock.monotonic_us(first_us - 1) < shown_us
                );
            }
            clock.drift(1_600_000, 0);
            assert_eq!(clock.monotonic_us(9_000_000) - clock.monotonic_us(1_600_000), 7_400_000);
        }
    }
}
