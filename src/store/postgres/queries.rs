//! The statement of each reading question, and of the locks. Conditions stand in the text, so that the planner sees
//! which index serves them; values are bound.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::model::handle::SessionScope;
use crate::model::process::{ProcessId, ProcessListFilter};
use crate::store::columns::{disposition_column, status_column, to_column};
use crate::store::footprint::RowsRead;
use crate::store::postgres::connection::{BoundStatement, ROLLBACK};
use crate::store::postgres::keys::to_key;

pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
/// One snapshot for all that a call reads.
pub(super) const BEGIN_READING: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
pub(super) const COMMIT: &str = "COMMIT";

/// Never `now()`: that is when the transaction began, before it waited for its locks.
pub(super) const READ_CLOCK: &str = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// By itself, so that what is read after it is read after the wait.
pub(super) const LOCK: &str = "SELECT id FROM ids WHERE id = $1 FOR UPDATE";
pub(super) const LOCK_IN_ORDER: &str = "SELECT id FROM ids WHERE id = ANY($1) ORDER BY id FOR UPDATE";
/// Waits for whoever else registers the same id.
pub(super) const MAKE_LOCKABLE: &str =
    "INSERT INTO ids (id, fence, sequence, lease) VALUES ($1, $2, $2, NULL) ON CONFLICT (id) DO NOTHING";
/// Against every other step that may write, save one that finds no row to lock.
pub(super) const LOCK_EVERYTHING: &str = "LOCK TABLE ids IN EXCLUSIVE MODE";
pub(super) const LOCK_NAME: &str = "SELECT pg_advisory_xact_lock($1)";
pub(super) const LOCK_NAME_SHARED: &str = "SELECT pg_advisory_xact_lock_shared($1)";

pub(super) const SUBJECTS_OF_SESSION: &str = "SELECT process_id FROM handles WHERE session_id = $1
    UNION SELECT id FROM processes WHERE wake_session = $1";
pub(super) const ENDED_THROUGH: &str =
    "SELECT id FROM processes WHERE ended_at IS NOT NULL AND ended_at <= $1 ORDER BY ended_at, id";
/// Those of the locked processes that still count as ended before the cutoff.
pub(super) const STILL_ENDED_THROUGH: &str = "SELECT id FROM processes
    WHERE id = ANY($2) AND ended_at IS NOT NULL AND ended_at <= $1 ORDER BY ended_at, id";

/// (fence, lease, is there a process, status, output, is there a registration, id), a row for each id that is asked for.
pub(super) const LEASE_ROWS: &str =
    "SELECT i.fence, i.lease::text, p.id IS NOT NULL, p.status, p.output::text, r.id IS NOT NULL, asked.id
    FROM unnest($1::text[]) AS asked (id)
    LEFT JOIN ids i ON i.id = asked.id LEFT JOIN processes p ON p.id = asked.id
    LEFT JOIN registrations r ON r.id = asked.id";
pub(super) const HIGH_WATERS: &str = "SELECT id, fence, sequence FROM ids WHERE id = ANY($1)";
pub(super) const EVENT_TOTALS: &str =
    "SELECT process_id, count(*) FROM events WHERE process_id = ANY($1) GROUP BY process_id";

macro_rules! record_columns {
    () => {
        "p.id, p.status, p.created_at, p.updated_at, p.registration_hash, p.state::text, p.output::text, \
         r.registration::text"
    };
}

const STORED_PROCESS: &str = concat!(
    "SELECT ",
    record_columns!(),
    ", i.fence, i.lease::text, i.sequence FROM processes p LEFT JOIN registrations r ON r.id = p.id
    LEFT JOIN ids i ON i.id = p.id WHERE p.id = $1"
);
const EXISTS: &str = "SELECT 1 FROM processes WHERE id = $1";
const PROCESSES_WAKING: &str = "SELECT id FROM processes WHERE wake_session = $1 ORDER BY id";
const EVENT: &str = "SELECT sequence, event::text, wake FROM events WHERE process_id = $1 AND sequence = $2";
const EVENT_BY_REPLAY_KEY: &str =
    "SELECT sequence, event::text FROM events WHERE process_id = $1 AND replay_key = $2";
const EVENTS_AFTER: &str =
    "SELECT sequence, event::text FROM events WHERE process_id = $1 AND sequence > $2 ORDER BY sequence";
const UNACKED_WAKES_AFTER: &str = "SELECT sequence, event::text FROM events
    WHERE process_id = $1 AND wake = 1 AND sequence > $2 ORDER BY sequence";
const RECENT_EVENTS: &str =
    "SELECT sequence, event::text FROM events WHERE process_id = $1 ORDER BY sequence DESC LIMIT $2";
const COUNT_EVENTS: &str =
    "SELECT count(*) FROM events WHERE process_id = $1 AND event_type = $2 AND sequence <= $3";
const HANDLE: &str = "SELECT descriptor::text FROM handles WHERE scope_key = $1 AND process_id = $2";
const HANDLES_OF_SCOPE: &str = concat!(
    "SELECT h.process_id, h.descriptor::text, ",
    record_columns!(),
    " FROM handles h LEFT JOIN processes p ON p.id = h.process_id LEFT JOIN registrations r ON r.id = p.id
    WHERE h.scope_key = $1 ORDER BY h.process_id"
);
const HANDLES_ON: &str = "SELECT session_id, frame_id, descriptor::text FROM handles WHERE process_id = $1";
const HANDLES_OF_SESSION: &str = "SELECT h.process_id, h.frame_id, p.id IS NOT NULL FROM handles h
    LEFT JOIN processes p ON p.id = h.process_id WHERE h.session_id = $1";

/// The questions of nearly every call, which are prepared when a connection is opened.
pub(super) fn usual() -> Vec<Cow<'static, str>> {
    [
        BEGIN,
        BEGIN_READING,
        COMMIT,
        ROLLBACK,
        READ_CLOCK,
        LOCK,
        MAKE_LOCKABLE,
        LEASE_ROWS,
        STORED_PROCESS,
        EXISTS,
        EVENT_BY_REPLAY_KEY,
        EVENTS_AFTER,
    ]
    .map(Cow::Borrowed)
    .into()
}

/// A scope id may be too long for an index.
pub(super) fn scope_key(scope: &SessionScope) -> Vec<u8> {
    Sha256::digest(scope.id().as_bytes()).to_vec()
}

/// A number for a name that has no row to lock. Two names with one number would wait for each other, and no more.
pub(super) fn lock_number(schema: &str, kind: &str, name: &str) -> i64 {
    let digest = Sha256::digest(format!("{schema}\0{kind}\0{name}").as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(first)
}

pub(super) fn keys(ids: &[ProcessId]) -> Vec<String> {
    ids.iter().map(|id| to_key(id)).collect()
}

pub(super) fn lease_rows(ids: &[ProcessId]) -> BoundStatement {
    BoundStatement::new(LEASE_ROWS).bind(keys(ids))
}

fn limit_column(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The question as a statement.
pub(super) fn question(read: &RowsRead) -> BoundStatement {
    match read {
        RowsRead::LeaseRow(id) => lease_rows(std::slice::from_ref(id)),
        RowsRead::StoredProcess(id) => BoundStatement::new(STORED_PROCESS).bind(to_key(id)),
        RowsRead::Exists(id) => BoundStatement::new(EXISTS).bind(to_key(id)),
        RowsRead::HighWater(id) => BoundStatement::new(HIGH_WATERS).bind(vec![to_key(id)]),
        RowsRead::Processes(filter) => list(filter),
        RowsRead::ProcessesWaking(session) => BoundStatement::new(PROCESSES_WAKING).bind(to_key(session)),
        RowsRead::EndedThrough(instant) => BoundStatement::new(ENDED_THROUGH).bind(to_column(*instant)),
        RowsRead::Event { process_id, sequence } => {
            BoundStatement::new(EVENT).bind(to_key(process_id)).bind(to_column(*sequence))
        }
        RowsRead::EventByReplayKey { process_id, key } => {
            BoundStatement::new(EVENT_BY_REPLAY_KEY).bind(to_key(process_id)).bind(to_key(key))
        }
        RowsRead::EventsAfter { process_id, after } => {
            BoundStatement::new(EVENTS_AFTER).bind(to_key(process_id)).bind(to_column(*after))
        }
        RowsRead::UnackedWakesAfter { process_id, after } => {
            BoundStatement::new(UNACKED_WAKES_AFTER).bind(to_key(process_id)).bind(to_column(*after))
        }
        RowsRead::RecentEvents { process_id, limit } => {
            BoundStatement::new(RECENT_EVENTS).bind(to_key(process_id)).bind(limit_column(*limit))
        }
        RowsRead::CountEvents { process_id, event_type, through } => BoundStatement::new(COUNT_EVENTS)
            .bind(to_key(process_id))
            .bind(to_key(event_type))
            .bind(to_column(*through)),
        RowsRead::Handle { scope, process_id } => {
            BoundStatement::new(HANDLE).bind(scope_key(scope)).bind(to_key(process_id))
        }
        RowsRead::HandlesOfScope(scope) => BoundStatement::new(HANDLES_OF_SCOPE).bind(scope_key(scope)),
        RowsRead::HandlesOn(id) => BoundStatement::new(HANDLES_ON).bind(to_key(id)),
        RowsRead::HandlesOfSession(session) => BoundStatement::new(HANDLES_OF_SESSION).bind(to_key(session)),
    }
}

fn list(filter: &ProcessListFilter) -> BoundStatement {
    let mut conditions = vec!["true".to_owned()];
    let mut request = BoundStatement::new("");
    if let Some(status) = filter.status {
        conditions.push(format!("p.status = {}", status_column(status)));
    }
    match filter.waiting {
        Some(true) => conditions.push("p.waiting".to_owned()),
        Some(false) => conditions.push("NOT p.waiting".to_owned()),
        None => {}
    }
    if let Some(disposition) = filter.disposition {
        conditions.push(format!("p.disposition = {}", disposition_column(disposition)));
    }
    if let Some(definition) = &filter.definition {
        request = request.bind(to_key(definition));
        conditions.push(format!("p.definition = ${}", request.bound.len()));
    }
    if let Some(after) = &filter.after {
        request = request.bind(to_key(after));
        conditions.push(format!("p.id > ${}", request.bound.len()));
    }
    let mut limit = String::new();
    if let Some(most) = filter.limit {
        request = request.bind(limit_column(most));
        limit = format!(" LIMIT ${}", request.bound.len());
    }
    let sql = format!(
        "SELECT {} FROM processes p LEFT JOIN registrations r ON r.id = p.id WHERE {} ORDER BY p.id{limit}",
        record_columns!(),
        conditions.join(" AND ")
    );
    BoundStatement { sql: Cow::Owned(sql), ..request }
}
