//! A simulated disk: unsynced writes are lost, kept or torn when the machine crashes, by keyed chance. The world decides when
//! the disk is in trouble and when it dies; `vfs.rs` is SQLite's way to it.

mod current;
mod machine_disk;
mod trouble;
mod unsynced_file;
#[cfg(feature = "sqlite")]
mod vfs;

pub use current::with;
pub use machine_disk::{Disk, SetAside};
pub use trouble::{Crash, DiskError, Operation, Trouble};
#[cfg(feature = "sqlite")]
pub use vfs::VFS;

/// Puts a new, empty disk in the place of this thread's last one, where SQLite finds it.
pub fn insert(disk: Disk) {
    #[cfg(feature = "sqlite")]
    vfs::register();
    current::put(disk);
}
