//! Rows in one SQLite file, kept through the death of the process and of the machine: WAL with `synchronous=FULL`, and
//! two traps of real SQLite handled.
//!
//! 1. A process dies between writing its commit to the log and syncing it. 2. The file is opened again and shows the
//!    commit. 3. Somebody acts on it. 4. The power fails, and the commit never was. So an opened store makes durable
//!    what it recovered before it answers anything.
//! 1. A commit fails in its sync. 2. Its pages are in the log all the same. So nobody knows whether it happened: the
//!    answer is "unavailable", and the store opens its file anew, as above, before it serves again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::error::RegistryError;
use crate::process::DurabilityTier;
use crate::store::schema::{APPLICATION_ID, CREATE, SCHEMA_VERSION};
use crate::store::sqlite_rows::SqliteRows;
use crate::store::{Access, Answer, Rows, Store};

pub struct SqliteStore {
    path: PathBuf,
    options: SqliteOptions,
    /// `None` after a commit whose outcome is unknown, until the file was opened anew.
    connection: Option<Connection>,
    counters: SqliteCounters,
}

#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// How long a call waits for another process that holds the write lock.
    pub busy_timeout: Duration,
    /// A bound on the size of the file; a write that would pass it is refused as on a full disk.
    pub max_bytes: Option<u64>,
    /// The name of a registered virtual file system, for files that are not the operating system's.
    pub vfs: Option<String>,
    /// Statements run last on every opened connection, to tune it. They can undo what makes the store durable.
    pub tuning: Vec<String>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { busy_timeout: Duration::from_secs(5), max_bytes: None, vfs: None, tuning: Vec::new() }
    }
}

/// What the statements of all calls so far cost, as SQLite counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SqliteCounters {
    pub statements: u64,
    /// Steps of scans that no index served.
    pub full_scan_steps: u64,
    /// Instructions of SQLite's virtual machine.
    pub vm_steps: u64,
}

impl SqliteStore {
    /// Opens the file, or creates it. What it shows from now on survives the machine.
    pub fn open(path: impl AsRef<Path>, options: SqliteOptions) -> Answer<Self> {
        let path = path.as_ref().to_owned();
        let connection = connect(&path, &options)?;
        Ok(Self { path, options, connection: Some(connection), counters: SqliteCounters::default() })
    }

    pub fn counters(&self) -> SqliteCounters {
        self.counters
    }
}

impl Store for SqliteStore {
    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Durable
    }

    fn atomically<T>(&mut self, access: Access, step: impl FnOnce(&mut dyn Rows) -> Answer<T>) -> Answer<T> {
        // A rollback that failed leaves its transaction open; only a new connection is surely clean.
        if self.connection.as_ref().is_some_and(|connection| !connection.is_autocommit()) {
            self.connection = None;
        }
        if self.connection.is_none() {
            self.connection = Some(connect(&self.path, &self.options)?);
        }
        let Some(connection) = &mut self.connection else {
            return Err(RegistryError::backend("open the database", "it is not open"));
        };
        let behavior = match access {
            Access::Read => TransactionBehavior::Deferred,
            Access::Write => TransactionBehavior::Immediate,
        };
        let transaction =
            connection.transaction_with_behavior(behavior).map_err(|cause| begin_error(&cause))?;
        let mut rows = SqliteRows::new(&transaction, &mut self.counters);
        let answer = step(&mut rows)?;
        let committed = transaction.commit();
        match (access, committed) {
            (_, Ok(())) => Ok(answer),
            (Access::Read, Err(cause)) => Err(RegistryError::backend("end a read", cause)),
            (Access::Write, Err(cause)) => {
                self.connection = None;
                Err(RegistryError::unavailable("commit", cause))
            }
        }
    }
}

fn begin_error(cause: &rusqlite::Error) -> RegistryError {
    let operation = "begin a transaction";
    if cause.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) {
        return RegistryError::backend(
            operation,
            "another process held the write lock for too long; try again",
        );
    }
    RegistryError::backend(operation, cause)
}

const OPEN: &str = "open the database";

fn connect(path: &Path, options: &SqliteOptions) -> Answer<Connection> {
    let failed = |cause: rusqlite::Error| RegistryError::backend(OPEN, cause);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = match &options.vfs {
        None => Connection::open_with_flags(path, flags),
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs.as_str()),
    }
    .map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.busy_timeout(options.busy_timeout).map_err(failed)?;
    // Before anything is written: a file that is not ours stays as it is.
    identify(&connection)?;
    if connection.is_readonly("main").map_err(failed)? {
        return Err(RegistryError::backend(OPEN, "the file is read-only; a registry must write"));
    }
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)).map_err(failed)?;
    // A database in memory, or a file system without shared memory, has no write-ahead log.
    if mode != "wal" {
        return Err(RegistryError::backend(OPEN, format!("journal mode is `{mode}`, the file needs `wal`")));
    }
    connection.pragma_update(None, "synchronous", "full").map_err(failed)?;
    // 64 MiB: at a million rows the pages of a working set no longer fit the default of 2.
    connection.pragma_update(None, "cache_size", -65_536).map_err(failed)?;
    if let Some(max_bytes) = options.max_bytes {
        limit_size(&connection, max_bytes).map_err(failed)?;
    }
    for statement in &options.tuning {
        connection.execute_batch(statement).map_err(failed)?;
    }
    create_tables(&mut connection)?;
    make_recovered_durable(&mut connection)?;
    Ok(connection)
}

/// True when the file is an empty database, false when it is ours; anything else is refused.
fn identify(connection: &Connection) -> Answer<bool> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let application = number("application_id").map_err(|cause| RegistryError::backend(OPEN, cause))?;
    let version = number("user_version").map_err(|cause| RegistryError::backend(OPEN, cause))?;
    match (application, version) {
        (APPLICATION_ID, SCHEMA_VERSION) => Ok(false),
        (APPLICATION_ID, other) => Err(RegistryError::backend(
            OPEN,
            format!("it has schema version {other}, this build reads {SCHEMA_VERSION}: use a matching build"),
        )),
        (0, 0) => {
            let tables = connection
                .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
                .map_err(|cause| RegistryError::backend(OPEN, cause))?;
            if tables == 0 { Ok(true) } else { Err(not_ours()) }
        }
        _ => Err(not_ours()),
    }
}

fn not_ours() -> RegistryError {
    RegistryError::backend(OPEN, "it is another program's database: name a new or a fencepost file")
}

fn limit_size(connection: &Connection, max_bytes: u64) -> rusqlite::Result<()> {
    let page_size: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let pages = i64::try_from(max_bytes).unwrap_or(i64::MAX) / page_size.max(1);
    connection.pragma_update_and_check(None, "max_page_count", pages.max(1), |_| Ok(()))
}

/// Two processes may open a new file at once: whoever gets the lock second finds the tables made.
fn create_tables(connection: &mut Connection) -> Answer<()> {
    let failed = |cause: rusqlite::Error| RegistryError::backend("create the tables", cause);
    if !identify(connection)? {
        return Ok(());
    }
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|cause| begin_error(&cause))?;
    if identify(&transaction)? {
        transaction.execute_batch(CREATE).map_err(failed)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

/// A checkpoint that reached the end has synced the log and the file. When others are busy in the file it cannot, and
/// a write of our own is synced with everything before it in the log instead.
fn make_recovered_durable(connection: &mut Connection) -> Answer<()> {
    let failed = |cause: rusqlite::Error| RegistryError::backend("make the recovered log durable", cause);
    let was_busy: i64 =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map_err(failed)?;
    if was_busy == 0 {
        return Ok(());
    }
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|cause| begin_error(&cause))?;
    transaction.execute("UPDATE openings SET count = count + 1", []).map_err(failed)?;
    transaction.commit().map_err(failed)
}
