//! The Postgres store, on a server that this test binary starts once and that ends with it. Without an installed
//! Postgres each of these tests passes, and the binary says once that they showed nothing.

mod agreement;
mod bad_input;
mod by_sql;
mod calls;
mod clock;
mod conformance;
mod crashes;
mod example;
mod parallel;
mod plans;
mod round_trips;

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use fencepost::Registry;
use fencepost::environment::Environment;
use fencepost::store::{PostgresOptions, PostgresStore};
use fencepost::testing::manual_environment::HandEnvironment;
use fencepost::testing::postgres_server::PostgresServer;

/// The server of this binary; `None` where no Postgres is installed.
pub fn server() -> Option<&'static PostgresServer> {
    static SERVER: OnceLock<Option<PostgresServer>> = OnceLock::new();
    let started = SERVER.get_or_init(|| {
        if PostgresServer::programs().is_none() {
            // Not `eprintln!`: what a passing test prints with it is not shown.
            let told = "\nNo Postgres is installed: the tests of the Postgres store showed nothing. To run them:\n    \
                        apt-get install postgresql (or set FENCEPOST_POSTGRES_BIN to the folder of `initdb`)\n\n";
            let _ = std::io::stderr().write_all(told.as_bytes());
            return None;
        }
        Some(PostgresServer::start(&[]).expect("an installed Postgres starts"))
    });
    started.as_ref()
}

/// Bounds that a slow machine does not meet. Tests of a bound choose their own.
pub fn patient(schema: &str) -> PostgresOptions {
    let bound = Duration::from_secs(300);
    PostgresOptions {
        schema: schema.to_owned(),
        connect_timeout: bound,
        lock_timeout: bound,
        statement_timeout: bound,
        idle_in_transaction_timeout: bound,
        answer_timeout: bound,
    }
}

/// A schema that no other test uses.
pub fn new_schema() -> PostgresOptions {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    patient(&format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// Schemas that were used and are not any more: making tables costs more than most tests.
static SPARE_SCHEMAS: Mutex<Vec<PostgresOptions>> = Mutex::new(Vec::new());

/// An empty schema, for as long as this lives.
pub struct LentSchema(pub PostgresOptions);

impl LentSchema {
    pub fn new(server: &PostgresServer) -> Self {
        let spare = SPARE_SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(options) = spare else { return Self(new_schema()) };
        let mut sql = by_sql::Sql::connect(server, &options);
        for table in ["processes", "registrations", "ids", "events", "handles"] {
            sql.run(&format!("DELETE FROM {table}"));
        }
        Self(options)
    }
}

impl Drop for LentSchema {
    fn drop(&mut self) {
        // A database that a failed test has used is not lent again.
        if !std::thread::panicking() {
            SPARE_SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner).push(self.0.clone());
        }
    }
}

/// A store that goes by the server's own clock.
pub fn open(server: &PostgresServer, options: &PostgresOptions) -> PostgresStore {
    PostgresStore::open(&server.url("postgres"), options.clone()).expect("the test's server serves")
}

/// A registry that goes by a clock that the test turns.
pub fn registry_by_hand(
    server: &PostgresServer,
    options: &PostgresOptions,
    environment: &HandEnvironment,
) -> Registry<PostgresStore> {
    let environment: Arc<dyn Environment> = Arc::new(environment.clone());
    Registry::new(open(server, options).by_the_environments_clock(), environment)
}
