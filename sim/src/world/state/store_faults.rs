//! Faults of the registry's store and of its disk, and how long each lasts.

use crate::disk;
use crate::plan::step::{DiskFault, StoreFailure, StoreWait};

#[derive(Default)]
pub struct StoreFaults {
    /// By the place of the wait: its length in µs, and when that ends.
    slow: [(u64, u64); StoreWait::ALL.len()],
    failing: Option<(StoreFailure, u64)>,
    disk: Vec<(DiskFault, u64)>,
}

/// How long one call waits for the store, in µs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreWaits {
    pub for_lock_us: u64,
    pub before_reading_us: u64,
    pub before_write_us: u64,
}

impl StoreWaits {
    pub const NONE: Self = Self { for_lock_us: 0, before_reading_us: 0, before_write_us: 0 };
}

impl StoreFaults {
    pub fn slow_down(&mut self, wait: StoreWait, by_us: u64, until_us: u64) {
        self.slow[wait as usize] = (by_us, until_us);
    }

    pub fn fail(&mut self, how: StoreFailure, until_us: u64) {
        self.failing = Some((how, until_us));
    }

    pub fn trouble_disk(&mut self, how: DiskFault, until_us: u64, now_us: u64) {
        self.disk.retain(|(_, until_us)| now_us < *until_us);
        self.disk.push((how, until_us));
    }

    pub fn end(&mut self) {
        *self = Self::default();
    }

    /// The waits of a call that arrives now.
    pub fn waits(&self, now_us: u64) -> StoreWaits {
        let us_of = |wait: StoreWait| {
            let (by_us, until_us) = self.slow[wait as usize];
            if now_us < until_us { by_us } else { 0 }
        };
        StoreWaits {
            for_lock_us: us_of(StoreWait::ForLock),
            before_reading_us: us_of(StoreWait::BeforeReading),
            before_write_us: us_of(StoreWait::BeforeWrite),
        }
    }

    pub fn failure(&self, now_us: u64) -> Option<StoreFailure> {
        let (how, until_us) = self.failing?;
        (now_us < until_us).then_some(how)
    }

    /// The disk's faults that last now.
    pub fn disk_trouble(&self, now_us: u64) -> disk::Trouble {
        let mut trouble = disk::Trouble::default();
        // If several operations are to fail, the disk fails the first in this order.
        let (mut reads, mut writes, mut syncs) = (false, false, false);
        for (fault, until_us) in &self.disk {
            if now_us >= *until_us {
                continue;
            }
            match fault {
                DiskFault::FailsToRead => reads = true,
                DiskFault::FailsToWrite => writes = true,
                DiskFault::FailsToSync => syncs = true,
                DiskFault::Shaky => trouble.is_shaky = true,
                DiskFault::Full => trouble.is_full = true,
                DiskFault::LiesAboutSyncs => trouble.sync_lies = true,
            }
        }
        trouble.fails = match (reads, writes, syncs) {
            (true, _, _) => Some(disk::Operation::Read),
            (false, true, _) => Some(disk::Operation::Write),
            (false, false, true) => Some(disk::Operation::Sync),
            (false, false, false) => None,
        };
        trouble
    }
}
