//! The other side of the door: the client is somebody else's, with its own loop and timers on tokio, and the store behind it is
//! simulated. [`LeaseClient`] is what an author writes around the client, [`LeaseStore`] the store it speaks to.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::lease::leadership::Leadership;
use crate::lease::store::{ConnectionLost, LeaseStore, StoreLine};

/// Somebody's client of leases. It has no way to be asked who leads, so it tells.
pub trait LeaseClient: Send + Sync + 'static {
    type Store: LeaseStore;

    /// Runs one candidate for one key until its work is done, on a tokio runtime of its own: it may sleep and spawn. It tells
    /// [`Candidacy::leadership`] whenever it begins or ends to take itself for the leader. A crash of its node drops it.
    fn contend(
        self: Arc<Self>,
        candidacy: Candidacy<Self::Store>,
    ) -> impl Future<Output = ()> + Send + 'static;
}

/// All that a candidate is given.
pub struct Candidacy<S> {
    pub key: String,
    /// The candidate's name. No other candidate for the key has it at the same time; a node that crashed may come back with
    /// the name it had.
    pub owner: String,
    /// How long a lease lasts, and how often its holder should renew it.
    pub ttl: Duration,
    pub renew: Duration,
    pub store: StoreLink<S>,
    pub leadership: Leadership,
}

/// A candidate's connection to the store, over the simulated network.
pub struct StoreLink<S> {
    line: Arc<dyn StoreLine>,
    store: PhantomData<fn() -> S>,
}

impl<S> Clone for StoreLink<S> {
    fn clone(&self) -> Self {
        Self { line: Arc::clone(&self.line), store: PhantomData }
    }
}

impl<S: LeaseStore> StoreLink<S> {
    pub(crate) fn new(line: Arc<dyn StoreLine>) -> Self {
        Self { line, store: PhantomData }
    }

    /// Sends a request and waits for its answer, as over a connection: what the network loses is sent again and arrives once,
    /// late. The error is that of a connection that broke: the store crashed, or was out of reach for too long. The request
    /// may have been carried out.
    pub async fn ask(&self, request: S::Request) -> Result<S::Answer, ConnectionLost> {
        let told = S::tell_request(&request);
        let answer = self.line.exchange(Arc::new(request), told).await?;
        match answer.downcast_ref::<S::Answer>() {
            Some(answer) => Ok(answer.clone()),
            None => unreachable!("a store answers in its own words"),
        }
    }
}
