//! dlock by its calls: acquire, retry, renew and release, driven by the harness's contenders. The resource is guarded as dlock's
//! README has it: it refuses a token below the highest that it has seen.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dlock::error::DLockError;
use dlock::{DLock, DynamodbLease, DynamodbProvider, DynamodbRetry, Lease};
use fencepost_sim::lease::{Acquired, LeaseError, LeasePlace, LeaseService, Renewed, Wrote};

use crate::table::{TABLE, Table};
use crate::wire;

pub struct ByCalls {
    provider: DynamodbProvider,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    grants: u64,
    /// The answer of dlock to a contender who came in vain, by key and node. It lets the contender take over from a dead holder.
    retries: BTreeMap<(String, String), DynamodbRetry>,
    highest_tokens: BTreeMap<String, u64>,
}

/// dlock's lease, whose id changes with every renewal, and the number of the acquisition it began with.
#[derive(Debug, Clone)]
pub struct Held {
    number: u64,
    key: String,
    lease: DynamodbLease,
}

impl Held {
    pub fn token(&self) -> u64 {
        self.lease.token()
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl ByCalls {
    pub fn open(place: LeasePlace) -> Self {
        let client = wire::client_beside(&Arc::new(Table::open(place)));
        let provider = DynamodbProvider::builder().client(client).table_name(TABLE.to_owned()).build();
        Self { provider, state: Mutex::default() }
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl LeaseService for ByCalls {
    type Grant = Held;

    async fn acquire(&self, key: &str, owner: &str, ttl: Duration) -> Result<Acquired<Held>, LeaseError> {
        let lock = DLock::builder()
            .name(key.to_owned())
            .owner(owner.to_owned())
            .duration(ttl)
            .provider(self.provider.clone())
            .build();
        // A contender that comes again has another name, on the same node.
        let node = owner.split('/').next().unwrap_or(owner);
        let contender = (key.to_owned(), node.to_owned());
        let answer = match self.with(|state| state.retries.remove(&contender)) {
            Some(retry) => lock.retry(retry).await,
            None => lock.acquire().await,
        };
        match answer {
            Ok(lease) => {
                let number = self.with(|state| {
                    state.grants += 1;
                    state.grants
                });
                Ok(Acquired::Granted(Held { number, key: key.to_owned(), lease }))
            }
            Err(DLockError::AlreadyAcquired(retry)) => {
                self.with(|state| state.retries.insert(contender, retry));
                Ok(Acquired::HeldByAnother)
            }
            // The lease it waited for is gone or renewed: it begins again, as `DLock::with` does.
            Err(DLockError::AlreadyReleased) => Ok(Acquired::HeldByAnother),
            Err(DLockError::ProviderError(error)) => Err(LeaseError(error.to_string())),
        }
    }

    async fn renew(&self, held: &Held, _: Duration) -> Result<Renewed<Held>, LeaseError> {
        match held.lease.renew().await {
            Ok(lease) => Ok(Renewed::Kept(Held { lease, ..held.clone() })),
            Err(DLockError::ProviderError(error)) => Err(LeaseError(error.to_string())),
            Err(DLockError::AlreadyReleased | DLockError::AlreadyAcquired(())) => Ok(Renewed::Lost),
        }
    }

    async fn release(&self, held: &Held) -> Result<(), LeaseError> {
        match held.lease.release().await {
            Err(DLockError::ProviderError(error)) => Err(LeaseError(error.to_string())),
            Ok(()) | Err(DLockError::AlreadyReleased | DLockError::AlreadyAcquired(())) => Ok(()),
        }
    }

    async fn write(&self, held: &Held, _: u64) -> Result<Wrote, LeaseError> {
        let token = held.token();
        Ok(self.with(|state| {
            let highest = state.highest_tokens.entry(held.key.clone()).or_default();
            if token < *highest {
                return Wrote::Refused;
            }
            *highest = token;
            Wrote::Done
        }))
    }

    /// dlock's tokens begin at 0, the harness's fences at 1.
    fn fence(&self, held: &Held) -> Option<u64> {
        Some(held.token() + 1)
    }
}
