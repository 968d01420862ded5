//! A lock in a map, under fencepost's harness. `docs/your-lease.md` leads through it; the glue is `tests/lock.rs`, and for the
//! command line `src/main.rs`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fencepost_sim::lease::{Acquired, LeaseError, LeasePlace, LeaseService, Renewed, Wrote};

/// Keys, each with its last lease. The fence stays when the lease is gone.
pub struct MapLock {
    place: LeasePlace,
    rows: Mutex<BTreeMap<String, Row>>,
}

#[derive(Default)]
struct Row {
    fence: u64,
    /// 0: given back.
    until_ms: u64,
    value: u64,
}

/// A holder presents it with each call.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticket {
    key: String,
    fence: u64,
}

impl MapLock {
    pub fn open(place: LeasePlace) -> Self {
        Self { place, rows: Mutex::default() }
    }

    /// One step: the lock first, then one reading of the clock.
    fn step<T>(&self, key: &str, decide: impl FnOnce(&mut Row, u64) -> T) -> T {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let now_ms = self.place.now_ms();
        decide(rows.entry(key.to_owned()).or_default(), now_ms)
    }
}

impl Row {
    fn is_held_by(&self, ticket: &Ticket, now_ms: u64) -> bool {
        self.fence == ticket.fence && now_ms < self.until_ms
    }
}

impl LeaseService for MapLock {
    type Grant = Ticket;

    async fn acquire(&self, key: &str, _owner: &str, ttl: Duration) -> Result<Acquired<Ticket>, LeaseError> {
        Ok(self.step(key, |row, now_ms| {
            if now_ms < row.until_ms {
                return Acquired::HeldByAnother;
            }
            row.fence += 1;
            row.until_ms = now_ms + ttl.as_millis() as u64;
            Acquired::Granted(Ticket { key: key.to_owned(), fence: row.fence })
        }))
    }

    async fn renew(&self, ticket: &Ticket, ttl: Duration) -> Result<Renewed<Ticket>, LeaseError> {
        Ok(self.step(&ticket.key, |row, now_ms| {
            if !row.is_held_by(ticket, now_ms) {
                return Renewed::Lost;
            }
            row.until_ms = row.until_ms.max(now_ms + ttl.as_millis() as u64);
            Renewed::Kept(ticket.clone())
        }))
    }

    async fn release(&self, ticket: &Ticket) -> Result<(), LeaseError> {
        self.step(&ticket.key, |row, _| {
            if row.fence == ticket.fence {
                row.until_ms = 0;
            }
        });
        Ok(())
    }

    async fn write(&self, ticket: &Ticket, value: u64) -> Result<Wrote, LeaseError> {
        Ok(self.step(&ticket.key, |row, now_ms| {
            if !row.is_held_by(ticket, now_ms) {
                return Wrote::Refused;
            }
            row.value = value;
            Wrote::Done
        }))
    }

    fn fence(&self, ticket: &Ticket) -> Option<u64> {
        Some(ticket.fence)
    }

    fn believes(&self, ticket: &Ticket) -> Option<bool> {
        Some(self.step(&ticket.key, |row, now_ms| row.is_held_by(ticket, now_ms)))
    }
}
