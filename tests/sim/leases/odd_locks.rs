//! Locks around the honest toy that are odd in one way: lawful ones that must pass, and unlawful ones.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fencepost_sim::lease::{Acquired, LeaseError, LeasePlace, LeaseService, Renewed, Wrote};

use super::toy_lock::{Flaw, Ticket, ToyLock};

type Answer<T> = Result<T, LeaseError>;

/// When asked, a grant says that it holds its key until it is given back. It ignores the deadline.
pub struct BelievesForEver {
    lock: ToyLock,
    given_back: Mutex<Vec<Ticket>>,
}

impl BelievesForEver {
    pub fn open(place: LeasePlace) -> Self {
        Self { lock: ToyLock::open(Flaw::None)(place), given_back: Mutex::default() }
    }
}

impl LeaseService for BelievesForEver {
    type Grant = Ticket;

    async fn acquire(&self, key: &str, owner: &str, ttl: Duration) -> Answer<Acquired<Ticket>> {
        self.lock.acquire(key, owner, ttl).await
    }

    async fn renew(&self, ticket: &Ticket, ttl: Duration) -> Answer<Renewed<Ticket>> {
        self.lock.renew(ticket, ttl).await
    }

    async fn release(&self, ticket: &Ticket) -> Answer<()> {
        self.given_back.lock().unwrap().push(ticket.clone());
        self.lock.release(ticket).await
    }

    fn fence(&self, ticket: &Ticket) -> Option<u64> {
        self.lock.fence(ticket)
    }

    fn believes(&self, ticket: &Ticket) -> Option<bool> {
        Some(!self.given_back.lock().unwrap().contains(ticket))
    }
}

/// The protected resource takes writes from anybody, and nobody can ask this lock who holds a key.
pub struct WritesUnguarded(ToyLock);

impl WritesUnguarded {
    pub fn open(place: LeasePlace) -> Self {
        Self(ToyLock::open(Flaw::None)(place))
    }
}

impl LeaseService for WritesUnguarded {
    type Grant = Ticket;

    async fn acquire(&self, key: &str, owner: &str, ttl: Duration) -> Answer<Acquired<Ticket>> {
        self.0.acquire(key, owner, ttl).await
    }

    async fn renew(&self, ticket: &Ticket, ttl: Duration) -> Answer<Renewed<Ticket>> {
        self.0.renew(ticket, ttl).await
    }

    async fn release(&self, ticket: &Ticket) -> Answer<()> {
        self.0.release(ticket).await
    }

    fn fence(&self, ticket: &Ticket) -> Option<u64> {
        self.0.fence(ticket)
    }
}

/// Waits before and after each decision, which it makes in one step.
pub struct TakesItsTime {
    lock: ToyLock,
    place: LeasePlace,
}

impl TakesItsTime {
    pub fn open(place: LeasePlace) -> Self {
        Self { lock: ToyLock::open(Flaw::None)(place.clone()), place }
    }

    async fn rest(&self) {
        self.place.environment.sleep(Duration::from_millis(7)).await;
    }
}

impl LeaseService for TakesItsTime {
    type Grant = Ticket;

    async fn acquire(&self, key: &str, owner: &str, ttl: Duration) -> Answer<Acquired<Ticket>> {
        self.rest().await;
        let answer = self.lock.acquire(key, owner, ttl).await;
        self.rest().await;
        answer
    }

    async fn renew(&self, ticket: &Ticket, ttl: Duration) -> Answer<Renewed<Ticket>> {
        self.rest().await;
        let answer = self.lock.renew(ticket, ttl).await;
        self.rest().await;
        answer
    }

    async fn release(&self, ticket: &Ticket) -> Answer<()> {
        self.rest().await;
        self.lock.release(ticket).await
    }

    async fn write(&self, ticket: &Ticket, value: u64) -> Answer<Wrote> {
        self.rest().await;
        let answer = self.lock.write(ticket, value).await;
        self.rest().await;
        answer
    }

    fn fence(&self, ticket: &Ticket) -> Option<u64> {
        self.lock.fence(ticket)
    }
}

/// Every seventh call fails.
pub struct FailsNowAndThen {
    lock: ToyLock,
    calls: AtomicU64,
}

impl FailsNowAndThen {
    pub fn open(place: LeasePlace) -> Self {
        Self { lock: ToyLock::open(Flaw::None)(place), calls: AtomicU64::new(0) }
    }

    async fn answer<T>(&self, call: impl Future<Output = Answer<T>>) -> Answer<T> {
        match (self.calls.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(7) {
            true => Err(LeaseError("the connection was refused".to_owned())),
            false => call.await,
        }
    }
}

impl LeaseService for FailsNowAndThen {
    type Grant = Ticket;

    async fn acquire(&self, key: &str, owner: &str, ttl: Duration) -> Answer<Acquired<Ticket>> {
        self.answer(self.lock.acquire(key, owner, ttl)).await
    }

    async fn renew(&self, ticket: &Ticket, ttl: Duration) -> Answer<Renewed<Ticket>> {
        self.answer(self.lock.renew(ticket, ttl)).await
    }

    async fn release(&self, ticket: &Ticket) -> Answer<()> {
        self.answer(self.lock.release(ticket)).await
    }

    async fn write(&self, ticket: &Ticket, value: u64) -> Answer<Wrote> {
        self.answer(self.lock.write(ticket, value)).await
    }

    fn fence(&self, ticket: &Ticket) -> Option<u64> {
        self.lock.fence(ticket)
    }
}
