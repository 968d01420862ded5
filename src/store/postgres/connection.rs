//! One session with the server, and round trips over it: every request of one is sent before the first answer is waited
//! for.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Error, NoTls, Row, Socket, Statement};

use crate::model::error::{RegistryError, RegistryResult};
use crate::store::postgres::counters::PostgresCounters;
use crate::store::postgres::failure::{TripFailure, sentence};
use crate::store::postgres::options::{OPEN, PostgresOptions};

pub(super) const ROLLBACK: &str = "ROLLBACK";

pub(super) type Sending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Opens a session: the client, and what moves its bytes.
pub(super) type Dial =
    dyn Fn(Config) -> Sending<'static, Result<(Client, Sending<'static, ()>), Error>> + Send + Sync;

/// Dials with this connector.
pub(super) fn dial_with<T>(tls: T) -> Box<Dial>
where
    T: tokio_postgres::tls::MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
    T::TlsConnect: Send,
    T::Stream: Send,
    <T::TlsConnect as tokio_postgres::tls::TlsConnect<Socket>>::Future: Send,
{
    Box::new(move |config| {
        let tls = tls.clone();
        Box::pin(async move {
            let (client, connection) = config.connect(tls).await?;
            // Its error is heard by whoever waits for an answer.
            let moves: Sending<'static, ()> = Box::pin(async move { drop(connection.await) });
            Ok((client, moves))
        })
    })
}

pub(super) fn dial_plainly() -> Box<Dial> {
    dial_with(NoTls)
}

/// One statement and what is bound in it.
pub(super) struct BoundStatement {
    pub(super) sql: Cow<'static, str>,
    pub(super) bound: Vec<Box<dyn ToSql + Sync + Send>>,
}

impl BoundStatement {
    pub(super) fn new(sql: impl Into<Cow<'static, str>>) -> Self {
        Self { sql: sql.into(), bound: Vec::new() }
    }

    pub(super) fn bind(mut self, value: impl ToSql + Sync + Send + 'static) -> Self {
        self.bound.push(Box::new(value));
        self
    }
}

/// An open session. Its bytes move only while a call waits for them, on the caller's own thread.
pub(super) struct Connection {
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    client: Client,
    statements: BTreeMap<Cow<'static, str>, Statement>,
    options: PostgresOptions,
    pub(super) counters: PostgresCounters,
}

impl Connection {
    pub(super) fn open(dial: &Dial, config: Config, options: &PostgresOptions) -> RegistryResult<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|cause| RegistryError::backend(OPEN, cause))?;
        // The driver's own bound is on each address that a name stands for; this one is on all of it.
        let dialled =
            wait(&runtime, async { tokio::time::timeout(options.answer_timeout, dial(config)).await });
        let dialled = match dialled {
            Ok(session) => session.map_err(|cause| sentence(&cause, options)),
            Err(_) => Err(TripFailure::late(options).cause),
        };
        let (client, moves) = match dialled {
            Ok(session) => session,
            Err(cause) => {
                // Dropped, it would wait for its end, and on a thread that may not block that is a panic.
                runtime.shutdown_background();
                return Err(RegistryError::backend(OPEN, cause));
            }
        };
        drop(runtime.spawn(moves));
        Ok(Self {
            runtime: Some(runtime),
            client,
            statements: BTreeMap::new(),
            options: options.clone(),
            counters: PostgresCounters { connections: 1, ..PostgresCounters::default() },
        })
    }

    pub(super) fn options(&self) -> &PostgresOptions {
        &self.options
    }

    /// Statements that will be asked again and again, made ready in one round trip.
    pub(super) fn prepare(&mut self, statements: &[Cow<'static, str>]) -> Result<(), TripFailure> {
        let missing: Vec<_> =
            statements.iter().filter(|sql| !self.statements.contains_key(sql.as_ref())).cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        let client = &self.client;
        let asked = missing.iter().map(|sql| Box::pin(client.prepare(sql)) as Sending<'_, _>).collect();
        let prepared = self.answers(asked)?;
        self.counters.round_trips += 1;
        self.statements.extend(missing.into_iter().zip(prepared));
        Ok(())
    }

    /// Sends all requests, then waits for all answers. After a failure nothing behind it was carried out, unless the
    /// connection was lost.
    pub(super) fn trip(&mut self, requests: &[BoundStatement]) -> Result<Vec<Vec<Row>>, TripFailure> {
        let sent: Vec<_> = requests.iter().map(|request| request.sql.clone()).collect();
        self.prepare(&sent)?;
        self.counters.round_trips += 1;
        self.counters.statements += requests.len() as u64;
        let (client, statements) = (&self.client, &self.statements);
        let asked = requests
            .iter()
            .map(|request| {
                let statement = &statements[&request.sql];
                Box::pin(async move {
                    let bound: Vec<&(dyn ToSql + Sync)> =
                        request.bound.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
                    client.query(statement, &bound).await
                }) as Sending<'_, _>
            })
            .collect();
        self.answers(asked)
    }

    /// Runs statements that bind nothing and answer nothing.
    pub(super) fn script(&mut self, statements: &str) -> Result<(), TripFailure> {
        self.counters.round_trips += 1;
        let client = &self.client;
        self.answers(vec![Box::pin(client.batch_execute(statements))]).map(drop)
    }

    /// Ends a transaction that failed. True when the connection can be used again.
    pub(super) fn roll_back(&mut self) -> bool {
        self.trip(&[BoundStatement::new(ROLLBACK)]).is_ok()
    }

    fn answers<T: Send>(&self, asked: Vec<Sending<'_, Result<T, Error>>>) -> Result<Vec<T>, TripFailure> {
        let Some(runtime) = &self.runtime else { return Err(TripFailure::late(&self.options)) };
        let bound = self.options.answer_timeout;
        let answers = wait(runtime, async { tokio::time::timeout(bound, in_order(asked)).await });
        let answers = answers.map_err(|_| TripFailure::late(&self.options))?;
        let answer = |(at, answer): (usize, Result<T, Error>)| {
            answer.map_err(|error| TripFailure::of(at, &error, &self.options))
        };
        answers.into_iter().enumerate().map(answer).collect()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Not waited for: the drop may be on a thread that must not block.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Polls each once, which sends it, in this order; then takes the answers in the same order.
async fn in_order<T>(mut asked: Vec<Sending<'_, T>>) -> Vec<T> {
    let mut answers: Vec<Option<T>> = asked.iter().map(|_| None).collect();
    poll_fn(|task| {
        for (future, answer) in asked.iter_mut().zip(&mut answers) {
            if let Poll::Ready(early) = future.as_mut().poll(task) {
                *answer = Some(early);
            }
        }
        Poll::Ready(())
    })
    .await;
    let mut taken = Vec::with_capacity(answers.len());
    for (future, answer) in asked.into_iter().zip(answers) {
        taken.push(match answer {
            Some(answer) => answer,
            None => future.await,
        });
    }
    taken
}

/// Blocks this thread. A thread that runs async tasks may not be blocked by a second runtime, so there another thread
/// does it: slower, and correct.
fn wait<T: Send>(runtime: &Runtime, future: impl Future<Output = T> + Send) -> T {
    if Handle::try_current().is_err() {
        return runtime.block_on(future);
    }
    std::thread::scope(|scope| match scope.spawn(|| runtime.block_on(future)).join() {
        Ok(output) => output,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}
