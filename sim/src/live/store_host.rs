//! The store of a live run, and the faults that are carried out at it: a file, or a server behind a proxy for each process.

use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fencepost::System;
use fencepost::environment::Environment;
use fencepost::testing::postgres_server::PostgresServer;
use tokio_postgres::config::Host;
use tokio_postgres::{Config, NoTls};

use crate::live::live_error::LiveError;
use crate::live::machine_clock::now_ns;
use crate::live::proxy::StoreProxy;
use crate::live::settings::{LiveStore, StorePlace};
use crate::plan::Node;

const NO_URL: LiveError = LiveError::Url(
    "a store is `sqlite`, `postgres`, or postgres://user:password@127.0.0.1:port/database, special characters \
     percent-encoded, without options after a `?`",
);
const NOT_LOOPBACK: LiveError =
    LiveError::Url("a live run reaches nothing but this machine: give a server at 127.0.0.1");

/// A crash of the server: when it was shut down, and when it was up again.
#[derive(Debug, Clone, Copy)]
pub struct ServerCrash {
    pub down_ns: u64,
    pub up_ns: Option<u64>,
}

pub struct StoreHost {
    place: StorePlace,
    /// The server, if the run started it.
    server: Option<PostgresServer>,
    proxies: BTreeMap<u8, StoreProxy>,
    is_lock_held: Arc<AtomicBool>,
    pub crashes: Vec<ServerCrash>,
    /// The schema is the run's own, in a database that is not.
    must_drop_schema: bool,
}

impl StoreHost {
    pub fn start(store: &LiveStore, folder: &Path) -> Result<Self, LiveError> {
        let (place, server) = match store {
            LiveStore::Sqlite => (StorePlace::Sqlite { file: folder.join("registry.db") }, None),
            LiveStore::OwnPostgres => {
                let server = PostgresServer::start(&["max_connections=200"]).map_err(LiveError::Server)?;
                let place =
                    StorePlace::Postgres { url: server.url("postgres"), schema: "fencepost".to_owned() };
                (place, Some(server))
            }
            LiveStore::Postgres(url) => {
                address(url)?;
                let number = now_ns();
                let schema = format!("fencepost_live_{number:x}");
                (StorePlace::Postgres { url: url.clone(), schema }, None)
            }
        };
        Ok(Self {
            place,
            server,
            proxies: BTreeMap::new(),
            is_lock_held: Arc::default(),
            crashes: Vec::new(),
            must_drop_schema: matches!(store, LiveStore::Postgres(_)),
        })
    }

    /// The store, without a proxy between.
    pub fn place(&self) -> &StorePlace {
        &self.place
    }

    /// The store as this process reaches it.
    pub fn place_for(&mut self, node: Node) -> Result<StorePlace, LiveError> {
        let StorePlace::Postgres { url, schema } = &self.place else { return Ok(self.place.clone()) };
        let server = address(url)?;
        let proxy = StoreProxy::start(server).map_err(LiveError::Machine)?;
        let config: Config = url.parse().map_err(|_| NO_URL)?;
        let url = url_through(&config, proxy.port, &self.sessions_of(node)).ok_or(NO_URL)?;
        self.proxies.insert(node.code(), proxy);
        Ok(StorePlace::Postgres { url, schema: schema.clone() })
    }

    /// The name that the server knows the sessions of this process by.
    fn sessions_of(&self, node: Node) -> String {
        let StorePlace::Postgres { schema, .. } = &self.place else { return String::new() };
        format!("{schema}-{node}")
    }

    pub fn cut(&self, node: Node) {
        self.proxies.get(&node.code()).into_iter().for_each(StoreProxy::cut);
    }

    pub fn delay(&self, node: Node, by_ms: u64) {
        if let Some(proxy) = self.proxies.get(&node.code()) {
            proxy.delay(by_ms);
        }
    }

    /// Ends the sessions of the process at the server. False while the server is down.
    pub async fn end_sessions(&self, node: Node) -> bool {
        let StorePlace::Postgres { url, .. } = &self.place else { return false };
        let ending = async {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            let ended = async {
                let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1";
                client.query_one(sql, &[&self.sessions_of(node)]).await.map(drop)
            };
            tokio::select! {
                ended = ended => ended,
                moved = connection => moved,
            }
        };
        tokio::time::timeout(Duration::from_secs(3), ending).await.is_ok_and(|ended| ended.is_ok())
    }

    pub fn crash(&mut self) -> Result<(), LiveError> {
        let Some(server) = &self.server else { return Ok(()) };
        self.crashes.push(ServerCrash { down_ns: now_ns(), up_ns: None });
        server.crash().map_err(LiveError::Server)
    }

    pub fn start_again(&mut self) -> Result<(), LiveError> {
        let Some(server) = &self.server else { return Ok(()) };
        server.start_again().map_err(LiveError::Server)?;
        if let Some(crash) = self.crashes.last_mut() {
            crash.up_ns = Some(now_ns());
        }
        Ok(())
    }

    pub fn is_lock_held(&self) -> bool {
        self.is_lock_held.load(Ordering::SeqCst)
    }

    /// Holds the write lock of the file for so long, as any other program might. False while it is held.
    pub fn hold_lock(&self, for_ms: u64) -> bool {
        let StorePlace::Sqlite { file } = &self.place else { return false };
        if self.is_lock_held.swap(true, Ordering::SeqCst) {
            return false;
        }
        let (file, is_held) = (file.clone(), Arc::clone(&self.is_lock_held));
        let holding = std::thread::Builder::new().name("lock".to_owned()).spawn(move || {
            drop(hold(&file, Duration::from_millis(for_ms)));
            is_held.store(false, Ordering::SeqCst);
        });
        holding.is_ok()
    }
}

fn hold(file: &Path, duration: Duration) -> Result<(), rusqlite::Error> {
    let connection = rusqlite::Connection::open(file)?;
    connection.busy_timeout(Duration::from_secs(2))?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    if let Ok(system) = System::new() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.into_iter().for_each(|runtime| runtime.block_on(system.sleep(duration)));
    }
    connection.execute_batch("ROLLBACK")
}

impl Drop for StoreHost {
    fn drop(&mut self) {
        let StorePlace::Postgres { url, schema } = &self.place else { return };
        if !self.must_drop_schema {
            return;
        }
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        let dropping = async {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            let sql = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
            tokio::select! {
                dropped = client.batch_execute(&sql) => dropped,
                moved = connection => moved,
            }
        };
        drop(runtime.block_on(async { tokio::time::timeout(Duration::from_secs(10), dropping).await }));
    }
}

/// The server's address, which is on this machine.
fn address(url: &str) -> Result<SocketAddr, LiveError> {
    let config: Config = url.parse().map_err(|_| NO_URL)?;
    let port = config.get_ports().first().copied().unwrap_or(5_432);
    let [Host::Tcp(name)] = config.get_hosts() else { return Err(NOT_LOOPBACK) };
    let mut found = (name.as_str(), port).to_socket_addrs().map_err(LiveError::Machine)?;
    found.find(|address| address.ip().is_loopback()).ok_or(NOT_LOOPBACK)
}

/// The same database through a proxy, under a name for its sessions.
fn url_through(config: &Config, port: u16, sessions: &str) -> Option<String> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok().map(|text| encoded(&text));
    let user = encoded(config.get_user()?);
    let password = match config.get_password() {
        Some(password) => format!(":{}", text(password)?),
        None => String::new(),
    };
    let database = encoded(config.get_dbname().unwrap_or("postgres"));
    let sessions = encoded(sessions);
    Some(format!("postgres://{user}{password}@127.0.0.1:{port}/{database}?application_name={sessions}"))
}

/// Percent-encoded.
fn encoded(text: &str) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match is_plain(&byte) {
            true => encoded.push(char::from(byte)),
            false => encoded.push_str(&format!("%{byte:02X}")),
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_on_this_machine_is_reached() {
        assert!(address("postgres://me:secret@127.0.0.1:5433/db").is_ok());
        for url in
            ["postgres://me@192.0.2.7/db", "postgres://me@%2Frun%2Fpostgresql/db", "mysql://me@127.0.0.1/db"]
        {
            let why = address(url).unwrap_err().to_string();
            assert!(why.contains("127.0.0.1"), "{why}");
        }
    }

    #[test]
    fn a_url_through_a_proxy_keeps_user_password_and_database() {
        let config: Config = "postgres://me:p%40ss%2Fword@127.0.0.1:5433/my%20db".parse().unwrap();
        let url = url_through(&config, 9_999, "run-worker-1").unwrap();
        let through: Config = url.parse().unwrap();
        assert_eq!(through.get_user(), Some("me"));
        assert_eq!(through.get_password(), Some(&b"p@ss/word"[..]));
        assert_eq!(through.get_dbname(), Some("my db"));
        assert_eq!(through.get_ports(), [9_999]);
        assert_eq!(through.get_application_name(), Some("run-worker-1"));
    }
}
