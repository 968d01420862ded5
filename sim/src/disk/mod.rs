//! A simulated disk: files whose writes are lost, kept or torn until they are synced. It stands beside the run on its own
//! thread, so that SQLite's C code, which is handed no world, finds it. What it does to a file at a crash is drawn
//! by keyed chance. How SQLite reaches it is in `vfs.rs`; when it is troubled, and when it dies, the world says.

mod files;
mod vfs;

use std::cell::RefCell;

pub use files::{Crash, Disk, DiskError, Operation, SetAside, Trouble};

/// The name that SQLite knows the disk by.
pub const VFS: &str = "fencepost-disk";

thread_local! {
    static DISK: RefCell<Option<Disk>> = const { RefCell::new(None) };
}

/// Puts a new, empty disk in the place of this thread's last one.
pub fn insert(disk: Disk) {
    vfs::register();
    DISK.with(|place| *place.borrow_mut() = Some(disk));
}

/// This thread's disk; none before the first was put in place.
pub fn with<T>(look: impl FnOnce(&mut Disk) -> T) -> Option<T> {
    DISK.try_with(|place| place.try_borrow_mut().ok()?.as_mut().map(look)).ok()?
}
