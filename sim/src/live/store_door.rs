//! Opens the store of a live run: for its workers and hosts, and for the conductor that looks at it when they are gone.

use std::sync::Arc;
use std::time::Duration;

use fencepost::environment::Environment;
use fencepost::store::{PostgresOptions, PostgresStore, SharedStore, SqliteOptions, SqliteStore};

use crate::live::journal::Journal;
use crate::live::live_error::LiveError;
use crate::live::recorded_registry::{RecordedRegistry, RegistryParts};
use crate::live::recorded_store::RecordedStore;
use crate::live::settings::StorePlace;
use crate::planted::live::LiveDefect;
use crate::subject::Subject;

/// Calls of one process that a Postgres server decides at once.
const CONNECTIONS: usize = 4;

pub fn open(
    place: &StorePlace,
    journal: &Arc<Journal>,
    environment: Arc<dyn Environment>,
    subject: &Subject,
    defect: Option<LiveDefect>,
) -> Result<RecordedRegistry, LiveError> {
    let parts = RegistryParts { journal: Arc::clone(journal), environment, subject: subject.clone() };
    let unopened = |cause: fencepost::RegistryError| LiveError::Store(cause.to_string());
    let started = match place {
        StorePlace::Sqlite { file } => {
            let store = SqliteStore::open(file, sqlite_options()).map_err(unopened)?;
            RecordedRegistry::start(vec![RecordedStore::new(store, Arc::clone(journal), defect)], &parts)
        }
        StorePlace::Postgres { url, schema } => {
            let first = PostgresStore::open(url, postgres_options(schema)).map_err(unopened)?;
            let mut stores: Vec<PostgresStore> = (1..CONNECTIONS).map(|_| first.another()).collect();
            stores.push(first);
            let stores = stores.into_iter();
            let recorded = stores.map(|store| RecordedStore::new(store, Arc::clone(journal), defect));
            RecordedRegistry::start(recorded.collect(), &parts)
        }
    };
    started.map_err(LiveError::Machine)
}

/// Longer than a lease: some calls wait across the expiry of theirs, and some fail.
pub fn sqlite_options() -> SqliteOptions {
    SqliteOptions { busy_timeout: Duration::from_secs(3), ..SqliteOptions::default() }
}

pub fn postgres_options(schema: &str) -> PostgresOptions {
    PostgresOptions {
        schema: schema.to_owned(),
        connect_timeout: Duration::from_secs(2),
        lock_timeout: Duration::from_secs(3),
        statement_timeout: Duration::from_secs(5),
        idle_in_transaction_timeout: Duration::from_secs(4),
        answer_timeout: Duration::from_secs(6),
    }
}
