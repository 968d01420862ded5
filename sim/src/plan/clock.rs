//! A node's two clocks as functions of true time: both drift together, and steps move the wall clock alone. Integers
//! throughout, so that an instant of true time can be found for any reading.

/// The wall clocks' common beginning, in epoch milliseconds.
const EPOCH_MS: i64 = 1_700_000_000_000;

/// Products with it fit: a run is at most some days long, and a day has less than 2^37 microseconds.
const MILLION: i64 = 1_000_000;

#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// When the present drift began, and what the clocks showed then.
    since_us: u64,
    wall_us: i64,
    monotonic_us: u64,
    drift_ppm: i32,
}

impl Clock {
    pub fn new(offset_ms: i64, drift_ppm: i32) -> Self {
        Self { since_us: 0, wall_us: (EPOCH_MS + offset_ms) * 1_000, monotonic_us: 0, drift_ppm }
    }

    fn passed(&self, now_us: u64) -> i64 {
        let true_us = (now_us - self.since_us) as i64;
        if self.drift_ppm == 0 {
            return true_us;
        }
        true_us * (MILLION + i64::from(self.drift_ppm)) / MILLION
    }

    pub fn wall_ms(&self, now_us: u64) -> u64 {
        u64::try_from((self.wall_us + self.passed(now_us)) / 1_000).unwrap_or(0)
    }

    pub fn monotonic_us(&self, now_us: u64) -> u64 {
        self.monotonic_us + self.passed(now_us) as u64
    }

    /// The first instant of true time, from now on, at which so much will have passed on this clock.
    pub fn true_us_after(&self, now_us: u64, monotonic_us: u64) -> u64 {
        let wanted = monotonic_us.saturating_sub(self.monotonic_us);
        self.first_instant(now_us, wanted)
    }

    /// The first instant of true time, from now on, at which the wall clock shows this.
    pub fn true_us_at_wall_ms(&self, now_us: u64, wall_ms: u64) -> u64 {
        let wanted = i128::from(wall_ms) * 1_000 - i128::from(self.wall_us);
        self.first_instant(now_us, u64::try_from(wanted.max(0)).unwrap_or(u64::MAX))
    }

    fn first_instant(&self, now_us: u64, wanted: u64) -> u64 {
        if self.drift_ppm == 0 {
            return wanted.saturating_add(self.since_us).max(now_us);
        }
        // What lies further away than any run is long need not be exact.
        let rate = (MILLION + i64::from(self.drift_ppm)) as u64;
        let passed = match wanted.checked_mul(MILLION as u64) {
            Some(product) => product.div_ceil(rate),
            None => wanted,
        };
        passed.saturating_add(self.since_us).max(now_us)
    }

    pub fn step(&mut self, by_ms: i64) {
        self.wall_us = self.wall_us.saturating_add(by_ms.saturating_mul(1_000));
    }

    pub fn drift(&mut self, now_us: u64, drift_ppm: i32) {
        let passed = self.passed(now_us);
        *self = Self {
            since_us: now_us,
            wall_us: self.wall_us + passed,
            monotonic_us: self.monotonic_us + passed as u64,
            drift_ppm,
        };
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
            clock.step(-300);
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
        clock.step(-500);
        assert_eq!(clock.wall_ms(1_000_000), EPOCH_MS as u64 + 500);
        assert_eq!(clock.monotonic_us(1_000_000), 1_000_000);
        clock.drift(1_000_000, 100_000);
        assert_eq!(clock.wall_ms(2_000_000), EPOCH_MS as u64 + 1_600);
        assert_eq!(clock.monotonic_us(2_000_000), 2_100_000);
    }
}
