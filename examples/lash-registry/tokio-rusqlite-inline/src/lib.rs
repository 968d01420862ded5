//! tokio-rusqlite 0.7 without its thread, as far as lash-sqlite-store uses it: a call runs where it is polled. What a
//! release would wait for there, the queue of that thread and SQLite's lock, a test can put back: [`next_call_waits`].

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

pub use rusqlite::{self, *};

pub type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

thread_local! {
    static NEXT_WAIT: RefCell<Option<Wait>> = const { RefCell::new(None) };
}

/// The next call of any connection on this thread waits for this before it runs.
pub fn next_call_waits(wait: Wait) {
    NEXT_WAIT.with_borrow_mut(|next| *next = Some(wait));
}

#[derive(Debug)]
#[non_exhaustive]
pub enum Error<E = rusqlite::Error> {
    ConnectionClosed,
    Close((Connection, rusqlite::Error)),
    Error(E),
}

pub type Result<T> = std::result::Result<T, Error>;

impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConnectionClosed => text.write_str("the connection is closed"),
            Self::Close((_, error)) => write!(text, "the connection could not be closed: {error}"),
            Self::Error(error) => error.fmt(text),
        }
    }
}

impl<E: std::error::Error> std::error::Error for Error<E> {}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Error(error)
    }
}

/// Clones share one connection.
#[derive(Clone)]
pub struct Connection {
    shared: Arc<Mutex<rusqlite::Connection>>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("Connection")
    }
}

impl From<rusqlite::Connection> for Connection {
    fn from(connection: rusqlite::Connection) -> Self {
        Self { shared: Arc::new(Mutex::new(connection)) }
    }
}

impl Connection {
    pub async fn open(path: impl AsRef<Path>) -> rusqlite::Result<Self> {
        rusqlite::Connection::open(path).map(Self::from)
    }

    pub async fn open_in_memory() -> rusqlite::Result<Self> {
        rusqlite::Connection::open_in_memory().map(Self::from)
    }

    pub async fn open_with_flags(path: impl AsRef<Path>, flags: OpenFlags) -> rusqlite::Result<Self> {
        rusqlite::Connection::open_with_flags(path, flags).map(Self::from)
    }

    pub async fn call<F, R, E>(&self, function: F) -> std::result::Result<R, Error<E>>
    where
        F: FnOnce(&mut rusqlite::Connection) -> std::result::Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: Send + 'static,
    {
        let wait = NEXT_WAIT.with_borrow_mut(Option::take);
        if let Some(wait) = wait {
            wait.await;
        }
        let mut connection = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        function(&mut connection).map_err(Error::Error)
    }
}
