//! The SQLite store: one file, opened once, one transaction a call. A commit that failed may have happened all the
//! same; the file is then opened anew before it serves again.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::model::error::{RegistryError, RegistryResult};
use crate::model::process::DurabilityTier;
use crate::store::rows::{Access, Rows, Store};
use crate::store::sqlite::connect::{Missing, OPEN, SqliteOptions, begin_error, connect};
use crate::store::sqlite::counters::SqliteCounters;
use crate::store::sqlite::statements::SqliteRows;

pub struct SqliteStore {
    path: PathBuf,
    options: SqliteOptions,
    /// `None` after a commit whose outcome is unknown, until the file was opened anew.
    connection: Option<Connection>,
    counters: SqliteCounters,
}

impl SqliteStore {
    /// Opens the file, or creates it. What it shows from now on survives the machine.
    pub fn open(path: impl AsRef<Path>, options: SqliteOptions) -> RegistryResult<Self> {
        // An absolute path is never mistaken for a URI, and survives a change of the working folder.
        let path = std::path::absolute(path).map_err(|cause| RegistryError::backend(OPEN, cause))?;
        let connection = connect(&path, &options, Missing::IsMade)?;
        Ok(Self { path, options, connection: Some(connection), counters: SqliteCounters::default() })
    }

    /// The value of a pragma of the open connection; `None` while it is not open.
    pub fn pragma(&self, name: &str) -> Option<String> {
        let connection = self.connection.as_ref()?;
        connection
            .pragma_query_value(None, name, |row| {
                Ok(match row.get_ref(0)? {
                    rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                    other => String::from_utf8_lossy(other.as_bytes().unwrap_or_default()).into_owned(),
                })
            })
            .ok()
    }

    pub fn counters(&self) -> SqliteCounters {
        self.counters
    }
}

impl Store for SqliteStore {
    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Durable
    }

    fn atomically<T>(
        &mut self,
        access: Access,
        step: impl FnOnce(&mut dyn Rows) -> RegistryResult<T>,
    ) -> RegistryResult<T> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            // A file that is gone took acknowledged writes with it: an empty one in its place would hide that.
            closed @ None => closed.insert(connect(&self.path, &self.options, Missing::IsRefused)?),
        };
        let transaction = Transaction::begin(connection, access).map_err(|cause| begin_error(&cause))?;
        let mut rows = SqliteRows::new(connection, &mut self.counters);
        let answer = match step(&mut rows) {
            Ok(answer) => answer,
            Err(refusal) => {
                // A rollback that fails keeps the write lock; only a new connection is surely without it.
                let rolled_back = transaction.roll_back();
                if rolled_back.is_err() || !connection.is_autocommit() {
                    self.connection = None;
                }
                return Err(refusal);
            }
        };
        match (access, transaction.commit()) {
            (_, Ok(())) => Ok(answer),
            (Access::Read, Err(cause)) => {
                self.connection = None;
                Err(RegistryError::backend("end a read", cause))
            }
            (Access::Write, Err(cause)) => {
                self.connection = None;
                Err(RegistryError::unavailable("commit", cause))
            }
        }
    }
}

/// A transaction under way; rolled back unless it was committed. Its statements are kept prepared: each call runs two of
/// them.
struct Transaction<'a>(&'a Connection);

impl<'a> Transaction<'a> {
    fn begin(connection: &'a Connection, access: Access) -> rusqlite::Result<Self> {
        let begin = match access {
            Access::Read => "BEGIN DEFERRED",
            Access::Write => "BEGIN IMMEDIATE",
        };
        execute(connection, begin)?;
        Ok(Self(connection))
    }

    fn commit(self) -> rusqlite::Result<()> {
        execute(self.0, "COMMIT")
    }

    fn roll_back(self) -> rusqlite::Result<()> {
        execute(self.0, "ROLLBACK")
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if !self.0.is_autocommit() {
            // The error of a failed rollback is dropped, because the next transaction finds out whether this one has ended.
            drop(execute(self.0, "ROLLBACK"));
        }
    }
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}
