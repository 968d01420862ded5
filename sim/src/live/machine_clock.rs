//! The clock that puts the events of all processes in one order: nanoseconds since the machine booted. The kernel keeps it
//! from going back on any processor, so a reading taken under a lock is later than every reading taken under it before.

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds since the machine booted, the time it was suspended included.
pub fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    let (seconds, nanos) = (u64::try_from(now.tv_sec).unwrap_or(0), u64::try_from(now.tv_nsec).unwrap_or(0));
    seconds * 1_000_000_000 + nanos
}

/// The wall clock, in microseconds since the epoch.
pub fn wall_us() -> u64 {
    let now = clock_gettime(ClockId::Realtime);
    let (seconds, nanos) = (u64::try_from(now.tv_sec).unwrap_or(0), u64::try_from(now.tv_nsec).unwrap_or(0));
    seconds * 1_000_000 + nanos / 1_000
}
