//! Four calls and two questions: all that a lock or a lease has to answer to be put to the test.

use std::future::Future;
use std::time::Duration;

/// Whoever decides leases, or speaks to whoever does. A key has at most one holder at a time; whoever wants it presents a
/// grant with every later call. In an `impl`, each method may be written as an `async fn`.
pub trait LeaseService: Send + Sync + 'static {
    /// A holder presents it with each call: a fence, a token, a version, or all of them. Equal grants are the same acquisition.
    type Grant: Clone + PartialEq + Send + Sync;

    /// Takes the key for `owner`, for as long as `ttl`. No two contenders ever have the same name, and a contender that comes
    /// again has another.
    fn acquire(
        &self,
        key: &str,
        owner: &str,
        ttl: Duration,
    ) -> impl Future<Output = Result<Acquired<Self::Grant>, LeaseError>> + Send;

    /// Keeps the grant for `ttl` from now, or says that it is lost.
    fn renew(
        &self,
        grant: &Self::Grant,
        ttl: Duration,
    ) -> impl Future<Output = Result<Renewed<Self::Grant>, LeaseError>> + Send;

    /// Ends this grant and no other. A grant that is gone already is no error.
    fn release(&self, grant: &Self::Grant) -> impl Future<Output = Result<(), LeaseError>> + Send;

    /// Writes to what the lease protects. As it stands here it writes to a cell that nobody guards: then
    /// [`LeaseClaim::WritesAreFenced`](super::LeaseClaim::WritesAreFenced) cannot be kept.
    fn write(
        &self,
        _grant: &Self::Grant,
        _value: u64,
    ) -> impl Future<Output = Result<Wrote, LeaseError>> + Send {
        async { Ok(Wrote::Done) }
    }

    /// The number by which others can tell a later grant of the key from an earlier one; none, if there is none.
    fn fence(&self, _grant: &Self::Grant) -> Option<u64> {
        None
    }

    /// Does this grant hold its key now? None: it cannot be asked. Two grants of a key that both do are an overlap.
    fn believes(&self, _grant: &Self::Grant) -> Option<bool> {
        None
    }
}

/// The answer of [`LeaseService::acquire`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acquired<G> {
    Granted(G),
    /// Somebody else has the key.
    HeldByAnother,
}

/// The answer of [`LeaseService::renew`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renewed<G> {
    /// The same acquisition, with what its holder presents from now on.
    Kept(G),
    Lost,
}

/// The answer of [`LeaseService::write`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrote {
    Done,
    /// Nothing was written: the grant no longer holds the key.
    Refused,
}

/// The service failed before it changed anything, and why. A service that decides in its own process knows so much; answers
/// get lost between it and its contenders, which is the plan's affair.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the service failed before it changed anything: {0}")]
pub struct LeaseError(pub String);
