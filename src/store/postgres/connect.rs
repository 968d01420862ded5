//! Opening a connection: whose database it is, whether it keeps what it acknowledges, and the tables of a new one.

use std::sync::Arc;

use tokio_postgres::Config;

use crate::model::error::{RegistryError, RegistryResult};
use crate::store::postgres::connection::{BoundStatement, Connection, Dial};
use crate::store::postgres::failure::TripFailure;
use crate::store::postgres::options::{OPEN, PostgresOptions};
use crate::store::postgres::queries::{BEGIN, COMMIT, LOCK_NAME, lock_number, usual};
use crate::store::postgres::schema::{CREATE, SCHEMA_VERSION, VERSION_TABLE};

/// How to reach the database; the same for every connection of a store and of its clones.
#[derive(Clone)]
pub(super) struct PostgresTarget {
    pub(super) dial: Arc<Dial>,
    pub(super) config: Config,
    pub(super) options: PostgresOptions,
}

/// The treatment of a database without our tables.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Absent {
    AreMade,
    AreRefused,
}

/// The content of the schema.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Ours,
    Nothing,
    NoSchema,
}

impl PostgresTarget {
    pub(super) fn connect(&self, absent: Absent) -> RegistryResult<Connection> {
        let mut connection = Connection::open(self.dial.as_ref(), self.config.clone(), &self.options)?;
        check_server(&mut connection)?;
        // Before anything is written: a schema that is not ours stays as it is.
        let found = self.identify(&mut connection)?;
        match (found, absent) {
            (Found::Ours, _) => {}
            (Found::Nothing | Found::NoSchema, Absent::AreRefused) => {
                return Err(RegistryError::backend(
                    OPEN,
                    "the tables are gone and were there before: restore the database",
                ));
            }
            (found, Absent::AreMade) => self.create(&mut connection, found)?,
        }
        connection.prepare(&usual()).map_err(|failure| RegistryError::backend(OPEN, failure.cause))?;
        Ok(connection)
    }

    fn identify(&self, connection: &mut Connection) -> RegistryResult<Found> {
        let tables = BoundStatement::new(
            "SELECT count(c.oid), count(c.oid) FILTER (WHERE c.relname = $2) FROM pg_namespace n
             LEFT JOIN pg_class c ON c.relnamespace = n.oid WHERE n.nspname = $1 GROUP BY n.oid",
        )
        .bind(self.options.schema.clone())
        .bind(VERSION_TABLE);
        let rows = connection.trip(&[tables]).map_err(open_failed)?;
        let Some(row) = rows.first().and_then(|rows| rows.first()) else { return Ok(Found::NoSchema) };
        match (row.get::<_, i64>(0), row.get::<_, i64>(1)) {
            (0, _) => return Ok(Found::Nothing),
            (_, 0) => {
                return Err(RegistryError::backend(
                    OPEN,
                    format!(
                        "the schema `{}` holds another program's tables: name a new or a fencepost schema",
                        self.options.schema
                    ),
                ));
            }
            _ => {}
        }
        let version = BoundStatement::new(format!("SELECT schema_version FROM {VERSION_TABLE}"));
        let rows = connection.trip(&[version]).map_err(open_failed)?;
        match rows.first().and_then(|rows| rows.first()).map(|row| row.get::<_, i32>(0)) {
            Some(SCHEMA_VERSION) => Ok(Found::Ours),
            Some(other) => Err(RegistryError::backend(
                OPEN,
                format!(
                    "it has schema version {other}, this build reads {SCHEMA_VERSION}: use a matching build"
                ),
            )),
            None => Err(RegistryError::backend(OPEN, "its schema version is missing: restore the database")),
        }
    }

    /// Two may open a new database at once: whoever gets the lock second finds the tables made.
    fn create(&self, connection: &mut Connection, found: Found) -> RegistryResult<()> {
        let schema = &self.options.schema;
        let failed = |failure: TripFailure| {
            RegistryError::backend("create the tables", format!("{} (schema `{schema}`)", failure.cause))
        };
        let lock = BoundStatement::new(LOCK_NAME).bind(lock_number(schema, "create", ""));
        connection.trip(&[BoundStatement::new(BEGIN), lock]).map_err(failed)?;
        if self.identify(connection)? != Found::Ours {
            // A role that owns its schema need not be allowed to make one.
            let schema_too = match found {
                Found::NoSchema => format!("CREATE SCHEMA IF NOT EXISTS {schema};"),
                Found::Ours | Found::Nothing => String::new(),
            };
            let version = format!("INSERT INTO {VERSION_TABLE} VALUES (true, {SCHEMA_VERSION})");
            connection.script(&format!("{schema_too}{CREATE}{version}")).map_err(failed)?;
        }
        connection.trip(&[BoundStatement::new(COMMIT)]).map_err(failed)?;
        Ok(())
    }
}

fn open_failed(failure: TripFailure) -> RegistryError {
    RegistryError::backend(OPEN, failure.cause)
}

/// Asked of every new connection: a server may have been reconfigured, or another one answers at its address.
fn check_server(connection: &mut Connection) -> RegistryResult<()> {
    let asked = BoundStatement::new(
        "SELECT current_setting('fsync') = 'on', current_setting('synchronous_commit') <> 'off',
         NOT pg_is_in_recovery(), current_setting('server_encoding') = 'UTF8', current_setting('search_path') = $1",
    )
    .bind(connection.options().search_path());
    let rows = connection.trip(&[asked]).map_err(open_failed)?;
    let Some(row) = rows.first().and_then(|rows| rows.first()) else {
        return Err(RegistryError::backend(OPEN, "the server does not say how it is set"));
    };
    let refusals = [
        "its setting `fsync` is off, so a crash of the machine would lose acknowledged writes: turn it on",
        "its setting `synchronous_commit` is off, so a crash would lose acknowledged writes: turn it on for this role",
        "it is a replica (`pg_is_in_recovery()`), and a registry must write: name the primary",
        "its `server_encoding` is not UTF8: create the database with `ENCODING 'UTF8'`",
        "the session lacks the settings that it was opened with: connect to the server itself, and to no pooler that \
         ignores `options`",
    ];
    match (0..refusals.len()).find(|index| !row.get::<_, bool>(*index)) {
        Some(index) => Err(RegistryError::backend(OPEN, refusals[index])),
        None => Ok(()),
    }
}
