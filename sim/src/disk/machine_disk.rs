//! The disk of one machine. A crash of the process leaves every file as it is now; a crash of the machine loses, keeps or tears
//! each unsynced change.

use std::collections::BTreeMap;

use crate::disk::trouble::{Crash, DiskError, Operation, Trouble};
use crate::disk::unsynced_file::{Change, File};
use crate::plan::chance::{Purpose, Seed};

/// A disk's faults, while they are set aside.
#[must_use = "the disk stays sound until it is brought back"]
pub struct SetAside {
    trouble: Trouble,
    dies_at: Option<(u64, Crash)>,
    operations: u64,
}

/// One machine's disk.
pub struct Disk {
    seed: Seed,
    files: BTreeMap<String, File>,
    pub trouble: Trouble,
    /// Operations so far: they key the draw of failures.
    operations: u64,
    /// Death at an operation to come.
    dies_at: Option<(u64, Crash)>,
    died: Option<Crash>,
    crashes: u64,
    /// Grows at every crash: files that were opened before are dead.
    generation: u64,
    /// A planted bug of an opening store: its syncs do nothing, and it leaves its log alone.
    pub opens_without_sync: bool,
}

impl Disk {
    pub fn new(seed: Seed) -> Self {
        Self {
            seed,
            files: BTreeMap::new(),
            trouble: Trouble::default(),
            operations: 0,
            dies_at: None,
            died: None,
            crashes: 0,
            generation: 0,
            opens_without_sync: false,
        }
    }

    /// Operations so far.
    pub fn operations(&self) -> u64 {
        self.operations
    }

    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Kills the user of the disk at an operation to come, counted from the next one.
    pub fn die_in(&mut self, operations: u64, of: Crash) {
        self.dies_at = Some((self.operations + operations, of));
    }

    /// The crash that killed the user of the disk, if it has not been dealt with.
    pub fn died(&self) -> Option<Crash> {
        self.died
    }

    /// Calls off a death at an operation to come.
    pub fn lets_live(&mut self) {
        self.dies_at = None;
    }

    pub fn is_in_trouble(&self) -> bool {
        self.dies_at.is_some() || self.trouble != Trouble::default()
    }

    /// Some write may yet be lost with the machine.
    pub fn has_unsynced(&self) -> bool {
        let is_write = |change: &Change| matches!(change, Change::Write { .. });
        self.files.values().any(|file| file.unsynced.iter().any(is_write))
    }

    /// Kills the user of the disk now; [`Self::crash`] deals with it.
    pub fn kill(&mut self, of: Crash) {
        self.died = Some(of);
    }

    /// Makes the disk sound, for a look from beside the run.
    pub fn set_aside(&mut self) -> SetAside {
        SetAside {
            trouble: std::mem::take(&mut self.trouble),
            dies_at: self.dies_at.take(),
            operations: self.operations,
        }
    }

    /// Gives it back the faults it had before [`Self::set_aside`].
    pub fn bring_back(&mut self, aside: SetAside) {
        self.trouble = aside.trouble;
        self.dies_at = aside.dies_at;
        self.operations = aside.operations;
    }

    /// Deals with a crash: the user of the disk is gone, and unsynced changes with it if the machine crashed.
    pub fn crash(&mut self, of: Crash) {
        self.crashes += 1;
        self.generation += 1;
        self.dies_at = None;
        self.died = None;
        if of == Crash::Process {
            return;
        }
        let (seed, crash) = (self.seed, self.crashes);
        for (number, file) in (0..).zip(self.files.values_mut()) {
            file.lose_power(seed, crash << 32 | number << 24);
        }
        self.files.retain(|_, file| file.is_there);
    }

    /// Begins an operation, which may fail or kill.
    fn begin(&mut self, operation: Operation) -> Result<(), DiskError> {
        if self.died.is_some() {
            return Err(DiskError::Dead);
        }
        self.operations += 1;
        if let Some((at, of)) = self.dies_at
            && self.operations > at
        {
            self.died = Some(of);
            return Err(DiskError::Dead);
        }
        let is_shaken =
            self.trouble.is_shaky && self.seed.draw(Purpose::Disk, [0, self.operations]).is_multiple_of(4);
        if is_shaken || self.trouble.fails == Some(operation) {
            return Err(DiskError::Failed);
        }
        Ok(())
    }

    pub fn exists(&self, name: &str) -> bool {
        self.files.get(name).is_some_and(|file| file.is_there)
    }

    /// Makes the file if it is not there. `syncs_folder`: with the first sync of a new file, the names of all files are
    /// made durable; without it its own name may yet be lost.
    pub fn open(&mut self, name: &str, syncs_folder: bool) -> Result<(), DiskError> {
        if self.died.is_some() {
            return Err(DiskError::Dead);
        }
        if !self.exists(name) {
            self.begin(Operation::Write)?;
            if self.trouble.is_full {
                return Err(DiskError::Full);
            }
            let file = self.files.entry(name.to_owned()).or_default();
            if file.is_durably_there {
                // An older file of the name may come back: this one begins empty all the same.
                file.unsynced.push(Change::Truncate { to: 0 });
            }
            file.is_there = true;
            file.syncs_folder = syncs_folder;
        }
        Ok(())
    }

    /// `is_synced`: no crash brings the name back.
    pub fn delete(&mut self, name: &str, is_synced: bool) -> Result<(), DiskError> {
        self.begin(Operation::Write)?;
        if let Some(file) = self.files.get_mut(name) {
            file.is_there = false;
            file.now.clear();
            if is_synced && !self.trouble.sync_lies {
                file.is_durably_there = false;
            }
            if !file.is_durably_there {
                self.files.remove(name);
            }
        }
        Ok(())
    }

    pub fn size(&self, name: &str) -> u64 {
        self.files.get(name).map_or(0, |file| file.now.len() as u64)
    }

    /// Reads into a buffer. Returns the number of bytes that there were.
    pub fn read(&mut self, name: &str, at: u64, into: &mut [u8]) -> Result<usize, DiskError> {
        self.begin(Operation::Read)?;
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let there = self.files.get(name).and_then(|file| file.now.get(at..)).unwrap_or(&[]);
        let length = there.len().min(into.len());
        into[..length].copy_from_slice(&there[..length]);
        Ok(length)
    }

    pub fn write(&mut self, name: &str, at: u64, bytes: &[u8]) -> Result<(), DiskError> {
        self.begin(Operation::Write)?;
        let is_full = self.trouble.is_full;
        let Some(file) = self.files.get_mut(name) else { return Err(DiskError::Failed) };
        let at = usize::try_from(at).map_err(|_| DiskError::Failed)?;
        if is_full && at.saturating_add(bytes.len()) > file.now.len() {
            return Err(DiskError::Full);
        }
        file.change(Change::Write { at, bytes: bytes.to_vec() });
        Ok(())
    }

    pub fn truncate(&mut self, name: &str, to: u64) -> Result<(), DiskError> {
        self.begin(Operation::Write)?;
        let Some(file) = self.files.get_mut(name) else { return Err(DiskError::Failed) };
        file.change(Change::Truncate { to: usize::try_from(to).map_err(|_| DiskError::Failed)? });
        Ok(())
    }

    pub fn sync(&mut self, name: &str) -> Result<(), DiskError> {
        self.begin(Operation::Sync)?;
        if self.trouble.sync_lies || self.opens_without_sync {
            return Ok(());
        }
        let Some(file) = self.files.get_mut(name) else { return Err(DiskError::Failed) };
        let File { durable, unsynced, .. } = file;
        unsynced.drain(..).for_each(|change| change.apply(durable, usize::MAX));
        if std::mem::take(&mut file.syncs_folder) {
            self.files.retain(|_, file| file.is_there);
            self.files.values_mut().for_each(|file| file.is_durably_there = true);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(disk: &mut Disk, name: &str) -> Vec<u8> {
        let mut bytes = vec![0; disk.size(name) as usize];
        disk.read(name, 0, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_was_synced_survives_the_machine_and_the_rest_is_lost_kept_or_torn() {
        let mut outcomes = std::collections::BTreeSet::new();
        for seed in 0..300 {
            let mut disk = Disk::new(Seed(seed));
            disk.open("a", true).unwrap();
            disk.write("a", 0, b"kept").unwrap();
            disk.sync("a").unwrap();
            disk.write("a", 4, b"12").unwrap();
            disk.write("a", 6, b"34").unwrap();
            assert!(disk.has_unsynced());
            disk.crash(Crash::Machine);
            assert!(!disk.has_unsynced());
            outcomes.insert(content(&mut disk, "a"));
        }
        let all: Vec<&[u8]> = outcomes.iter().map(Vec::as_slice).collect();
        assert!(all.iter().all(|found| found.starts_with(b"kept")), "{all:?}");
        // A hole where a write was lost reads as zeros; a torn write leaves its first lost byte as nobody wrote it.
        let some: [&[u8]; 6] =
            [b"kept", b"kept1234", b"kept12", b"kept\x00\x0034", b"kept1\xcd", b"kept123\xcb"];
        assert!(some.iter().all(|expected| all.contains(expected)), "{all:?}");
    }

    #[test]
    fn a_name_that_is_deleted_and_made_again_has_nothing_of_the_old_file() {
        for seed in 0..50 {
            let mut disk = Disk::new(Seed(seed));
            disk.open("a", true).unwrap();
            disk.write("a", 0, b"an old one").unwrap();
            disk.sync("a").unwrap();
            disk.delete("a", false).unwrap();
            disk.open("a", true).unwrap();
            disk.write("a", 0, b"new").unwrap();
            disk.sync("a").unwrap();
            disk.crash(Crash::Machine);
            assert_eq!(content(&mut disk, "a"), b"new");
        }
    }

    #[test]
    fn a_new_name_is_lost_or_not_until_the_folder_is_synced() {
        let is_there = |syncs_folder: bool, seed: u64| {
            let mut disk = Disk::new(Seed(seed));
            disk.open("a", syncs_folder).unwrap();
            disk.sync("a").unwrap();
            disk.crash(Crash::Machine);
            disk.exists("a")
        };
        assert!((0..50).all(|seed| is_there(true, seed)));
        assert!((0..50).any(|seed| is_there(false, seed)) && (0..50).any(|seed| !is_there(false, seed)));
    }

    #[test]
    fn a_crash_of_the_process_loses_nothing_that_was_written() {
        let mut disk = Disk::new(Seed(1));
        disk.open("a", true).unwrap();
        disk.write("a", 0, b"seen").unwrap();
        disk.crash(Crash::Process);
        assert_eq!(content(&mut disk, "a"), b"seen");
        // The new name was never synced, so a power failure may undo it and bring back the old file.
        assert!(disk.has_unsynced());
    }

    #[test]
    fn a_sync_that_lies_keeps_nothing() {
        let lost = (0..100).any(|seed| {
            let mut disk = Disk::new(Seed(seed));
            disk.open("a", true).unwrap();
            disk.sync("a").unwrap();
            disk.trouble.sync_lies = true;
            disk.write("a", 0, b"gone").unwrap();
            disk.sync("a").unwrap();
            disk.crash(Crash::Machine);
            content(&mut disk, "a").is_empty()
        });
        assert!(lost);
    }

    #[test]
    fn a_full_disk_takes_what_fits_and_whoever_dies_at_an_operation_is_dead_from_there_on() {
        let mut disk = Disk::new(Seed(1));
        disk.open("a", true).unwrap();
        disk.write("a", 0, b"1234").unwrap();
        disk.trouble.is_full = true;
        assert_eq!(disk.write("a", 2, b"xyz"), Err(DiskError::Full));
        disk.write("a", 2, b"xy").unwrap();
        disk.trouble = Trouble { fails: Some(Operation::Sync), ..Trouble::default() };
        assert_eq!(disk.sync("a"), Err(DiskError::Failed));
        disk.trouble = Trouble::default();
        disk.die_in(1, Crash::Machine);
        disk.write("a", 0, b"z").unwrap();
        assert_eq!(disk.write("a", 0, b"!"), Err(DiskError::Dead));
        assert_eq!((disk.sync("a"), disk.died()), (Err(DiskError::Dead), Some(Crash::Machine)));
        disk.crash(Crash::Process);
        assert_eq!(content(&mut disk, "a"), b"z2xy");
    }
}
