//! One file: its content now, the content that would survive the machine, and the unsynced changes between the two.

use crate::plan::chance::{Purpose, Seed, below};

#[derive(Default)]
pub struct File {
    pub now: Vec<u8>,
    pub durable: Vec<u8>,
    pub unsynced: Vec<Change>,
    pub is_there: bool,
    /// Its name would survive the machine.
    pub is_durably_there: bool,
    /// Its next sync makes the names of all files durable.
    pub syncs_folder: bool,
}

pub enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate { to: usize },
}

impl Change {
    /// Applies the first `kept` bytes of a write. The next byte is made wrong: if it happened to be right, a frame could be
    /// whole although it was torn.
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

    /// Applies the change; of a write, its first `kept` bytes.
    pub fn apply(&self, content: &mut Vec<u8>, kept: usize) {
        match self {
            Self::Truncate { to } => content.resize(*to, 0),
            Self::Write { at, bytes } => {
                let bytes = &bytes[..kept.min(bytes.len())];
                if bytes.is_empty() {
                    return;
                }
                if content.len() < *at {
                    // A hole reads as zeros.
                    content.resize(*at, 0);
                }
                let (over, beyond) = bytes.split_at(bytes.len().min(content.len() - at));
                content[*at..at + over.len()].copy_from_slice(over);
                content.extend_from_slice(beyond);
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

/// The treatment of unsynced changes in a crash of the machine.
#[derive(Clone, Copy)]
enum Manner {
    LosesAll,
    KeepsAll,
    /// In the order they were made, up to one that is torn.
    KeepsTheFirst(usize),
    /// Each is lost, kept or torn by itself: disks write in any order.
    EachByChance,
}

impl File {
    /// Makes a change that is not synced yet.
    pub fn change(&mut self, change: Change) {
        change.apply(&mut self.now, usize::MAX);
        self.unsynced.push(change);
    }

    /// Loses, keeps or tears each unsynced change, drawn from the seed and the key.
    pub fn lose_power(&mut self, seed: Seed, key: u64) {
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
            // Making or deleting a name was not synced: it took effect, or it did not.
            self.is_there = draw(u64::MAX) & 1 == 1;
            self.is_durably_there = self.is_there;
        }
        self.now.clone_from(&self.durable);
    }
}
