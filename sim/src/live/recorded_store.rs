//! A store that writes down each decision while its lock is held: before the commit, so that whoever dies in between has left
//! what it was about to do. Whether such a commit happened shows in what the next decision about the process reads.

use std::sync::Arc;
use std::time::Duration;

use fencepost::model::error::RegistryResult;
use fencepost::model::process::DurabilityTier;
use fencepost::model::row::LeaseRow;
use fencepost::registry::calls::Call;
use fencepost::store::{Access, Footprint, Rows, Store};

use crate::live::journal::{Journal, JournalEntry};
use crate::live::machine;
use crate::live::machine_clock::now_ns;
use crate::live::watched_rows::{StepDeception, WatchedRows};
use crate::planted::live::LiveDefect;

pub struct RecordedStore<S> {
    store: S,
    journal: Arc<Journal>,
    defect: Option<LiveDefect>,
    /// The call that is being decided, and its number in this process.
    current: Option<(u64, Call)>,
}

impl<S: Store> RecordedStore<S> {
    pub fn new(store: S, journal: Arc<Journal>, defect: Option<LiveDefect>) -> Self {
        Self { store, journal, defect, current: None }
    }

    /// The next step belongs to this call.
    pub fn begin(&mut self, number: u64, call: &Call) {
        self.current = Some((number, call.clone()));
    }

    /// The planted bug of a claim that is decided before the lock: it looks, waits a moment, and believes what it saw.
    fn look_early(&mut self) -> RegistryResult<Option<LeaseRow>> {
        let Some((_, Call::ClaimProcessLease { process_id, .. })) = &self.current else { return Ok(None) };
        if self.defect != Some(LiveDefect::ClaimBeforeTheLock) {
            return Ok(None);
        }
        let reads = vec![fencepost::store::RowsRead::LeaseRow(process_id.clone())];
        let subjects = fencepost::store::Subjects::Known(Vec::new());
        let footprint = Footprint::of(subjects, reads);
        let process_id = process_id.clone();
        let row = self.store.atomically_on(Access::Read, &footprint, |rows| rows.lease_row(&process_id))?;
        pause(Duration::from_millis(20));
        Ok(Some(row))
    }
}

#[allow(clippy::disallowed_methods, reason = "a thread of its own waits, as a slow database client would")]
fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

impl<S: Store> Store for RecordedStore<S> {
    const TAKES_FOOTPRINTS: bool = S::TAKES_FOOTPRINTS;

    fn durability_tier(&self) -> DurabilityTier {
        self.store.durability_tier()
    }

    fn atomically<T>(
        &mut self,
        access: Access,
        step: impl FnOnce(&mut dyn Rows) -> RegistryResult<T>,
    ) -> RegistryResult<T> {
        self.atomically_on(access, &Footprint::everything(), step)
    }

    fn atomically_on<T>(
        &mut self,
        access: Access,
        footprint: &Footprint,
        step: impl FnOnce(&mut dyn Rows) -> RegistryResult<T>,
    ) -> RegistryResult<T> {
        let deception = StepDeception {
            hides_the_stores_clock: self.defect == Some(LiveDefect::ApplicationClock),
            earlier_lease_row: self.look_early()?,
        };
        let number = self.current.take().map(|(number, _)| number);
        let journal = &self.journal;
        self.store.atomically_on(access, footprint, |rows| {
            machine::forget_readings();
            let under_lock_ns = now_ns();
            let stores_clock_ms = rows.clock_reading_ms();
            let mut watched = WatchedRows::new(rows, deception);
            let result = step(&mut watched);
            let (wall_ms, entropy_bytes) = machine::readings();
            let mut facts = watched.facts;
            // A read has no lock: it is over before its place is noted.
            facts.at_ns = if access == Access::Read { now_ns() } else { under_lock_ns };
            facts.clock_ms = stores_clock_ms.or(wall_ms).unwrap_or_default();
            facts.entropy_bytes = entropy_bytes;
            if let Some(number) = number {
                journal.note(JournalEntry::Decided { number, facts: Box::new(facts) });
            }
            result
        })
    }
}
