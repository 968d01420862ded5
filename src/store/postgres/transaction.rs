//! One call's transaction: its locks and its one reading of the clock, the rows that were foreseen, what it wrote, and
//! its end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tokio_postgres::Row;

use crate::model::error::{RegistryError, RegistryResult};
use crate::model::process::ProcessId;
use crate::store::columns::to_column;
use crate::store::footprint::{Footprint, RowsRead, Subjects};
use crate::store::postgres::columns::{column, id_column};
use crate::store::postgres::connection::{BoundStatement, Connection};
use crate::store::postgres::failure::TripFailure;
use crate::store::postgres::keys::to_key;
use crate::store::postgres::queries::{
    BEGIN, BEGIN_READING, COMMIT, ENDED_THROUGH, EVENT_TOTALS, HIGH_WATERS, LOCK, LOCK_EVERYTHING,
    LOCK_IN_ORDER, LOCK_NAME, LOCK_NAME_SHARED, MAKE_LOCKABLE, READ_CLOCK, STILL_ENDED_THROUGH,
    SUBJECTS_OF_SESSION, keys, lease_rows, lock_number, question,
};
use crate::store::postgres::writes::PendingWrites;
use crate::store::rows::Access;

const BEGIN_CALL: &str = "begin a call";
const READ: &str = "read the database";

/// A transaction under way.
pub(super) struct CallTransaction<'a> {
    connection: &'a mut Connection,
    pub(super) now_ms: u64,
    foreseen: VecDeque<(RowsRead, Vec<Row>)>,
    /// The locked processes that a prune may take, and how many events each has.
    prunable: Option<(Vec<ProcessId>, BTreeMap<ProcessId, u64>)>,
    /// Processes without a row of `ids` to lock: they were unknown when the lock was asked for.
    unlocked: BTreeSet<ProcessId>,
    /// Processes whose rows are no longer what was read.
    written: BTreeSet<ProcessId>,
    pub(super) pending: PendingWrites,
    has_written: bool,
    has_ended: bool,
}

impl<'a> CallTransaction<'a> {
    /// Locks what the footprint names, reads the clock, and reads what is foreseen.
    pub(super) fn begin(
        connection: &'a mut Connection,
        access: Access,
        footprint: &Footprint,
    ) -> Result<Self, TripFailure> {
        let mut transaction = Self {
            connection,
            now_ms: 0,
            foreseen: VecDeque::new(),
            prunable: None,
            unlocked: BTreeSet::new(),
            written: BTreeSet::new(),
            pending: PendingWrites::default(),
            has_written: false,
            has_ended: false,
        };
        match access {
            Access::Read => transaction.begin_reading(footprint)?,
            Access::Write => transaction.begin_writing(footprint)?,
        }
        Ok(transaction)
    }

    /// A call whose rows are all foreseen is over when they are read.
    fn begin_reading(&mut self, footprint: &Footprint) -> Result<(), TripFailure> {
        let is_foreseen = footprint.subjects != Subjects::Everything;
        let ends = if is_foreseen { vec![BoundStatement::new(COMMIT)] } else { Vec::new() };
        self.ask(vec![BoundStatement::new(BEGIN_READING)], &footprint.reads, ends)?;
        self.has_ended = is_foreseen;
        Ok(())
    }

    fn begin_writing(&mut self, footprint: &Footprint) -> Result<(), TripFailure> {
        let schema = self.connection.options().schema.clone();
        let name = |kind: &str, name: &str| lock_number(&schema, kind, name);
        let mut locks = vec![BoundStatement::new(BEGIN)];
        // Names before processes, and each kind in one order: nobody waits in a circle.
        let joined: BTreeSet<i64> =
            footprint.joined_sessions.iter().map(|session| name("session", session)).collect();
        locks.extend(joined.into_iter().map(|number| BoundStatement::new(LOCK_NAME_SHARED).bind(number)));
        match &footprint.subjects {
            Subjects::Everything => locks.push(BoundStatement::new(LOCK_EVERYTHING)),
            Subjects::New(id) => {
                locks.push(BoundStatement::new(MAKE_LOCKABLE).bind(to_key(id)).bind(to_column(0)));
                locks.push(BoundStatement::new(LOCK).bind(to_key(id)));
            }
            Subjects::Known(ids) => {
                self.unlocked = ids.iter().cloned().collect();
                match ids.as_slice() {
                    [] => {}
                    [id] => locks.push(BoundStatement::new(LOCK).bind(to_key(id))),
                    many => locks.push(BoundStatement::new(LOCK_IN_ORDER).bind(keys(many))),
                }
            }
            // Whoever adds to the session holds its name until it has committed, so the answer only becomes shorter.
            Subjects::OfSession(session) => {
                locks.push(BoundStatement::new(LOCK_NAME).bind(name("session", session)));
                locks.push(BoundStatement::new(SUBJECTS_OF_SESSION).bind(to_key(session)));
                let found = self.find(&locks)?;
                locks = vec![BoundStatement::new(LOCK_IN_ORDER).bind(keys(&found))];
            }
            // One prune at a time, so that what is found cannot be pruned and registered anew before it is locked.
            Subjects::EndedThrough(instant) => {
                locks.push(BoundStatement::new(LOCK_NAME).bind(name("prune", "")));
                locks.push(BoundStatement::new(ENDED_THROUGH).bind(to_column(*instant)));
                let found = self.find(&locks)?;
                return self.begin_prune(*instant, found);
            }
        }
        self.ask(locks, &footprint.reads, Vec::new())
    }

    /// The ids that the last of these requests answers.
    fn find(&mut self, requests: &[BoundStatement]) -> Result<Vec<ProcessId>, TripFailure> {
        let answers = self.connection.trip(requests)?;
        let rows = answers.last().map(Vec::as_slice).unwrap_or_default();
        rows.iter().map(|row| id_column(row, 0).map_err(TripFailure::unreadable)).collect()
    }

    /// Asks at once about all processes that a prune may take.
    fn begin_prune(&mut self, instant: u64, found: Vec<ProcessId>) -> Result<(), TripFailure> {
        let requests = vec![
            BoundStatement::new(LOCK_IN_ORDER).bind(keys(&found)),
            BoundStatement::new(READ_CLOCK),
            BoundStatement::new(STILL_ENDED_THROUGH).bind(to_column(instant)).bind(keys(&found)),
            lease_rows(&found),
            BoundStatement::new(HIGH_WATERS).bind(keys(&found)),
            BoundStatement::new(EVENT_TOTALS).bind(keys(&found)),
        ];
        let mut answers = self.connection.trip(&requests)?.into_iter().skip(1);
        let mut next = || answers.next().unwrap_or_default();
        self.now_ms = clock(&next())?;
        let (ended, leases, high_waters, totals) = (next(), next(), next(), next());
        // The order in which they are asked for: those of one process stand beside each other.
        let by_id = |rows: Vec<Row>, index: usize| -> Result<BTreeMap<ProcessId, Row>, TripFailure> {
            let named = rows.into_iter().map(|row| Ok((id_column(&row, index)?, row)));
            named.collect::<RegistryResult<_>>().map_err(TripFailure::unreadable)
        };
        let (mut leases, mut high_waters) = (by_id(leases, 6)?, by_id(high_waters, 0)?);
        let in_order: Vec<ProcessId> = ended
            .iter()
            .map(|row| id_column(row, 0))
            .collect::<RegistryResult<_>>()
            .map_err(TripFailure::unreadable)?;
        self.foreseen.push_back((RowsRead::EndedThrough(instant), ended));
        for id in in_order {
            let lease = leases.remove(&id).into_iter().collect();
            let high_water = high_waters.remove(&id).into_iter().collect();
            self.foreseen.push_back((RowsRead::LeaseRow(id.clone()), lease));
            self.foreseen.push_back((RowsRead::HighWater(id), high_water));
        }
        let mut counts = BTreeMap::new();
        for row in totals {
            let id = id_column(&row, 0).map_err(TripFailure::unreadable)?;
            counts.insert(id, row.get::<_, i64>(1).unsigned_abs());
        }
        self.prunable = Some((found, counts));
        Ok(())
    }

    /// One round trip: locks, the clock, the rows, and what stands behind them.
    fn ask(
        &mut self,
        locks: Vec<BoundStatement>,
        reads: &[RowsRead],
        ends: Vec<BoundStatement>,
    ) -> Result<(), TripFailure> {
        let clock_at = locks.len();
        let mut requests = locks;
        requests.push(BoundStatement::new(READ_CLOCK));
        requests.extend(reads.iter().map(question));
        requests.extend(ends);
        let mut answers = self.connection.trip(&requests)?;
        let rows = answers.split_off(clock_at.min(answers.len()));
        // The last of the locks is the one on the processes, if there are any.
        let locked = answers.last().filter(|_| !self.unlocked.is_empty());
        for row in locked.into_iter().flatten() {
            self.unlocked.remove(&id_column(row, 0).map_err(TripFailure::unreadable)?);
        }
        let mut rows = rows.into_iter();
        self.now_ms = clock(&rows.next().unwrap_or_default())?;
        for (read, rows) in reads.iter().zip(rows) {
            let rows = if self.came_too_late(read, &rows) { Vec::new() } else { rows };
            self.foreseen.push_back((read.clone(), rows));
        }
        Ok(())
    }

    /// True for rows of a process that was registered after the lock on it found nothing to lock: this call does not see
    /// it yet. A process that has no row of `ids` even now is damaged, and will be told as such.
    fn came_too_late(&self, read: &RowsRead, rows: &[Row]) -> bool {
        let Some(id) = read.process_id().filter(|id| self.unlocked.contains(*id)) else { return false };
        let fence_at = match read {
            RowsRead::LeaseRow(_) => 0,
            RowsRead::StoredProcess(_) => 8,
            _ => return true,
        };
        rows.first().is_some_and(|row| !matches!(column::<Option<i64>>(id, row, fence_at), Ok(None)))
    }

    /// The rows that answer the question: those that were foreseen, unless this step has changed them.
    pub(super) fn rows(&mut self, read: &RowsRead) -> RegistryResult<Vec<Row>> {
        let place = self.foreseen.iter().position(|(foreseen, _)| foreseen == read);
        if let Some((_, rows)) = place.and_then(|place| self.foreseen.remove(place)) {
            let is_fresh = match read.process_id() {
                Some(id) => !self.written.contains(id),
                None => self.written.is_empty(),
            };
            if is_fresh {
                return Ok(rows);
            }
        }
        if self.has_ended {
            return Err(RegistryError::backend(
                READ,
                "a step that only reads asked for rows it had not named",
            ));
        }
        let (ids, mut requests) = self.pending.take();
        let asked_at = requests.len();
        requests.push(question(read));
        match self.connection.trip(&requests) {
            Ok(answers) => Ok(answers.into_iter().next_back().unwrap_or_default()),
            Err(failure) if failure.at < asked_at => Err(write_failed(&ids, &failure)),
            Err(failure) => Err(RegistryError::backend(READ, failure.cause)),
        }
    }

    /// How many events the process has, for a prune that takes it.
    pub(super) fn event_total(&mut self, process_id: &str) -> RegistryResult<u64> {
        if let Some((_, totals)) =
            self.prunable.as_ref().filter(|(found, _)| found.iter().any(|id| id == process_id))
        {
            return Ok(totals.get(process_id).copied().unwrap_or_default());
        }
        let (_, mut requests) = self.pending.take();
        requests.push(BoundStatement::new(EVENT_TOTALS).bind(vec![to_key(process_id)]));
        let answers = self.connection.trip(&requests);
        let answers = answers.map_err(|failure| RegistryError::backend(READ, failure.cause))?;
        let count = answers.last().and_then(|rows| rows.first()).map(|row| row.get::<_, i64>(1));
        Ok(count.unwrap_or_default().unsigned_abs())
    }

    /// Says that this step changes rows of the process.
    pub(super) fn touch(&mut self, process_id: &str) {
        self.has_written = true;
        if !self.written.contains(process_id) {
            self.written.insert(process_id.to_owned());
        }
    }

    /// Sends what was written, and the commit. True when the connection can be used again.
    pub(super) fn commit(mut self) -> (bool, RegistryResult<()>) {
        if self.has_ended {
            return (true, Ok(()));
        }
        let (ids, mut requests) = self.pending.take();
        let commit_at = requests.len();
        requests.push(BoundStatement::new(COMMIT));
        let sent: Vec<_> = requests.iter().map(|request| request.sql.clone()).collect();
        // Before COMMIT is on its way: a failure here is known to have changed nothing.
        if let Err(failure) = self.connection.prepare(&sent) {
            return (false, Err(RegistryError::backend("write the database", failure.cause)));
        }
        match self.connection.trip(&requests) {
            Ok(_) => {
                self.connection.counters.commits += u64::from(self.has_written);
                (true, Ok(()))
            }
            // The server refused a write, so the COMMIT behind it was a rollback.
            Err(failure) if failure.at < commit_at && failure.is_told => {
                (!failure.is_lost, Err(write_failed(&ids, &failure)))
            }
            Err(failure) if !self.has_written => {
                (false, Err(RegistryError::backend("end a call", failure.cause)))
            }
            Err(failure) => (false, Err(RegistryError::unavailable("commit", failure.cause))),
        }
    }

    /// Takes everything back. True when the connection can be used again.
    pub(super) fn roll_back(self) -> bool {
        self.has_ended || self.connection.roll_back()
    }
}

/// The error of a call that could not begin.
pub(super) fn begin_failed(failure: TripFailure) -> RegistryError {
    RegistryError::backend(BEGIN_CALL, failure.cause)
}

fn write_failed(ids: &[ProcessId], failure: &TripFailure) -> RegistryError {
    let id = ids.get(failure.at).map(String::as_str).unwrap_or_default();
    RegistryError::damaged("write the database", id, &failure.cause)
}

fn clock(rows: &[Row]) -> Result<u64, TripFailure> {
    let reading = rows.first().and_then(|row| row.try_get::<_, i64>(0).ok());
    reading
        .and_then(|reading| u64::try_from(reading).ok())
        .ok_or_else(|| TripFailure::unreadable("the server's clock could not be read"))
}
