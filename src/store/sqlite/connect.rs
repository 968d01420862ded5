//! Opening the file: settings, whose file it is, the tables of a new one, and making durable what an earlier process
//! left in the log, before anything is answered from it.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::model::error::{RegistryError, RegistryResult};
use crate::store::sqlite::schema::{APPLICATION_ID, CREATE, SCHEMA_VERSION};

#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// How long a call waits for another process that holds the write lock.
    pub busy_timeout: Duration,
    /// A bound on the size of the database file, its log apart; a write that would pass it is refused as on a full
    /// disk.
    pub max_bytes: Option<u64>,
    /// The name of a registered virtual file system, for files that are not the operating system's.
    pub vfs: Option<String>,
    /// Statements run on every opened connection after the store's own settings, to tune it. They can undo what makes
    /// the store durable.
    pub tuning: Vec<String>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { busy_timeout: Duration::from_secs(5), max_bytes: None, vfs: None, tuning: Vec::new() }
    }
}

fn is_busy(cause: &rusqlite::Error) -> bool {
    cause.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
}

pub(super) fn begin_error(cause: &rusqlite::Error) -> RegistryError {
    let operation = "begin a transaction";
    if is_busy(cause) {
        return RegistryError::backend(
            operation,
            "another process held the write lock for too long; try again",
        );
    }
    RegistryError::backend(operation, cause)
}

pub(super) const OPEN: &str = "open the database";

/// The treatment of a file that is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    IsMade,
    IsRefused,
}

pub(super) fn connect(path: &Path, options: &SqliteOptions, missing: Missing) -> RegistryResult<Connection> {
    let failed = |cause: rusqlite::Error| RegistryError::backend(OPEN, cause);
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, missing == Missing::IsMade);
    // SQLite keeps the timeout in milliseconds, in an `i32`.
    let busy_timeout = options.busy_timeout.min(Duration::from_millis(i32::MAX as u64));
    let mut connection = match &options.vfs {
        None => Connection::open_with_flags(path, flags),
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs.as_str()),
    }
    .map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.busy_timeout(busy_timeout).map_err(failed)?;
    // The planner may not look at bound values. It would gain nothing, because the statements name their indexes; and
    // SQLite would prepare a statement anew whenever such a value changes, which costs more than running it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(failed)?;
    if connection.is_readonly("main").map_err(failed)? {
        return Err(RegistryError::backend(OPEN, "the file is read-only; a registry must write"));
    }
    // Before anything is written: a file that is not ours stays as it is.
    let is_empty = identify(&mut connection)?;
    if is_empty && missing == Missing::IsRefused {
        return Err(RegistryError::backend(OPEN, "the file is empty and was not before: restore it"));
    }
    use_write_ahead_log(&connection, busy_timeout)?;
    connection.pragma_update(None, "synchronous", "full").map_err(failed)?;
    // 64 MiB: at a million rows the pages of a working set no longer fit the default of 2.
    connection.pragma_update(None, "cache_size", -65_536).map_err(failed)?;
    if let Some(max_bytes) = options.max_bytes {
        limit_size(&connection, max_bytes).map_err(failed)?;
    }
    for statement in &options.tuning {
        connection.execute_batch(statement).map_err(failed)?;
    }
    if is_empty {
        create_tables(&mut connection)?;
    }
    make_recovered_durable(&mut connection, busy_timeout)?;
    Ok(connection)
}

/// A file that is made by two processes at once is locked for a moment, and SQLite does not wait for this lock by
/// itself.
#[allow(
    clippy::disallowed_methods,
    reason = "SQLite waits for all its other locks in the same way, inside the call"
)]
fn use_write_ahead_log(connection: &Connection, busy_timeout: Duration) -> RegistryResult<()> {
    let pause = Duration::from_millis(1);
    let mut waited = Duration::ZERO;
    let mode: String = loop {
        match connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)) {
            Ok(mode) => break mode,
            Err(cause) if is_busy(&cause) && waited < busy_timeout => {
                std::thread::sleep(pause);
                waited += pause;
            }
            Err(cause) => return Err(RegistryError::backend(OPEN, cause)),
        }
    };
    // A database in memory, or a file system without shared memory, has no write-ahead log.
    if mode != "wal" {
        return Err(RegistryError::backend(OPEN, format!("journal mode is `{mode}`, the file needs `wal`")));
    }
    Ok(())
}

/// True when the file is an empty database, false when it is ours; anything else is refused. One transaction: between
/// two readings another process may have made the tables.
fn identify(connection: &mut Connection) -> RegistryResult<bool> {
    let failed = |cause: rusqlite::Error| RegistryError::backend(OPEN, cause);
    let failed = |cause: rusqlite::Error| if is_busy(&cause) { begin_error(&cause) } else { failed(cause) };
    let snapshot = connection.transaction_with_behavior(TransactionBehavior::Deferred).map_err(failed)?;
    let tables: i64 =
        snapshot.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    let number = |pragma: &str| snapshot.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    match (number("application_id").map_err(failed)?, number("user_version").map_err(failed)?) {
        (APPLICATION_ID, SCHEMA_VERSION) => Ok(false),
        (APPLICATION_ID, other) => Err(RegistryError::backend(
            OPEN,
            format!("it has schema version {other}, this build reads {SCHEMA_VERSION}: use a matching build"),
        )),
        (0, 0) if tables == 0 => Ok(true),
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
fn create_tables(connection: &mut Connection) -> RegistryResult<()> {
    let failed = |cause: rusqlite::Error| RegistryError::backend("create the tables", cause);
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|cause| begin_error(&cause))?;
    let tables: i64 =
        transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if tables == 0 {
        transaction.execute_batch(CREATE).map_err(failed)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

/// A checkpoint that reached the end has synced the log and the file. When others are busy in the file it cannot, and
/// a write of our own is synced with everything before it in the log instead.
fn make_recovered_durable(connection: &mut Connection, busy_timeout: Duration) -> RegistryResult<()> {
    let failed = |cause: rusqlite::Error| RegistryError::backend("make the recovered log durable", cause);
    // Nothing to wait for: when it cannot be had at once, the write below serves as well.
    connection.busy_timeout(Duration::ZERO).map_err(failed)?;
    let was_busy: rusqlite::Result<i64> =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    connection.busy_timeout(busy_timeout).map_err(failed)?;
    match was_busy {
        Ok(0) => return Ok(()),
        Ok(_) => {}
        Err(cause) if is_busy(&cause) => {}
        Err(cause) => return Err(failed(cause)),
    }
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|cause| begin_error(&cause))?;
    transaction.execute("UPDATE openings SET count = count + 1", []).map_err(failed)?;
    transaction.commit().map_err(failed)
}
