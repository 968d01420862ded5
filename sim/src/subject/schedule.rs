//! The order in which a run polls tasks that are ready at the same instant.

use crate::plan::chance::{Purpose, Seed};

/// Decides among tasks that are ready at the same instant: the lowest place runs first.
pub trait Schedule {
    fn place(&mut self, wakeup: Wakeup) -> u64;
}

/// The task that became ready, in numbers that do not change when another machine or task is taken out of a plan.
#[derive(Debug, Clone, Copy)]
pub struct Wakeup {
    pub machine: u8,
    /// Among those the machine ever spawned.
    pub task: u64,
    /// How often it became ready before.
    pub wakes: u64,
}

/// Draws each place from the seed: every order is as likely as every other.
pub struct RandomSchedule(pub Seed);

/// First ready, first run.
#[derive(Default)]
pub struct FirstReadyFirst {
    ready: u64,
}

impl Schedule for FirstReadyFirst {
    fn place(&mut self, _: Wakeup) -> u64 {
        self.ready += 1;
        self.ready
    }
}

impl Schedule for RandomSchedule {
    fn place(&mut self, wakeup: Wakeup) -> u64 {
        let task = u64::from(wakeup.machine) << 56 | wakeup.task;
        self.0.draw(Purpose::Order, [task, wakeup.wakes])
    }
}
