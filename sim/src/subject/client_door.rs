//! Somebody else's client of leases as a subject: how its store is opened, and how one candidate is run.

use std::sync::Arc;
use std::time::Duration;

use fencepost::environment::BoxFuture;
use fencepost::registry::calls::Facade;

use crate::lease::{
    AnyStore, Candidacy, LeaderRows, Leadership, LeaseClient, LeasePlace, LeaseStore, StoreLine, StoreLink,
};
use crate::subject::factories::{OpenRegistry, OpenedRegistry};

/// Runs a client of any type in front of a store of any type.
#[derive(Clone)]
pub struct ClientDoor {
    pub(crate) open_store: Arc<dyn Fn(LeasePlace) -> Arc<dyn AnyStore> + Send + Sync>,
    pub(crate) contend: Arc<dyn Fn(CandidacyPlace) -> BoxFuture<'static, ()> + Send + Sync>,
}

/// Everything a candidate is made from, whatever its store.
pub(crate) struct CandidacyPlace {
    pub key: String,
    pub owner: String,
    pub ttl: Duration,
    pub renew: Duration,
    pub line: Arc<dyn StoreLine>,
    pub leadership: Leadership,
}

impl ClientDoor {
    pub(super) fn new<C: LeaseClient>(
        open_store: impl Fn(LeasePlace) -> C::Store + Send + Sync + 'static,
        client: C,
    ) -> Self {
        let client = Arc::new(client);
        Self {
            open_store: Arc::new(move |place| Arc::new(open_store(place))),
            contend: Arc::new(move |place| Box::pin(Arc::clone(&client).contend(candidacy(place)))),
        }
    }

    /// The rows of keys, as a registry.
    pub(super) fn open_rows() -> OpenRegistry {
        Arc::new(|place| {
            let rows = Arc::new(LeaderRows::open(place.environment));
            Ok(OpenedRegistry { registry: Arc::new(Facade(rows)), beliefs: None })
        })
    }
}

fn candidacy<S: LeaseStore>(place: CandidacyPlace) -> Candidacy<S> {
    let CandidacyPlace { key, owner, ttl, renew, line, leadership } = place;
    Candidacy { key, owner, ttl, renew, store: StoreLink::new(line), leadership }
}
