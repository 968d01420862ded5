//! Every statement is served by an index. The server writes down how it carried out each one, and counts the scans that
//! no index served.

use std::sync::Arc;

use fencepost::model::handle::SessionScope;
use fencepost::model::process::*;
use fencepost::registry::calls::Call;
use fencepost::store::PostgresStore;
use fencepost::{Registry, System};
use serde_json::json;

use crate::by_sql::Sql;
use crate::calls::{claim, complete, job, progress, register, release};

fn lists() -> Vec<ProcessListFilter> {
    let statuses = [None, Some(ProcessStatusKind::Running), Some(ProcessStatusKind::Failed)];
    let mut lists = Vec::new();
    for status in statuses {
        for waiting in [None, Some(true)] {
            for disposition in [None, Some(RecoveryDisposition::OwnerBound)] {
                for definition in [None, Some("rare".to_owned())] {
                    for limit in [None, Some(2)] {
                        let after = Some("p-0001".to_owned());
                        let definition = definition.clone();
                        lists.push(ProcessListFilter {
                            status,
                            waiting,
                            disposition,
                            definition,
                            limit,
                            after,
                        });
                    }
                }
            }
        }
    }
    lists
}

fn every_call(registry: &mut Registry<PostgresStore>) {
    let calls: Vec<Call> = serde_json::from_str(include_str!("../registry/every_call.json")).unwrap();
    for call in calls {
        drop(registry.apply(&call));
    }
    register(registry, "mine");
    let lease = claim(registry, "mine", "ann", 60_000);
    registry.apply(&Call::RenewProcessLease { lease: lease.clone(), lease_ttl_ms: 60_000 }).unwrap();
    registry.apply(&progress(&lease, json!(1))).unwrap();
    registry.apply(&complete(&lease, json!(1))).unwrap();
    registry.apply(&release(&lease)).unwrap();
    for filter in lists() {
        registry.apply(&Call::ListProcesses { filter }).unwrap();
    }
    let session_scope = SessionScope::session("s");
    registry.apply(&Call::ListHandleGrants { session_scope }).unwrap();
    registry.apply(&Call::DeleteSessionProcessState { session_id: "s".into() }).unwrap();
    registry.apply(&Call::PruneTerminalProcesses { cutoff_epoch_ms: u64::MAX }).unwrap();
}

/// On empty tables, where an index saves nothing yet: the plans that are made then are kept when the tables have grown.
#[test]
fn every_statement_is_planned_on_an_index_even_before_there_are_rows() {
    let Some(server) = crate::server() else { return };
    let options = crate::new_schema();
    let explain = ["session_preload_libraries=auto_explain", "auto_explain.log_min_duration=0"];
    let explain = explain.map(|setting| format!("-c%20{}", setting.replace('=', "%3D"))).join("%20");
    let url = format!("{}?options={explain}", server.url("postgres"));
    let store = PostgresStore::open(&url, options.clone()).unwrap();
    let mut registry = Registry::new(store, Arc::new(System::new().unwrap()));
    every_call(&mut registry);
    let statements = registry.store().counters().statements;
    drop(registry);
    let log = std::fs::read_to_string(server.log()).unwrap();
    // Explain only the questions of this test, and not those of tests that run at the same time.
    let planned = log.matches("Query Text:").count();
    assert!(planned > 100, "{planned} of {statements} statements were explained");
    let scans: Vec<&str> = log.lines().filter(|line| line.contains("Seq Scan on")).collect();
    let on_ours = ["processes", "registrations", "ids", "events", "handles"];
    let unserved: Vec<&&str> = scans
        .iter()
        .filter(|line| on_ours.iter().any(|table| line.contains(&format!("on {table}"))))
        .collect();
    assert!(unserved.is_empty(), "no index serves: {unserved:#?}");
    assert!(log.contains("Index Scan using ids_pkey on ids"), "the lock is taken by the index");
}

/// Beside a thousand other rows, the server's own count of scans stands still.
#[test]
fn no_call_scans_a_table() {
    let Some(server) = crate::server() else { return };
    let options = crate::new_schema();
    let url = format!("{}?application_name={}", server.url("postgres"), options.schema);
    let open = || {
        let store = PostgresStore::open(&url, options.clone()).unwrap();
        Registry::new(store, Arc::new(System::new().unwrap()))
    };
    register(&mut open(), "model");
    let mut loader = Sql::connect_to(&url);
    loader.run(&format!("SET search_path = {}", options.schema));
    loader.run(
        "INSERT INTO processes SELECT 'p-' || lpad(n::text, 4, '0'), status, waiting, disposition, definition,
           wake_session, created_at, updated_at, ended_at, registration_hash, state, output
           FROM processes, generate_series(1, 1000) AS n;
         INSERT INTO registrations SELECT p.id,
           replace(r.registration::text, '\"model\"', '\"' || p.id || '\"')::json
           FROM processes p, registrations r WHERE r.id = 'model' AND p.id <> 'model';
         INSERT INTO ids SELECT p.id, i.fence, i.sequence, NULL FROM processes p, ids i
           WHERE i.id = 'model' AND p.id <> 'model';
         ANALYZE",
    );
    drop(loader);
    let mut sql = Sql::connect(server, &options);
    // A session has told its counts when it is gone.
    let mut scans = || -> i64 {
        let sessions =
            format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{}'", options.schema);
        while sql.text(&sessions) != "0" {
            std::thread::yield_now();
        }
        let counted = sql.text(&format!(
            "SELECT sum(seq_scan)::text FROM pg_stat_user_tables WHERE schemaname = '{}' AND relname <> \
             'fencepost_registry'",
            options.schema
        ));
        counted.parse().unwrap()
    };
    let before = scans();
    let mut registry = open();
    every_call(&mut registry);
    registry.apply(&Call::RegisterProcess { registration: job("another") }).unwrap();
    drop(registry);
    assert_eq!(scans(), before, "a call looked at every row of a table");
}
