//! The machine's own clocks: true time, and CPU time of this process or thread. Inside a run std's clocks are simulated, so
//! these are read from the operating system.

use rustix::time::{ClockId, clock_gettime};

/// CPU time of this process and true time, read together.
#[derive(Clone, Copy)]
pub struct Clocks {
    pub cpu_us: u64,
    pub wall_us: u64,
}

impl Clocks {
    pub fn now() -> Self {
        Self { cpu_us: read_us(ClockId::ProcessCPUTime), wall_us: wall_us() }
    }
}

/// True time since an arbitrary instant.
pub fn wall_us() -> u64 {
    read_us(ClockId::Monotonic)
}

pub fn thread_cpu_us() -> u64 {
    read_us(ClockId::ThreadCPUTime)
}

fn read_us(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000
}
