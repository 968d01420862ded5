//! The tables of the Postgres store. A row of `ids` is never deleted: it holds the highest fence and sequence that an id
//! ever reached, and the lease while it is held; it is also what calls on one process lock. Documents are `json`, which
//! keeps them as they were written and refuses what is none.

/// Moves with every change of the tables.
pub(super) const SCHEMA_VERSION: i32 = 1;

/// Names the schema as ours. It is looked for before anything is written.
pub(super) const VERSION_TABLE: &str = "fencepost_registry";

/// `status` 0 is running, and `ended_at` is null until then: an update of a running process touches no index, so
/// Postgres keeps the new row beside the old one. `wake` is 1 while a wake is unacked, 2 when acked, 0 for an event
/// without one.
pub(super) const CREATE: &str = r#"
CREATE TABLE processes (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    status smallint NOT NULL CHECK (status IN (0, 1, 2, 3, 4)),
    waiting boolean NOT NULL,
    disposition smallint NOT NULL,
    definition text COLLATE "C",
    wake_session text COLLATE "C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    ended_at bigint,
    registration_hash text NOT NULL,
    state json NOT NULL,
    output json
) WITH (fillfactor = 80);
CREATE INDEX processes_by_status ON processes (status, id);
CREATE INDEX processes_by_definition ON processes (definition, status, id) WHERE definition IS NOT NULL;
CREATE INDEX processes_waiting ON processes (id) WHERE waiting;
CREATE INDEX processes_by_disposition ON processes (disposition, status, id);
CREATE INDEX processes_of_disposition ON processes (disposition, id);
CREATE INDEX processes_of_definition ON processes (definition, id) WHERE definition IS NOT NULL;
CREATE INDEX processes_ended ON processes (ended_at, id) WHERE ended_at IS NOT NULL;
CREATE INDEX processes_waking ON processes (wake_session, id) WHERE wake_session IS NOT NULL;

CREATE TABLE registrations (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    registration json NOT NULL
);

CREATE TABLE ids (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    fence bigint NOT NULL,
    sequence bigint NOT NULL,
    lease json
) WITH (fillfactor = 70);

CREATE TABLE events (
    process_id text COLLATE "C" NOT NULL,
    sequence bigint NOT NULL,
    event_type text COLLATE "C" NOT NULL,
    replay_key text COLLATE "C",
    wake smallint NOT NULL,
    event json NOT NULL,
    PRIMARY KEY (process_id, sequence)
);
CREATE UNIQUE INDEX events_by_replay_key ON events (process_id, replay_key) WHERE replay_key IS NOT NULL;
CREATE INDEX events_by_type ON events (process_id, event_type, sequence);
CREATE INDEX events_waking ON events (process_id, sequence) WHERE wake = 1;

CREATE TABLE handles (
    scope_key bytea NOT NULL,
    process_id text COLLATE "C" NOT NULL,
    session_id text COLLATE "C" NOT NULL,
    frame_id text COLLATE "C" NOT NULL,
    descriptor json NOT NULL,
    PRIMARY KEY (scope_key, process_id)
);
CREATE INDEX handles_by_process ON handles (process_id, session_id);
CREATE INDEX handles_by_session ON handles (session_id, process_id);

CREATE TABLE fencepost_registry (only_row boolean PRIMARY KEY CHECK (only_row), schema_version integer NOT NULL);
"#;
