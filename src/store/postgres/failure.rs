//! Failures at the server or on the way to it, each told in a sentence. The sentence holds no statement, no value and no part of
//! the URL.

use std::error::Error as _;

use tokio_postgres::Error;
use tokio_postgres::error::{Severity, SqlState};

use crate::store::postgres::options::PostgresOptions;

/// The first request of a round trip that failed.
#[derive(Debug)]
pub(super) struct TripFailure {
    /// Its place in the round trip.
    pub(super) at: usize,
    pub(super) cause: String,
    /// False when the server answered and goes on; true when this connection is of no more use.
    pub(super) is_lost: bool,
    /// True when the connection was closed, as by a server that was restarted; another one may serve.
    pub(super) is_closed: bool,
    /// True when the server said so itself: whatever stood behind the failed request was not carried out.
    pub(super) is_told: bool,
}

impl TripFailure {
    pub(super) fn of(at: usize, error: &Error, options: &PostgresOptions) -> Self {
        let told = error.as_db_error();
        let is_fatal = told
            .is_some_and(|told| matches!(told.parsed_severity(), Some(Severity::Fatal | Severity::Panic)));
        let is_cut = error.is_closed() || error.source().is_some_and(|source| source.is::<std::io::Error>());
        Self {
            at,
            cause: sentence(error, options),
            is_lost: told.is_none() || is_fatal,
            is_closed: is_fatal || is_cut,
            is_told: told.is_some(),
        }
    }

    /// The failure of a server that answered something else than it was asked for.
    pub(super) fn unreadable(cause: impl ToString) -> Self {
        Self { at: 0, cause: cause.to_string(), is_lost: false, is_closed: false, is_told: true }
    }

    pub(super) fn late(options: &PostgresOptions) -> Self {
        let cause = format!("no answer came within {:?}", options.answer_timeout);
        Self { at: 0, cause, is_lost: true, is_closed: false, is_told: false }
    }
}

pub(super) fn sentence(error: &Error, options: &PostgresOptions) -> String {
    let Some(told) = error.as_db_error() else {
        return with_sources(error);
    };
    let code = told.code();
    let own = if *code == SqlState::LOCK_NOT_AVAILABLE {
        format!("another call held the process for longer than {:?}: try again", options.lock_timeout)
    } else if *code == SqlState::QUERY_CANCELED {
        format!(
            "the server ended a statement, at the latest after {:?}: try again",
            options.statement_timeout
        )
    } else if *code == SqlState::INVALID_PASSWORD || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION {
        "the server refuses this user or password: check the URL".to_owned()
    } else if *code == SqlState::INVALID_CATALOG_NAME {
        "the server has no such database: create it, or check the URL".to_owned()
    } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        "the role lacks a right: it must own the schema, or may create one".to_owned()
    } else if *code == SqlState::TOO_MANY_CONNECTIONS {
        "the server has no connection left: raise `max_connections`, or use fewer".to_owned()
    } else if *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT {
        let bound = options.idle_in_transaction_timeout;
        format!(
            "this client was silent in the middle of a call for longer than {bound:?}, and lost its session"
        )
    } else if *code == SqlState::DISK_FULL {
        "the server's disk is full: make room".to_owned()
    } else if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        "the server is read-only: name the primary".to_owned()
    } else {
        told.message().to_owned()
    };
    format!("{own} (SQLSTATE {})", code.code())
}

fn with_sources(error: &Error) -> String {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        told = format!("{told}: {cause}");
        source = cause.source();
    }
    told
}
