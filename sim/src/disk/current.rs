//! The disk of this thread. It stands beside the run, so that SQLite's C code, which is handed no world, finds it.

use std::cell::RefCell;

use crate::disk::machine_disk::Disk;

thread_local! {
    static DISK: RefCell<Option<Disk>> = const { RefCell::new(None) };
}

pub fn put(disk: Disk) {
    DISK.with(|place| *place.borrow_mut() = Some(disk));
}

/// This thread's disk; none before the first was put in place.
pub fn with<T>(look: impl FnOnce(&mut Disk) -> T) -> Option<T> {
    DISK.try_with(|place| place.try_borrow_mut().ok()?.as_mut().map(look)).ok()?
}
