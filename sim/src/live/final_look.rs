//! The conductor's own look at the rows: how many processes have not ended, and, when all of its processes are dead, what the
//! store shows of each.

use fencepost::RegistryError;
use fencepost::model::process::{ProcessListFilter, ProcessRecord};
use fencepost::model::row::StoredProcess;
use fencepost::store::{
    Access, Footprint, PostgresStore, RowsRead, SqliteStore, Store as RowStore, Subjects,
};

use crate::live::live_error::LiveError;
use crate::live::machine_clock::now_ns;
use crate::live::settings::StorePlace;
use crate::live::store_door::{postgres_options, sqlite_options};
use crate::plan::Plan;

/// A process as the store shows it at the end.
pub struct FinalLook {
    pub at_ns: u64,
    pub process: u16,
    /// None if the store does not know it.
    pub stored: Option<StoredProcess>,
}

pub enum StoreReader {
    Sqlite(Box<SqliteStore>),
    Postgres(Box<PostgresStore>),
}

impl StoreReader {
    /// Opens the store, and makes its tables where there are none.
    pub fn open(place: &StorePlace) -> Result<Self, LiveError> {
        match place {
            StorePlace::Sqlite { file } => {
                SqliteStore::open(file, sqlite_options()).map(|store| Self::Sqlite(Box::new(store)))
            }
            StorePlace::Postgres { url, schema } => PostgresStore::open(url, postgres_options(schema))
                .map(|store| Self::Postgres(Box::new(store))),
        }
        .map_err(unread)
    }

    pub fn count_running(&mut self) -> Result<usize, LiveError> {
        match self {
            Self::Sqlite(store) => running(store.as_mut()),
            Self::Postgres(store) => running(store.as_mut()),
        }
        .map(|running| running.len())
        .map_err(unread)
    }

    pub fn look_at_everything(&mut self, plan: &Plan) -> Result<Vec<FinalLook>, LiveError> {
        let mut looks = Vec::new();
        for (process, _) in plan.bodies() {
            let id = process.to_string();
            let stored = match self {
                Self::Sqlite(store) => stored(store.as_mut(), &id),
                Self::Postgres(store) => stored(store.as_mut(), &id),
            };
            looks.push(FinalLook { at_ns: now_ns(), process: process.0, stored: stored.map_err(unread)? });
        }
        Ok(looks)
    }
}

fn unread(cause: RegistryError) -> LiveError {
    LiveError::Store(cause.to_string())
}

fn running(store: &mut impl RowStore) -> Result<Vec<ProcessRecord>, RegistryError> {
    let filter = ProcessListFilter::default();
    let reads = vec![RowsRead::Processes(filter.clone())];
    let footprint = Footprint::of(Subjects::Known(Vec::new()), reads);
    store.atomically_on(Access::Read, &footprint, |rows| rows.processes(&filter))
}

fn stored(store: &mut impl RowStore, id: &str) -> Result<Option<StoredProcess>, RegistryError> {
    let reads = vec![RowsRead::StoredProcess(id.to_owned())];
    let footprint = Footprint::of(Subjects::Known(Vec::new()), reads);
    store.atomically_on(Access::Read, &footprint, |rows| rows.stored_process(id))
}
