//! What a disk keeps: of every file what is there now, what would survive the machine, and the changes between the two. A
//! crash of the process leaves what is there now; a crash of the machine loses, keeps or tears each unsynced change.

use std::collections::BTreeMap;

use crate::plan::chance::{Purpose, Seed, below};

/// What dies: one takes handles and locks with it, the other unsynced writes too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Crash {
    #[default]
    Process,
    Machine,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskError {
    /// The operation failed.
    Failed,
    Full,
    /// Whoever opened the file is dead.
    Dead,
}

/// What can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Read,
    Write,
    Sync,
}

/// What is wrong with the disk for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trouble {
    /// All operations of this kind fail.
    pub fails: Option<Operation>,
    /// Any operation fails, one in four.
    pub is_shaky: bool,
    /// No file grows.
    pub is_full: bool,
    /// A sync says that it was done, and was not.
    pub sync_lies: bool,
}

/// What is to go wrong with a disk, while it is set aside.
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
    /// Operations so far: they key what fails.
    operations: u64,
    /// Death at an operation to come.
    dies_at: Option<(u64, Crash)>,
    died: Option<Crash>,
    crashes: u64,
    /// Moves at every crash: what was opened before is dead.
    generation: u64,
    /// A planted bug of an opening store: its syncs do nothing, and it leaves its log alone.
    pub opens_without_sync: bool,
}

#[derive(Default)]
struct File {
    now: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Change>,
    is_there: bool,
    /// Whether its name would survive the machine.
    is_durably_there: bool,
    /// Its next sync makes the names of all files durable.
    syncs_folder: bool,
}

enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate { to: usize },
}

impl Change {
    /// The part of a write that a failing machine still made. What follows it is not what was there by chance: then a frame
    /// could be whole although it was torn.
    fn apply_torn(&self, content: &mut Vec<u8>, kept: usize) {
        self.apply(content, kept);
        if let Self::Write { at, bytes } = self
            && kept < bytes.len()
        {
            let lost = at + kept;
            if content.len() <= lost {
                content.resize(lost + 1, 0);
            }
            content[lost] = !bytes[kept];
        }
    }

    /// `kept`: of a write, how many of its bytes.
    fn apply(&self, content: &mut Vec<u8>, kept: usize) {
        match self {
            Self::Truncate { to } => content.resize(*to, 0),
            Self::Write { at, bytes } => {
                let bytes = &bytes[..kept.min(bytes.len())];
                if bytes.is_empty() {
                    return;
                }
                if content.len() < at + bytes.len() {
                    content.resize(at + bytes.len(), 0);
                }
                content[*at..at + bytes.len()].copy_from_slice(bytes);
            }
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Truncate { .. } => 0,
            Self::Write { bytes, .. } => bytes.len(),
        }
    }
}

/// How a crash of the machine treats what was not synced.
#[derive(Clone, Copy)]
enum Manner {
    LosesAll,
    KeepsAll,
    /// In the order they were made, up to one that is torn.
    KeepsTheFirst(usize),
    /// Each by itself: disks write in any order.
    EachByChance,
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

    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// From the given operation on, counted from the next one, everything that uses the disk is dead.
    pub fn die_in(&mut self, operations: u64, of: Crash) {
        self.dies_at = Some((self.operations + operations, of));
    }

    /// What it died of, since the last crash was dealt with.
    pub fn died(&self) -> Option<Crash> {
        self.died
    }

    /// Nobody will die at an operation to come.
    pub fn lets_live(&mut self) {
        self.dies_at = None;
    }

    pub fn is_in_trouble(&self) -> bool {
        self.dies_at.is_some() || self.trouble != Trouble::default()
    }

    /// Whether anything was written that the machine may yet lose.
    pub fn has_unsynced(&self) -> bool {
        let is_write = |change: &Change| matches!(change, Change::Write { .. });
        self.files.values().any(|file| file.unsynced.iter().any(is_write))
    }

    /// Whoever uses the disk is dead from here on, though nobody has dealt with it yet.
    pub fn kill(&mut self, of: Crash) {
        self.died = Some(of);
    }

    /// A sound disk, for somebody who looks from outside of the run.
    pub fn set_aside(&mut self) -> SetAside {
        SetAside {
            trouble: std::mem::take(&mut self.trouble),
            dies_at: self.dies_at.take(),
            operations: self.operations,
        }
    }

    /// As it was before [`Self::set_aside`].
    pub fn bring_back(&mut self, aside: SetAside) {
        self.trouble = aside.trouble;
        self.dies_at = aside.dies_at;
        self.operations = aside.operations;
    }

    /// Whoever used the disk is gone, and with the machine what it was not made to keep.
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

    /// Asked before every operation.
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

    /// `is_synced`: the name is gone for good at once.
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

    /// How many bytes there were.
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

impl File {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.now, usize::MAX);
        self.unsynced.push(change);
    }

    fn lose_power(&mut self, seed: Seed, key: u64) {
        let draw = |what: u64| seed.draw(Purpose::Disk, [key, what]);
        let count = self.unsynced.len() as u64;
        let manner = match draw(0) % 4 {
            0 => Manner::LosesAll,
            1 => Manner::KeepsAll,
            2 => Manner::KeepsTheFirst(below(draw(1), count + 1) as usize),
            _ => Manner::EachByChance,
        };
        for (place, change) in self.unsynced.drain(..).enumerate() {
            let luck = draw(place as u64 + 2);
            let torn = below(luck.rotate_left(32), change.size() as u64 + 1) as usize;
            let kept = match manner {
                Manner::LosesAll => None,
                Manner::KeepsAll => Some(usize::MAX),
                Manner::KeepsTheFirst(first) if place < first => Some(usize::MAX),
                Manner::KeepsTheFirst(first) => (place == first).then_some(torn),
                Manner::EachByChance => [None, Some(usize::MAX), Some(torn)][(luck % 3) as usize],
            };
            match kept {
                Some(usize::MAX) => change.apply(&mut self.durable, usize::MAX),
                Some(kept) => change.apply_torn(&mut self.durable, kept),
                None => {}
            }
        }
        if self.is_there != self.is_durably_there {
            // A name that was made or deleted and not synced is there, or is not.
            self.is_there = draw(u64::MAX) & 1 == 1;
            self.is_durably_there = self.is_there;
        }
        self.now.clone_from(&self.durable);
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
        // It was never synced: the machine may still take it, and a synced name keeps what it had.
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
