//! A lock in a `HashMap`, as a newcomer would write it: an honest one, and four that are each wrong in one place.

#![allow(clippy::disallowed_types, reason = "a newcomer's lock, in which nothing goes by the order of a map")]

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fencepost_sim::lease::{Acquired, LeaseError, LeasePlace, LeaseService, Renewed, Wrote};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    None,
    /// Anybody writes, whatever became of his grant.
    NoFenceCheck,
    /// Deadlines are set and read by the clock of whoever calls.
    ExpiryByTheCallersClock,
    /// Whoever releases a key ends its present grant.
    ReleaseWithoutToken,
    /// The fence is kept with the lock, and goes with it.
    FenceRestarts,
}

pub struct ToyLock {
    place: LeasePlace,
    flaw: Flaw,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    held: HashMap<String, Held>,
    fences: HashMap<String, u64>,
    cells: HashMap<String, u64>,
}

struct Held {
    owner: String,
    fence: u64,
    until_ms: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Ticket {
    key: String,
    owner: String,
    fence: u64,
}

impl ToyLock {
    pub fn open(flaw: Flaw) -> impl Fn(LeasePlace) -> Self + Send + Sync {
        move |place| Self { place, flaw, table: Mutex::default() }
    }

    fn now_ms(&self) -> u64 {
        match self.flaw {
            Flaw::ExpiryByTheCallersClock => self.place.callers_now_ms(),
            _ => self.place.now_ms(),
        }
    }

    fn with<T>(&self, step: impl FnOnce(&mut Table, u64) -> T) -> T {
        step(&mut self.table.lock().unwrap_or_else(PoisonError::into_inner), self.now_ms())
    }
}

impl Table {
    /// The ticket's own hold on its key, if it is there and unexpired.
    fn live(&mut self, ticket: &Ticket, now_ms: u64) -> Option<&mut Held> {
        let held = self.held.get_mut(&ticket.key)?;
        (held.owner == ticket.owner && held.fence == ticket.fence && now_ms < held.until_ms).then_some(held)
    }
}

impl LeaseService for ToyLock {
    type Grant = Ticket;

    async fn acquire(&self, key: &str, owner: &str, ttl: Duration) -> Result<Acquired<Ticket>, LeaseError> {
        Ok(self.with(|table, now_ms| {
            if table.held.get(key).is_some_and(|held| now_ms < held.until_ms) {
                return Acquired::HeldByAnother;
            }
            let expired = table.held.remove(key);
            let fence = match self.flaw {
                Flaw::FenceRestarts => expired.map_or(1, |held| held.fence + 1),
                _ => table.fences.get(key).copied().unwrap_or(0) + 1,
            };
            table.fences.insert(key.to_owned(), fence);
            let until_ms = now_ms + ttl.as_millis() as u64;
            table.held.insert(key.to_owned(), Held { owner: owner.to_owned(), fence, until_ms });
            Acquired::Granted(Ticket { key: key.to_owned(), owner: owner.to_owned(), fence })
        }))
    }

    async fn renew(&self, ticket: &Ticket, ttl: Duration) -> Result<Renewed<Ticket>, LeaseError> {
        Ok(self.with(|table, now_ms| match table.live(ticket, now_ms) {
            Some(held) => {
                held.until_ms = held.until_ms.max(now_ms + ttl.as_millis() as u64);
                Renewed::Kept(ticket.clone())
            }
            None => Renewed::Lost,
        }))
    }

    async fn release(&self, ticket: &Ticket) -> Result<(), LeaseError> {
        self.with(|table, _| {
            let is_own = |held: &Held| held.owner == ticket.owner && held.fence == ticket.fence;
            if self.flaw == Flaw::ReleaseWithoutToken || table.held.get(&ticket.key).is_some_and(is_own) {
                table.held.remove(&ticket.key);
            }
        });
        Ok(())
    }

    async fn write(&self, ticket: &Ticket, value: u64) -> Result<Wrote, LeaseError> {
        Ok(self.with(|table, now_ms| {
            if self.flaw != Flaw::NoFenceCheck && table.live(ticket, now_ms).is_none() {
                return Wrote::Refused;
            }
            table.cells.insert(ticket.key.clone(), value);
            Wrote::Done
        }))
    }

    fn fence(&self, ticket: &Ticket) -> Option<u64> {
        Some(ticket.fence)
    }

    fn believes(&self, ticket: &Ticket) -> Option<bool> {
        Some(self.with(|table, now_ms| table.live(ticket, now_ms).is_some()))
    }
}
