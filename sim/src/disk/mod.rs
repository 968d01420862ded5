//! A simulated disk: unsynced writes are lost, kept or torn when the machine crashes, by keyed chance. The world decides when
//! the disk is in trouble and when it dies; `vfs.rs` is SQLite's way to it.

mod current;
mod machine_disk;
mod trouble;
mod unsynced_file;
mod vfs;

pub use current::with;
pub use machine_disk::{Disk, SetAside};
pub use trouble::{Crash, DiskError, Operation, Trouble};
pub use vfs::{VFS, insert};
