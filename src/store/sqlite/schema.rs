//! The tables of the SQLite store. A row of `ids` is never deleted: it holds the
//! highest fence and sequence that an id ever reached, and the lease while it is held. Registrations stand apart
//! because they can be large and every change would write them again.

/// Says that a file is ours ("fnc1"), so that nobody else's database is ever written to.
pub const APPLICATION_ID: i64 = 0x666e_6331;

/// Moves with every change of the tables.
pub const SCHEMA_VERSION: i64 = 1;

/// `status` 0 is running. `wake` is 1 while a wake is unacked, 2 when acked, 0 for an event without one.
pub const CREATE: &str = "
CREATE TABLE processes (
    id TEXT NOT NULL PRIMARY KEY,
    status INTEGER NOT NULL CHECK (status IN (0, 1, 2, 3, 4)),
    waiting INTEGER NOT NULL,
    disposition INTEGER NOT NULL,
    definition TEXT,
    wake_session TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    registration_hash TEXT NOT NULL,
    state TEXT NOT NULL,
    output TEXT
);
CREATE INDEX processes_by_status ON processes (status, id);
CREATE INDEX processes_by_definition ON processes (definition, status, id) WHERE definition IS NOT NULL;
CREATE INDEX processes_waiting ON processes (id) WHERE waiting = 1;
CREATE INDEX processes_by_disposition ON processes (disposition, status, id);
CREATE INDEX processes_of_disposition ON processes (disposition, id);
CREATE INDEX processes_of_definition ON processes (definition, id) WHERE definition IS NOT NULL;
CREATE INDEX processes_ended ON processes (updated_at, id) WHERE status != 0;
CREATE INDEX processes_waking ON processes (wake_session, id) WHERE wake_session IS NOT NULL;

CREATE TABLE registrations (
    id TEXT NOT NULL PRIMARY KEY,
    registration TEXT NOT NULL
);

CREATE TABLE ids (
    id TEXT NOT NULL PRIMARY KEY,
    fence INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    lease TEXT
) WITHOUT ROWID;

CREATE TABLE events (
    process_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    replay_key TEXT,
    wake INTEGER NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (process_id, sequence)
) WITHOUT ROWID;
CREATE UNIQUE INDEX events_by_replay_key ON events (process_id, replay_key) WHERE replay_key IS NOT NULL;
CREATE INDEX events_by_type ON events (process_id, event_type, sequence);
CREATE INDEX events_waking ON events (process_id, sequence) WHERE wake = 1;

CREATE TABLE handles (
    scope_id TEXT NOT NULL,
    process_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    frame_id TEXT NOT NULL,
    descriptor TEXT NOT NULL,
    PRIMARY KEY (scope_id, process_id)
) WITHOUT ROWID;
CREATE INDEX handles_by_process ON handles (process_id, session_id, scope_id);
CREATE INDEX handles_by_session ON handles (session_id, process_id, scope_id);

CREATE TABLE openings (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), count INTEGER NOT NULL);
INSERT INTO openings VALUES (1, 0);
";
