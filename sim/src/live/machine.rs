//! The machine as our code sees it, and what the code read of it: the recorder needs the very readings that decisions were
//! made on. Each is remembered by the thread that read it, because a decision, and the check before a call, are made on one
//! thread without a pause.

use std::cell::Cell;
use std::time::Duration;

use fencepost::System;
use fencepost::environment::{BoxFuture, Environment};
use fencepost::model::lease::LeaseOwnerIdentity;

thread_local! {
    static MONOTONIC: Cell<Option<Duration>> = const { Cell::new(None) };
    static CHECKED: Cell<Option<Duration>> = const { Cell::new(None) };
    static WALL_MS: Cell<Option<u64>> = const { Cell::new(None) };
    static ENTROPY_BYTES: Cell<u64> = const { Cell::new(0) };
}

/// The machine's clocks, entropy and timers, with a wall clock that may be wrong.
pub struct WatchedMachine {
    system: System,
    /// How far this process's wall clock is ahead of the machine's.
    wall_skew_ms: i64,
}

impl WatchedMachine {
    pub fn new(wall_skew_ms: i64) -> std::io::Result<Self> {
        Ok(Self { system: System::new()?, wall_skew_ms })
    }
}

/// The last reading of the monotonic clock that this thread gave to our code.
pub fn last_monotonic() -> Option<Duration> {
    MONOTONIC.get()
}

/// A worker on this thread checks its lease, by this reading. What it does next in the same poll, it does by this check.
pub fn note_check(now: Duration) {
    CHECKED.set(Some(now));
}

/// The reading of the last check of a lease on this thread; of none, the last reading at all.
pub fn last_check() -> Option<Duration> {
    CHECKED.get().or_else(last_monotonic)
}

/// Forgets what this thread read of the wall clock and drew of entropy.
pub fn forget_readings() {
    WALL_MS.set(None);
    ENTROPY_BYTES.set(0);
}

/// The machine's own wall clock at the last reading since then, without the skew, and the bytes of entropy drawn since then.
pub fn readings() -> (Option<u64>, u64) {
    (WALL_MS.get(), ENTROPY_BYTES.get())
}

impl Environment for WatchedMachine {
    fn now_epoch_ms(&self) -> u64 {
        let now_ms = self.system.now_epoch_ms();
        WALL_MS.set(Some(now_ms));
        now_ms.saturating_add_signed(self.wall_skew_ms)
    }

    fn monotonic(&self) -> Duration {
        let now = self.system.monotonic();
        MONOTONIC.set(Some(now));
        now
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.system.sleep(duration)
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.system.spawn(task);
    }

    fn fill_entropy(&self, bytes: &mut [u8]) {
        ENTROPY_BYTES.set(ENTROPY_BYTES.get() + bytes.len() as u64);
        self.system.fill_entropy(bytes);
    }

    fn is_definitely_dead(&self, owner: &LeaseOwnerIdentity) -> bool {
        self.system.is_definitely_dead(owner)
    }
}

/// This binary is built for simulations; outside of one, time, chance and threads must be the machine's own.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::machine_clock::{now_ns, wall_us};

    #[test]
    fn clocks_are_those_of_the_machine() {
        let machine = WatchedMachine::new(0).unwrap();
        let told = std::process::Command::new("date").arg("+%s").output().unwrap();
        let told_s: u64 = String::from_utf8(told.stdout).unwrap().trim().parse().unwrap();
        assert!((machine.now_epoch_ms() / 1_000).abs_diff(told_s) <= 60);
        assert!((wall_us() / 1_000_000).abs_diff(told_s) <= 60);
        let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
        let uptime_s: f64 = uptime.split_whitespace().next().unwrap().parse().unwrap();
        assert!((now_ns() / 1_000_000_000).abs_diff(uptime_s as u64) <= 60);
    }

    #[test]
    fn entropy_is_drawn_anew_in_every_process() {
        let machine = WatchedMachine::new(0).unwrap();
        let mut draws = [[0_u8; 16]; 2];
        draws.iter_mut().for_each(|draw| machine.fill_entropy(draw));
        assert_ne!(draws[0], draws[1]);
        assert_eq!(readings().1, 32);
    }

    #[test]
    fn threads_are_threads_and_timers_ring() {
        let own = std::thread::current().id();
        let other = std::thread::spawn(|| std::thread::current().id()).join().unwrap();
        assert_ne!(own, other);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let (before, after) = runtime.block_on(async {
            let machine = WatchedMachine::new(0).unwrap();
            let before = now_ns();
            machine.sleep(Duration::from_millis(20)).await;
            (before, now_ns())
        });
        assert!(after - before >= 20_000_000);
    }

    #[test]
    fn a_skewed_clock_is_skewed_for_our_code_alone() {
        let machine = WatchedMachine::new(-5_000).unwrap();
        forget_readings();
        let shown = machine.now_epoch_ms();
        assert_eq!(readings().0, Some(shown + 5_000));
    }
}
