//! Servers, databases and rows that are not what a store hopes for: a typed sentence each, within a bounded time, without
//! a secret in it; nothing is lost, nothing invented.

use std::sync::Arc;
use std::time::Duration;

use fencepost::model::process::ProcessListFilter;
use fencepost::registry::calls::{Call, Reply};
use fencepost::store::{PostgresOptions, PostgresStore, Store as _};
use fencepost::testing::postgres_server::{PASSWORD, PostgresServer, USER};
use fencepost::{Registry, RegistryError, System};
use serde_json::json;

use crate::by_sql::Sql;
use crate::calls::{claim, complete, failure, ids, job, progress, read, register, try_claim};

fn opened(url: &str, options: &PostgresOptions) -> Result<Registry<PostgresStore>, RegistryError> {
    Ok(Registry::new(PostgresStore::open(url, options.clone())?, Arc::new(System::new().unwrap())))
}

/// The sentence of a refused opening.
fn refusal(url: &str, options: &PostgresOptions) -> String {
    let told = opened(url, options).err().expect("it is not opened").to_string();
    assert!(!told.contains(PASSWORD) && !told.contains("hunter2"), "a secret is told: {told}");
    told
}

fn says(told: &str, expected: &str) {
    assert!(told.contains(expected), "expected `{expected}` in: {told}");
}

#[test]
fn a_wrong_url_user_password_or_database_is_told_and_no_secret_with_it() {
    let Some(server) = crate::server() else { return };
    let options = crate::new_schema();
    let port = server.port();
    let at = |rest: &str| refusal(&format!("postgres://{rest}"), &options);
    says(&at("fencepost:hunter2"), "postgres://user:password@host:port/database");
    says(&refusal("/var/lib/registry.db", &options), "postgres://user:password@host:port/database");
    says(&at(&format!("{USER}:hunter2@127.0.0.1:{port}/postgres")), "refuses this user or password");
    says(&at(&format!("nobody:hunter2@127.0.0.1:{port}/postgres")), "refuses this user or password");
    says(&at(&format!("{USER}@127.0.0.1:{port}/postgres")), "password missing");
    says(&at(&format!("{USER}:{PASSWORD}@127.0.0.1:{port}/nowhere")), "no such database");
    says(&at(&format!("{USER}:{PASSWORD}@127.0.0.1:1/postgres")), "refused");
    says(&at(&format!("{USER}:{PASSWORD}@127.0.0.1:{port}/postgres?sslmode=require")), "open_with_tls");
    let upper = PostgresOptions { schema: "No Schema".into(), ..options };
    says(&refusal(&server.url("postgres"), &upper), "schema's name");
}

/// Whoever opens a store in an async function is on a thread that may not block.
#[tokio::test]
async fn an_opening_that_fails_inside_a_runtime_is_an_error_and_no_panic() {
    let url = "postgres://nobody:hunter2@127.0.0.1:1/nowhere";
    says(&refusal(url, &PostgresOptions::default()), "refused");
}

/// A connector decides what TLS is; the URL, whether it is demanded.
#[test]
fn a_server_without_tls_is_used_only_where_the_url_does_not_demand_it() {
    let Some(server) = crate::server() else { return };
    let options = crate::new_schema();
    let url = |mode: &str| format!("{}?sslmode={mode}", server.url("postgres"));
    let open = |mode: &str| PostgresStore::open_with_tls(&url(mode), options.clone(), tokio_postgres::NoTls);
    assert!(open("prefer").is_ok());
    says(&open("require").err().expect("no TLS is to be had").to_string(), "TLS");
}

/// An address that takes connections and never answers.
#[test]
fn a_server_that_never_answers_costs_the_timeout_and_no_more() {
    if crate::server().is_none() {
        return;
    }
    let deaf = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = deaf.local_addr().unwrap().port();
    let options = PostgresOptions { answer_timeout: Duration::from_millis(200), ..crate::patient("unused") };
    says(
        &refusal(&format!("postgres://u:hunter2@127.0.0.1:{port}/db"), &options),
        "no answer came within 200ms",
    );
}

#[test]
fn a_server_that_does_not_keep_what_it_acknowledges_is_refused_by_the_settings_name() {
    let Some(server) = crate::server() else { return };
    let options = crate::new_schema();
    let url = format!("{}?options=-c%20synchronous_commit%3Doff", server.url("postgres"));
    says(&refusal(&url, &options), "`synchronous_commit` is off");
    let mut sql = Sql::connect_to(&server.url("postgres"));
    sql.run("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0");
    says(&refusal(&server.url("latin"), &options), "`server_encoding` is not UTF8");

    let mut forgetful = PostgresServer::start(&["fsync=off"]).unwrap();
    says(&refusal(&forgetful.url("postgres"), &options), "`fsync` is off");
    // The same server as a replica.
    forgetful.shut_down().unwrap();
    std::fs::write(forgetful.data().join("standby.signal"), "").unwrap();
    std::fs::write(forgetful.data().join("postgresql.auto.conf"), "primary_conninfo = ''\n").unwrap();
    forgetful.set(&["fsync=on"]).start_again().unwrap();
    says(&refusal(&forgetful.url("postgres"), &options), "it is a replica");
}

#[test]
fn another_programs_schema_and_another_version_are_refused_and_left_alone() {
    let Some(server) = crate::server() else { return };
    let others = crate::new_schema();
    let mut sql = Sql::connect(server, &others);
    sql.run(&format!("CREATE SCHEMA {}; CREATE TABLE recipes (name text)", others.schema));
    says(&refusal(&server.url("postgres"), &others), "another program's tables");
    assert_eq!(sql.text("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"), "1");

    let options = crate::new_schema();
    register(&mut opened(&server.url("postgres"), &options).unwrap(), "p");
    let mut sql = Sql::connect(server, &options);
    sql.run("UPDATE fencepost_registry SET schema_version = 77");
    says(&refusal(&server.url("postgres"), &options), "schema version 77");
    sql.run("UPDATE fencepost_registry SET schema_version = 1");
    assert_eq!(ids(&mut opened(&server.url("postgres"), &options).unwrap()), ["p"]);
}

#[test]
fn a_role_needs_its_schema_and_nothing_else() {
    let Some(server) = crate::server() else { return };
    let options = crate::new_schema();
    let mut sql = Sql::connect_to(&server.url("postgres"));
    for statement in [
        "CREATE ROLE tenant LOGIN PASSWORD 'hunter2'",
        "CREATE DATABASE tenancy",
        "REVOKE ALL ON DATABASE tenancy FROM PUBLIC",
        "GRANT CONNECT ON DATABASE tenancy TO tenant",
    ] {
        sql.run(statement);
    }
    let url = format!("postgres://tenant:hunter2@127.0.0.1:{}/tenancy", server.port());
    let told = refusal(&url, &options);
    says(&told, "the role lacks a right: it must own the schema");
    says(&told, &options.schema);
    Sql::connect_to(&server.url("tenancy"))
        .run(&format!("CREATE SCHEMA {} AUTHORIZATION tenant", options.schema));
    let mut registry = opened(&url, &options).unwrap();
    register(&mut registry, "p");
    let lease = claim(&mut registry, "p", "ann", 60_000);
    registry.apply(&progress(&lease, json!(1))).unwrap();
    registry.apply(&complete(&lease, json!(1))).unwrap();
    registry.apply(&Call::PruneTerminalProcesses { cutoff_epoch_ms: u64::MAX }).unwrap();
    assert_eq!(registry.durability_tier(), fencepost::model::process::DurabilityTier::Durable);
}

/// Tables that are gone took acknowledged writes with them: a store that has served does not make new ones.
#[test]
fn tables_that_are_gone_are_not_made_anew() {
    let Some(server) = crate::server() else { return };
    let options = crate::new_schema();
    let mut registry = opened(&named(server, &options), &options).unwrap();
    register(&mut registry, "p");
    let mut sql = Sql::connect(server, &options);
    sql.run(&format!("DROP SCHEMA {} CASCADE", options.schema));
    end_sessions(&mut sql, &options);
    let (cause, _) = failure(registry.apply(&Call::ListNonTerminal {}));
    says(&cause, "the tables are gone and were there before");
}

/// Ends every session of this schema's stores, at once, and waits until they are gone.
fn end_sessions(sql: &mut Sql, options: &PostgresOptions) {
    let ours = format!(
        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE application_name = '{}'",
        options.schema
    );
    sql.text(&ours);
}

/// A URL under which this schema's sessions are known by its name.
fn named(server: &PostgresServer, options: &PostgresOptions) -> String {
    format!("{}?application_name={}", server.url("postgres"), options.schema)
}

#[test]
fn a_session_that_was_ended_between_calls_is_replaced_and_nobody_notices() {
    let Some(server) = crate::server() else { return };
    let options = crate::new_schema();
    let mut registry = opened(&named(server, &options), &options).unwrap();
    register(&mut registry, "p");
    let mut sql = Sql::connect(server, &options);
    for _ in 0..3 {
        end_sessions(&mut sql, &options);
        assert_eq!(ids(&mut registry), ["p"]);
        end_sessions(&mut sql, &options);
        let lease = claim(&mut registry, "p", "ann", 60_000);
        registry.apply(&crate::calls::release(&lease)).unwrap();
    }
    assert_eq!(registry.store().counters().connections, 1 + 6);
}

/// In the middle of a call, before its commit is sent: known to have changed nothing.
#[test]
fn a_session_that_ends_in_the_middle_of_a_call_has_changed_nothing() {
    let Some(server) = crate::server() else { return };
    let options = crate::new_schema();
    let mut registry = opened(&named(server, &options), &options).unwrap();
    register(&mut registry, "p");
    let mut neighbour = Sql::connect(server, &options);
    neighbour.run("BEGIN; SELECT 1 FROM ids WHERE id = 'p' FOR UPDATE");
    let waiting = std::thread::spawn(move || {
        let answer = try_claim(&mut registry, "p", "ann", 60_000);
        (registry, answer)
    });
    let mut sql = Sql::connect(server, &options);
    let waits = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{}' AND wait_event_type = 'Lock'",
        options.schema
    );
    while sql.text(&waits) != "1" {
        std::thread::yield_now();
    }
    end_sessions(&mut sql, &options);
    // The lost connection had not decided anything, so the call tries once more, and waits again.
    while sql.text(&waits) != "1" {
        std::thread::yield_now();
    }
    end_sessions(&mut sql, &options);
    let (mut registry, answer) = waiting.join().unwrap();
    failure(answer);
    neighbour.run("COMMIT");
    assert_eq!(claim(&mut registry, "p", "ann", 60_000).fencing_token, 1, "the failed claim granted nothing");
}

/// The server refuses a write of the call, here by a constraint of a vandal: the commit behind it was a rollback.
#[test]
fn a_refused_write_takes_the_whole_call_back_and_keeps_the_connection() {
    let Some(server) = crate::server() else { return };
    let options = crate::new_schema();
    let mut registry = opened(&server.url("postgres"), &options).unwrap();
    register(&mut registry, "p");
    let lease = claim(&mut registry, "p", "ann", 60_000);
    let mut sql = Sql::connect(server, &options);
    sql.run("ALTER TABLE events ADD CONSTRAINT few CHECK (event::text NOT LIKE '%poison%')");
    let (cause, row) = failure(registry.apply(&progress(&lease, json!("poison"))));
    says(&cause, "violates check constraint");
    assert_eq!(row.as_deref(), Some("p"));
    let record = read(&mut registry, "p").unwrap();
    assert_eq!(record.updated_at_ms, record.created_at_ms, "the refused call moved the record");
    registry.apply(&progress(&lease, json!("fine"))).unwrap();
    assert_eq!(registry.store().counters().connections, 1);
}

/// A constraint that is checked in COMMIT: whatever COMMIT answers is an unknown outcome, even a refusal.
#[test]
fn an_error_of_the_commit_itself_is_an_unknown_outcome() {
    let Some(server) = crate::server() else { return };
    let options = crate::new_schema();
    let mut registry = opened(&server.url("postgres"), &options).unwrap();
    let mut sql = Sql::connect(server, &options);
    sql.run(
        "CREATE TABLE allowed (id text PRIMARY KEY);
         ALTER TABLE processes ADD FOREIGN KEY (id) REFERENCES allowed DEFERRABLE INITIALLY DEFERRED",
    );
    let answer = registry.apply(&Call::RegisterProcess { registration: job("poison") });
    assert!(matches!(answer, Err(RegistryError::Unavailable { .. })), "{answer:?}");
    sql.run("INSERT INTO allowed VALUES ('p')");
    register(&mut registry, "p");
    assert_eq!(ids(&mut registry), ["p"]);
}

#[test]
fn a_server_that_goes_away_is_told_at_each_call_and_used_again_when_it_is_back() {
    if crate::server().is_none() {
        return;
    }
    let server = PostgresServer::start(&[]).unwrap();
    let options = crate::patient("fencepost");
    let mut registry = opened(&server.url("postgres"), &options).unwrap();
    register(&mut registry, "p");
    server.shut_down().unwrap();
    for _ in 0..3 {
        let (cause, _) = failure(registry.apply(&Call::ListNonTerminal {}));
        says(&cause, "refused");
    }
    server.start_again().unwrap();
    assert_eq!(ids(&mut registry), ["p"]);
}

#[test]
fn a_client_that_falls_silent_in_the_middle_of_a_call_loses_its_locks() {
    let Some(server) = crate::server() else { return };
    let other = crate::new_schema();
    let options =
        PostgresOptions { idle_in_transaction_timeout: Duration::from_millis(500), ..other.clone() };
    register(&mut opened(&server.url("postgres"), &other).unwrap(), "p");
    let mut silent = opened(&server.url("postgres"), &options).unwrap();
    // The step stands for a client that is stopped between the two round trips of a call.
    let answer = silent.store().atomically_on(
        fencepost::store::Access::Write,
        &fencepost::store::Footprint::of(
            fencepost::store::Subjects::Known(vec!["p".into()]),
            vec![fencepost::store::RowsRead::LeaseRow("p".into())],
        ),
        |rows| {
            let tenure = rows.lease_row("p")?.tenure;
            let mut another = opened(&server.url("postgres"), &other)?;
            let lease = claim(&mut another, "p", "bob", 60_000);
            assert_eq!(lease.fencing_token, 1);
            rows.put_tenure("p", &tenure)
        },
    );
    // Told by the server's last word that nothing was changed; where that word is lost, nobody can know.
    let is_told = matches!(&answer, Err(RegistryError::Backend { cause, .. }) if cause.contains("silent in the middle"));
    assert!(is_told || matches!(answer, Err(RegistryError::Unavailable { .. })), "{answer:?}");
    let Ok(Reply::MaybeLease(Some(kept))) = silent.apply(&Call::GetProcessLease { process_id: "p".into() })
    else {
        panic!("the other's lease is kept");
    };
    assert_eq!(kept.owner.owner_id, "bob");
}

#[test]
fn a_damaged_row_is_named_and_hides_no_other() {
    let Some(server) = crate::server() else { return };
    let damages = [
        "UPDATE processes SET state = '{}' WHERE id = 'bad'",
        "UPDATE registrations SET registration = '\"nonsense\"' WHERE id = 'bad'",
        "DELETE FROM registrations WHERE id = 'bad'",
        "UPDATE processes SET status = 2 WHERE id = 'bad'",
        "UPDATE processes SET output = '{}' WHERE id = 'bad'",
        "UPDATE registrations SET registration = replace(registration::text, 'bad', 'dab')::json WHERE id = 'bad'",
        "UPDATE ids SET lease = '[1]' WHERE id = 'bad'",
        "UPDATE ids SET lease = replace(lease::text, 'bad', 'dab')::json WHERE id = 'bad'",
        "UPDATE ids SET fence = -9223372036854775808 WHERE id = 'bad'",
        "DELETE FROM ids WHERE id = 'bad'",
    ];
    for damage in damages {
        let schema = crate::LentSchema::new(server);
        let mut registry = opened(&server.url("postgres"), &schema.0).unwrap();
        for id in ["a", "bad", "c"] {
            register(&mut registry, id);
            claim(&mut registry, id, "ann", 60_000);
        }
        Sql::connect(server, &schema.0).run(damage);
        let mut answers = vec![registry.apply(&Call::ReadProcess { process_id: "bad".into() })];
        // A list shows records, and no lease is part of one.
        if !damage.contains(" ids ") {
            answers.push(registry.apply(&Call::ListProcesses { filter: ProcessListFilter::any() }));
            answers.push(registry.apply(&Call::RegisterProcess { registration: job("bad") }));
        }
        if damage.contains(" ids ") || damage.starts_with("DELETE") {
            answers.push(try_claim(&mut registry, "bad", "bob", 10).map(Reply::Claim));
        }
        for answer in answers {
            assert_eq!(failure(answer).1.as_deref(), Some("bad"), "{damage}");
        }
        for id in ["a", "c"] {
            claim(&mut registry, id, "ann", 60_000);
        }
    }
}

#[test]
fn ids_and_payloads_of_any_characters_come_back_whole() {
    let Some(server) = crate::server() else { return };
    let schema = crate::LentSchema::new(server);
    let mut registry = opened(&server.url("postgres"), &schema.0).unwrap();
    let mut wanted = ["\0", "a\0b", "a\u{1}", "a\u{1}\0", "☃/..;DROP TABLE ids", "'\"\\", &"\0".repeat(512)];
    for id in wanted {
        register(&mut registry, id);
        let lease = claim(&mut registry, id, "ann", 60_000);
        registry.apply(&progress(&lease, json!("\u{0}\u{7f}\u{fffd}"))).unwrap();
        let after = Call::EventsAfter { process_id: id.into(), after_sequence: 0 };
        match registry.apply(&after) {
            Ok(Reply::Events(events)) => assert_eq!(events[0].payload, json!("\u{0}\u{7f}\u{fffd}")),
            other => panic!("{other:?}"),
        }
    }
    wanted.sort_unstable();
    assert_eq!(ids(&mut registry), wanted, "lists are in byte order");
    let huge = json!("☃".repeat(3_000_000));
    let mut registration = job("huge");
    registration.input =
        fencepost::model::process::ProcessInput::Engine { kind: "e".into(), payload: huge.clone() };
    registry.apply(&Call::RegisterProcess { registration: registration.clone() }).unwrap();
    assert!(*read(&mut registry, "huge").unwrap().registration == registration);
}
