//! Sums over the runs of a search. They do not depend on the order of runs, so the sums of shards add up to the whole's.

use serde::Serialize;

use crate::coverage::{CoverageCounts, Mark};
use crate::judge::Verdict;
use crate::laws::{Finding, Laws};
use crate::plan::Store;
use crate::search::zombie_windows::ZombieWindows;
use crate::subject::Subject;

pub struct Tally {
    pub seeds: u64,
    pub calls: u64,
    pub events: u64,
    pub faults: u64,
    pub simulated_us: u64,
    /// All laws, in their usual order.
    pub laws: Vec<LawTally>,
    pub hits: CoverageCounts,
    /// The marks that runs of the subject can hit on one store or another.
    pub marks: Vec<Mark>,
    /// The longest time that anybody acted under a grant that was no longer live.
    pub zombie: Option<TimedSeed>,
    pub zombie_windows: ZombieWindows,
    /// The longest time that two contenders acted as the holder of one key; only for a lease service.
    pub overlap: Option<TimedSeed>,
    /// The hashes of all runs, each mixed with its seed, added up: two searches of the same seeds that agree here ran the
    /// same events.
    pub hash: u64,
}

/// A seed with a time: its longest zombie window, or the CPU time of its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TimedSeed {
    pub us: u64,
    pub seed: u64,
    pub store: Store,
}

/// The sums of one law.
#[derive(Debug, Clone, Serialize)]
pub struct LawTally {
    pub law: &'static str,
    #[serde(rename = "claimed")]
    pub is_claimed: bool,
    /// How often its situation was met.
    pub checked: u64,
    /// Runs in which it met its situation and held, was broken, or could not be told.
    pub held: u64,
    pub broken: u64,
    pub undecided: u64,
    /// Runs in which its situation was not met: they say nothing of it.
    pub not_reached: u64,
}

impl LawTally {
    /// No run put it to the test.
    pub fn is_not_reached(&self) -> bool {
        self.checked == 0 && self.broken == 0 && self.undecided == 0
    }
}

impl Tally {
    pub fn new(subject: &Subject) -> Self {
        let untouched = |law| LawTally {
            law,
            is_claimed: subject.claims(law),
            checked: 0,
            held: 0,
            broken: 0,
            undecided: 0,
            not_reached: 0,
        };
        // The marks are about registries and lease services. A client shows nothing of either.
        let can_be_hit = |mark: &Mark| {
            subject.lease_client.is_none() && (subject.lease_door.is_none() || !mark.needs_registry())
        };
        Self {
            seeds: 0,
            calls: 0,
            events: 0,
            faults: 0,
            simulated_us: 0,
            laws: Laws::names().into_iter().map(untouched).collect(),
            hits: CoverageCounts::default(),
            marks: Mark::ALL.iter().copied().filter(can_be_hit).collect(),
            zombie: None,
            zombie_windows: ZombieWindows::default(),
            overlap: None,
            hash: 0,
        }
    }

    pub fn add(&mut self, verdict: &Verdict, store: Store) {
        self.zombie = longer(self.zombie, TimedSeed { us: verdict.zombie_us, seed: verdict.seed, store });
        self.zombie_windows.add(verdict.zombie_us);
        if let Some(us) = verdict.overlap_us {
            self.overlap = longer(self.overlap, TimedSeed { us, seed: verdict.seed, store });
        }
        self.seeds += 1;
        self.hits.add(&verdict.hits);
        self.calls += verdict.outcome.calls;
        self.events += verdict.events;
        self.faults += verdict.outcome.faults;
        self.simulated_us += verdict.outcome.simulated_us;
        let of_store = match store {
            Store::Memory => 0x9e37_79b9_7f4a_7c15,
            Store::Sqlite => 0xd1b5_4a32_d192_ed03,
        };
        self.hash =
            self.hash.wrapping_add((verdict.hash ^ verdict.seed.rotate_left(32)).wrapping_mul(of_store));
        for judged in &verdict.findings {
            let Some(law) = self.laws.iter_mut().find(|law| law.law == judged.law) else { continue };
            law.checked += judged.checked;
            match judged.finding {
                Finding::Holds if judged.checked == 0 => law.not_reached += 1,
                Finding::Holds => law.held += 1,
                Finding::Broken { .. } => law.broken += 1,
                Finding::Undecided { .. } => law.undecided += 1,
            }
        }
    }

    pub fn undecided(&self) -> u64 {
        self.laws.iter().map(|law| law.undecided).sum()
    }
}

/// The longer of the two; of equals the first by store and seed.
pub fn longer(known: Option<TimedSeed>, other: TimedSeed) -> Option<TimedSeed> {
    match known {
        Some(known) if known.us > other.us => Some(known),
        Some(known)
            if known.us == other.us && (known.store as u8, known.seed) <= (other.store as u8, other.seed) =>
        {
            Some(known)
        }
        _ => Some(other),
    }
}
