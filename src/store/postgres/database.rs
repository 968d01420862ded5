//! The Postgres store: one connection, one transaction a call. A connection on which anything went wrong is dropped, and
//! the next call opens another.

use std::sync::Arc;

use tokio_postgres::Socket;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};

use crate::model::error::RegistryResult;
use crate::model::process::DurabilityTier;
use crate::store::footprint::Footprint;
use crate::store::postgres::connect::{Absent, PostgresTarget};
use crate::store::postgres::connection::{Connection, dial_plainly, dial_with};
use crate::store::postgres::counters::PostgresCounters;
use crate::store::postgres::options::PostgresOptions;
use crate::store::postgres::rows::PostgresRows;
use crate::store::postgres::transaction::{CallTransaction, begin_failed};
use crate::store::rows::{Access, Rows, SharedStore, Store};

/// Rows on a Postgres server. Give it to [`Registry::pooled`](crate::Registry::pooled) for several calls at once.
pub struct PostgresStore {
    target: PostgresTarget,
    /// `None` before the first call, and after one whose connection is of no more use.
    connection: Option<Connection>,
    /// The counters of earlier connections.
    earlier: PostgresCounters,
    has_own_clock: bool,
}

impl PostgresStore {
    /// Connects to `postgres://user:password@host:port/database`, and makes the tables where there are none.
    pub fn open(url: &str, options: PostgresOptions) -> RegistryResult<Self> {
        let config = options.config(url, false)?;
        Self::reach(PostgresTarget { dial: Arc::from(dial_plainly()), config, options })
    }

    /// The same over TLS, by a connector made for `tokio-postgres`. Whether TLS is asked for and demanded is said in the
    /// URL (`sslmode`), and what is verified is the connector's business.
    pub fn open_with_tls<T>(url: &str, options: PostgresOptions, connector: T) -> RegistryResult<Self>
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::TlsConnect: Send,
        T::Stream: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let config = options.config(url, true)?;
        Self::reach(PostgresTarget { dial: Arc::from(dial_with(connector)), config, options })
    }

    fn reach(target: PostgresTarget) -> RegistryResult<Self> {
        let connection = Some(target.connect(Absent::AreMade)?);
        Ok(Self { target, connection, earlier: PostgresCounters::default(), has_own_clock: true })
    }

    /// The same store, going by the clock of its registry's environment: for tests that turn a clock by hand.
    #[cfg(feature = "testing")]
    pub fn by_the_environments_clock(self) -> Self {
        Self { has_own_clock: false, ..self }
    }

    pub fn counters(&self) -> PostgresCounters {
        let now = self.connection.as_ref().map(|connection| connection.counters).unwrap_or_default();
        sum(self.earlier, now)
    }

    /// A connection, and whether it has served before.
    fn take_connection(&mut self) -> RegistryResult<(Connection, bool)> {
        match self.connection.take() {
            Some(connection) => Ok((connection, true)),
            // Tables that are gone took acknowledged writes with them: new ones in their place would hide that.
            None => Ok((self.target.connect(Absent::AreRefused)?, false)),
        }
    }

    fn give_back(&mut self, connection: Connection, is_usable: bool) {
        if is_usable { self.connection = Some(connection) } else { self.discard(connection) }
    }

    fn discard(&mut self, connection: Connection) {
        self.earlier = sum(self.earlier, connection.counters);
    }
}

fn sum(one: PostgresCounters, other: PostgresCounters) -> PostgresCounters {
    PostgresCounters {
        round_trips: one.round_trips + other.round_trips,
        statements: one.statements + other.statements,
        commits: one.commits + other.commits,
        connections: one.connections + other.connections,
    }
}

impl SharedStore for PostgresStore {
    /// It connects at its first call.
    fn another(&self) -> Self {
        Self {
            target: self.target.clone(),
            connection: None,
            earlier: PostgresCounters::default(),
            has_own_clock: self.has_own_clock,
        }
    }
}

impl Store for PostgresStore {
    const TAKES_FOOTPRINTS: bool = true;

    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Durable
    }

    fn atomically<T>(
        &mut self,
        access: Access,
        step: impl FnOnce(&mut dyn Rows) -> RegistryResult<T>,
    ) -> RegistryResult<T> {
        self.atomically_on(access, &Footprint::everything(), step)
    }

    fn atomically_on<T>(
        &mut self,
        access: Access,
        footprint: &Footprint,
        step: impl FnOnce(&mut dyn Rows) -> RegistryResult<T>,
    ) -> RegistryResult<T> {
        // Taken out while it is used: whatever ends this call early, a panic too, the next one opens another.
        let (mut connection, is_old) = self.take_connection()?;
        let mut begun = CallTransaction::begin(&mut connection, access, footprint);
        if is_old && begun.as_ref().is_err_and(|failure| failure.is_closed) {
            // The server was restarted since the last call, say. Nothing was decided yet: a new connection may try.
            drop(begun);
            self.discard(connection);
            (connection, _) = self.take_connection()?;
            begun = CallTransaction::begin(&mut connection, access, footprint);
        }
        let transaction = match begun {
            Ok(transaction) => transaction,
            Err(failure) => {
                let is_usable = !failure.is_lost && connection.roll_back();
                self.give_back(connection, is_usable);
                return Err(begin_failed(failure));
            }
        };
        let mut rows = PostgresRows { transaction, has_own_clock: self.has_own_clock };
        let answer = step(&mut rows);
        let (is_usable, answer) = match answer {
            Err(refusal) => (rows.transaction.roll_back(), Err(refusal)),
            Ok(answer) => {
                let (is_usable, committed) = rows.transaction.commit();
                (is_usable, committed.map(|()| answer))
            }
        };
        self.give_back(connection, is_usable);
        answer
    }
}
