//! Files and neighbours that are not what a store hopes for. Each is one typed error that says what it met, within the
//! busy timeout at most; nothing is lost, nothing invented.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use fencepost::model::process::*;
use fencepost::registry::calls::{Call, Reply};
use fencepost::store::{MemoryStore, SqliteOptions, SqliteStore, Store};
use fencepost::testing::manual_environment::HandEnvironment;
use fencepost::{Registry, RegistryError};
use serde_json::{Value, json};

fn registration(id: &str, payload: Value) -> ProcessRegistration {
    ProcessRegistration {
        input: ProcessInput::Engine { kind: "e".into(), payload },
        ..crate::sample::job(id)
    }
}

fn open(path: &Path, options: SqliteOptions) -> Result<Registry<SqliteStore>, RegistryError> {
    let environment = Arc::new(HandEnvironment::at_epoch_ms(1_000));
    Ok(Registry::new(SqliteStore::open(path, options)?, environment))
}

fn register<S: Store>(registry: &mut Registry<S>, id: &str) -> Result<Reply, RegistryError> {
    registry.apply(&Call::RegisterProcess { registration: registration(id, json!({})) })
}

fn claim<S: Store>(registry: &mut Registry<S>, id: &str) -> Result<Reply, RegistryError> {
    registry.apply(&Call::ClaimProcessLease {
        process_id: id.to_owned(),
        owner: fencepost::model::lease::LeaseOwnerIdentity::opaque("ann", "1"),
        lease_ttl_ms: 10,
    })
}

fn ids<S: Store>(registry: &mut Registry<S>) -> Vec<String> {
    match registry.apply(&Call::ListNonTerminal {}) {
        Ok(Reply::Records(records)) => records.iter().map(|record| record.id().to_owned()).collect(),
        other => panic!("a list is read: {other:?}"),
    }
}

/// A database with these processes, closed.
fn database_with(path: &Path, processes: &[&str]) {
    let mut registry = open(path, SqliteOptions::default()).unwrap();
    for id in processes {
        register(&mut registry, id).unwrap();
    }
}

fn refusal<T>(answer: Result<T, RegistryError>) -> (String, Option<String>) {
    match answer {
        Err(RegistryError::Backend { cause, row, .. }) => (cause, row),
        Err(other) => panic!("expected a backend error, got {other:?}"),
        Ok(_) => panic!("expected a backend error, got an answer"),
    }
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "these are notes, not a database, and they are long enough to be a header ".repeat(20);
    std::fs::write(&path, &text).unwrap();
    let (cause, _) = refusal(open(&path, SqliteOptions::default()));
    assert!(cause.contains("not a database"), "{cause}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn another_programs_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE recipes (name TEXT); INSERT INTO recipes VALUES ('soup')").unwrap();
    drop(other);
    let before = std::fs::read(&path).unwrap();
    let (cause, _) = refusal(open(&path, SqliteOptions::default()));
    assert!(cause.contains("another program's database"), "{cause}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn another_schema_version_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    database_with(&path, &["p"]);
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 77).unwrap();
    drop(newer);
    let (cause, _) = refusal(open(&path, SqliteOptions::default()));
    assert!(cause.contains("schema version 77"), "{cause}");
}

#[test]
fn a_truncated_database_is_refused_wherever_it_was_cut() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole.db");
    let many: Vec<String> = (0..200).map(|number| format!("process-{number:04}")).collect();
    database_with(&whole, &many.iter().map(String::as_str).collect::<Vec<_>>());
    let bytes = std::fs::read(&whole).unwrap();
    for eighth in 1..8 {
        let path = folder.path().join(format!("cut-{eighth}.db"));
        std::fs::write(&path, &bytes[..bytes.len() * eighth / 8]).unwrap();
        refusal(open(&path, SqliteOptions::default()));
    }
}

#[test]
fn a_folder_is_no_database_and_a_missing_folder_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    refusal(open(folder.path(), SqliteOptions::default()));
    let missing = folder.path().join("missing/registry.db");
    refusal(open(&missing, SqliteOptions::default()));
    assert!(!missing.parent().unwrap().exists());
}

#[test]
fn a_damaged_row_is_named_and_hides_no_other() {
    let damages = [
        "UPDATE processes SET state = '{' WHERE id = 'bad'",
        "UPDATE registrations SET registration = 'nonsense' WHERE id = 'bad'",
        "DELETE FROM registrations WHERE id = 'bad'",
        "UPDATE processes SET status = 2 WHERE id = 'bad'",
        "UPDATE processes SET output = '{}' WHERE id = 'bad'",
        "UPDATE processes SET state = '{}' WHERE id = 'bad'",
        "UPDATE processes SET state = x'ff00' WHERE id = 'bad'",
        "UPDATE processes SET created_at = 'noon' WHERE id = 'bad'",
        "UPDATE registrations SET registration = replace(registration, 'bad', 'dab') WHERE id = 'bad'",
        "UPDATE ids SET lease = '[1]' WHERE id = 'bad'",
        "UPDATE ids SET lease = replace(lease, 'bad', 'dab') WHERE id = 'bad'",
        "UPDATE ids SET fence = -9223372036854775808 WHERE id = 'bad'",
        "UPDATE ids SET fence = 'many' WHERE id = 'bad'",
        "DELETE FROM ids WHERE id = 'bad'",
    ];
    for damage in damages {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("registry.db");
        let mut registry = open(&path, SqliteOptions::default()).unwrap();
        for id in ["a", "bad", "c"] {
            register(&mut registry, id).unwrap();
            claim(&mut registry, id).unwrap();
        }
        let vandal = rusqlite::Connection::open(&path).unwrap();
        assert_eq!(vandal.execute(damage, []).unwrap(), 1, "{damage}");
        let version = |vandal: &rusqlite::Connection| -> i64 {
            vandal.query_row("PRAGMA data_version", [], |row| row.get(0)).unwrap()
        };
        let before = version(&vandal);

        let mut calls = Vec::new();
        // A claim looks at a row as far as it is JSON, not at what it says.
        if !["'{}'", "noon", "'bad', 'dab'"].iter().any(|part| damage.contains(part))
            || damage.contains(" ids ")
        {
            calls.push(claim(&mut registry, "bad"));
        }
        // A list shows records, and no lease is part of one.
        if !damage.contains(" ids ") {
            let filter = ProcessListFilter::any();
            calls.push(registry.apply(&Call::ListProcesses { filter }));
            calls.push(register(&mut registry, "bad"));
        }
        calls.push(registry.apply(&Call::ReadProcess { process_id: "bad".into() }));
        for answer in calls {
            let (_, row) = refusal(answer);
            assert_eq!(row.as_deref(), Some("bad"), "{damage}");
        }
        assert_eq!(version(&vandal), before, "a call on a damaged row wrote: {damage}");
        for id in ["a", "c"] {
            claim(&mut registry, id).unwrap();
        }
    }
}

#[test]
fn a_prune_deletes_nothing_that_only_its_index_calls_ended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let mut registry = open(&path, SqliteOptions::default()).unwrap();
    register(&mut registry, "p").unwrap();
    let vandal = rusqlite::Connection::open(&path).unwrap();
    vandal.execute("UPDATE processes SET status = 1", []).unwrap();
    let pruned = registry.apply(&Call::PruneTerminalProcesses { cutoff_epoch_ms: u64::MAX });
    assert_eq!(refusal(pruned).1.as_deref(), Some("p"));
    vandal.execute("UPDATE processes SET status = 0", []).unwrap();
    assert_eq!(ids(&mut registry), ["p"]);
}

/// Fails the commit that inserts the process `poison`, and no other, by a constraint that is checked in COMMIT.
fn with_a_poisoned_commit(path: &Path) -> Registry<SqliteStore> {
    let tuning = vec!["PRAGMA foreign_keys = ON".to_owned()];
    let mut registry = open(path, SqliteOptions { tuning, ..SqliteOptions::default() }).unwrap();
    register(&mut registry, "p").unwrap();
    let poison = "CREATE TABLE parents (id INTEGER PRIMARY KEY);
        CREATE TABLE children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED);
        CREATE TRIGGER poison AFTER INSERT ON processes WHEN new.id = 'poison'
        BEGIN INSERT INTO children VALUES (1); END";
    rusqlite::Connection::open(path).unwrap().execute_batch(poison).unwrap();
    registry
}

#[test]
fn after_a_commit_with_an_unknown_outcome_the_store_opens_its_file_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let mut registry = with_a_poisoned_commit(&path);
    let openings = || -> i64 {
        let looker = rusqlite::Connection::open(&path).unwrap();
        looker.query_row("SELECT count FROM openings", [], |row| row.get(0)).unwrap()
    };
    // A reader of an old snapshot keeps the checkpoint from its end: an opening writes a row instead.
    let reader = rusqlite::Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM openings").unwrap();
    register(&mut registry, "after the snapshot").unwrap();
    let before = openings();
    match register(&mut registry, "poison") {
        Err(RegistryError::Unavailable { .. }) => {}
        other => panic!("a failed commit has an unknown outcome, got {other:?}"),
    }
    assert_eq!(ids(&mut registry), ["after the snapshot", "p"]);
    assert_eq!(openings(), before + 1);
    assert_eq!(registry.store().pragma("synchronous").as_deref(), Some("2"));
    register(&mut registry, "q").unwrap();
    assert_eq!(ids(&mut registry), ["after the snapshot", "p", "q"]);
}

#[test]
fn a_file_is_opened_with_a_log_that_is_synced_at_every_commit() {
    let folder = tempfile::tempdir().unwrap();
    let mut registry = open(&folder.path().join("registry.db"), SqliteOptions::default()).unwrap();
    assert_eq!(registry.store().pragma("journal_mode").as_deref(), Some("wal"));
    assert_eq!(registry.store().pragma("synchronous").as_deref(), Some("2"));
}

/// A commit that a dead process left in the log is not shown before it is durable: it is in the file itself when the
/// store is open.
#[test]
fn a_recovered_log_is_carried_into_the_file_before_the_first_answer() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("registry.db"), folder.path().join("copy.db"));
    let mut dead = open(&path, SqliteOptions::default()).unwrap();
    register(&mut dead, "p").unwrap();
    std::fs::copy(&path, &copy).unwrap();
    let log =
        std::fs::copy(folder.path().join("registry.db-wal"), folder.path().join("copy.db-wal")).unwrap();
    assert!(log > 0);
    let mut reopened = open(&copy, SqliteOptions::default()).unwrap();
    assert_eq!(std::fs::metadata(folder.path().join("copy.db-wal")).unwrap().len(), 0);
    assert_eq!(ids(&mut reopened), ["p"]);
}

#[test]
fn what_is_left_of_a_lost_row_does_not_become_part_of_a_new_life() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let mut registry = open(&path, SqliteOptions::default()).unwrap();
    register(&mut registry, "p").unwrap();
    let session_scope = fencepost::model::handle::SessionScope::session("s");
    let descriptor = fencepost::model::handle::ProcessHandleDescriptor { kind: "view".into(), label: None };
    let grant =
        Call::GrantHandle { session_scope: session_scope.clone(), process_id: "p".into(), descriptor };
    registry.apply(&grant).unwrap();
    let vandal = rusqlite::Connection::open(&path).unwrap();
    vandal.execute("DELETE FROM processes", []).unwrap();
    let calls = [
        Call::RegisterProcess { registration: registration("p", json!({})) },
        Call::ListHandleGrants { session_scope },
        Call::DeleteSessionProcessState { session_id: "s".into() },
    ];
    for call in calls {
        assert_eq!(refusal(registry.apply(&call)).1.as_deref(), Some("p"));
    }
}

#[test]
fn a_prune_leaves_nothing_but_the_high_water() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let mut registry = open(&path, SqliteOptions::default()).unwrap();
    register(&mut registry, "p").unwrap();
    let request = fencepost::model::event::ProcessEventAppendRequest::new("signal.a", json!({}));
    registry.apply(&Call::AppendEvent { process_id: "p".into(), request }).unwrap();
    let Ok(Reply::Claim(fencepost::model::lease::ProcessLeaseClaimOutcome::Acquired(lease))) =
        claim(&mut registry, "p")
    else {
        panic!("a free process is granted");
    };
    let await_output = ProcessAwaitOutput::Success { value: json!(1) };
    registry.apply(&Call::CompleteProcessWithLease { lease, await_output }).unwrap();
    registry.apply(&Call::PruneTerminalProcesses { cutoff_epoch_ms: u64::MAX }).unwrap();
    let looker = rusqlite::Connection::open(&path).unwrap();
    let rows = |table: &str| -> i64 {
        looker.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    let left = ["processes", "registrations", "events", "handles", "ids"].map(rows);
    assert_eq!(left, [0, 0, 0, 0, 1]);
}

#[test]
fn a_file_that_went_away_is_not_replaced_by_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let mut registry = with_a_poisoned_commit(&path);
    assert!(matches!(register(&mut registry, "poison"), Err(RegistryError::Unavailable { .. })));
    let elsewhere = folder.path().join("elsewhere.db");
    std::fs::rename(&path, &elsewhere).unwrap();
    refusal(registry.apply(&Call::ReadProcess { process_id: "p".into() }));
    refusal(register(&mut registry, "p"));
    assert!(!path.exists());
    std::fs::write(&path, []).unwrap();
    refusal(register(&mut registry, "p"));
    std::fs::rename(&elsewhere, &path).unwrap();
    assert_eq!(ids(&mut registry), ["p"]);
}

#[test]
fn a_name_that_reads_like_a_uri_is_a_file_and_an_endless_timeout_is_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file:registry.db?mode=memory");
    let options = SqliteOptions { busy_timeout: Duration::MAX, ..SqliteOptions::default() };
    register(&mut open(&path, options).unwrap(), "p").unwrap();
    assert!(path.exists());
}

/// A value nested this deep overflows a small stack when it is dropped: it must not reach the registry's thread.
#[test]
fn a_bottomless_payload_is_refused_on_the_callers_stack() {
    use fencepost::testing::block_on;
    let caller = std::thread::Builder::new().stack_size(512 << 20).spawn(|| {
        let environment = Arc::new(HandEnvironment::at_epoch_ms(1));
        let registry = Registry::new(MemoryStore::new(), environment).threaded().unwrap();
        let bottomless = (0..200_000).fold(json!(1), |inner, _| Value::Array(vec![inner]));
        use fencepost::ProcessRegistry as _;
        let answer = block_on(registry.register_process(registration("p", bottomless)));
        assert!(matches!(answer, Err(RegistryError::InvalidArgument { .. })));
        block_on(registry.register_process(registration("p", json!(1)))).unwrap();
    });
    caller.unwrap().join().unwrap();
}

#[test]
fn a_damaged_event_is_an_error_and_not_a_shorter_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let mut registry = open(&path, SqliteOptions::default()).unwrap();
    register(&mut registry, "p").unwrap();
    for name in ["signal.a", "signal.b"] {
        let request = fencepost::model::event::ProcessEventAppendRequest::new(name, json!({}));
        registry.apply(&Call::AppendEvent { process_id: "p".into(), request }).unwrap();
    }
    let vandal = rusqlite::Connection::open(&path).unwrap();
    let whole: String = vandal.query_row("SELECT event FROM events", [], |row| row.get(0)).unwrap();
    vandal
        .execute("UPDATE events SET event = replace(event, ':2', ':9') WHERE event_type = 'signal.b'", [])
        .unwrap();
    let log = registry.apply(&Call::EventsAfter { process_id: "p".into(), after_sequence: 0 });
    assert!(refusal(log).0.contains("another one"));
    vandal.execute("UPDATE events SET event = 'x' WHERE event_type = 'signal.b'", []).unwrap();
    let log = registry.apply(&Call::EventsAfter { process_id: "p".into(), after_sequence: 0 });
    assert_eq!(refusal(log).1.as_deref(), Some("p"));
    let recent = registry.apply(&Call::RecentEvents { process_id: "p".into(), limit: 1 });
    assert_eq!(refusal(recent).1.as_deref(), Some("p"));
    vandal.execute("UPDATE events SET event = replace(?1, '\"p\"', '\"q\"')", [whole]).unwrap();
    let log = registry.apply(&Call::EventsAfter { process_id: "p".into(), after_sequence: 0 });
    assert!(refusal(log).0.contains("another one"));
}

#[test]
fn a_log_with_a_hole_is_damaged_and_not_short() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let mut registry = open(&path, SqliteOptions::default()).unwrap();
    register(&mut registry, "p").unwrap();
    for name in ["signal.a", "signal.b", "signal.c"] {
        let request = fencepost::model::event::ProcessEventAppendRequest::new(name, json!({}));
        registry.apply(&Call::AppendEvent { process_id: "p".into(), request }).unwrap();
    }
    let vandal = rusqlite::Connection::open(&path).unwrap();
    vandal.execute("DELETE FROM events WHERE event_type = 'signal.b'", []).unwrap();
    for call in [
        Call::EventsAfter { process_id: "p".into(), after_sequence: 0 },
        Call::RecentEvents { process_id: "p".into(), limit: 9 },
    ] {
        let (cause, row) = refusal(registry.apply(&call));
        assert!(cause.contains("event 2 is missing"), "{cause}");
        assert_eq!(row.as_deref(), Some("p"));
    }
}

/// The superuser may write any file, so the check runs as nobody, in this same test started once more.
#[test]
fn a_read_only_file_is_refused() {
    const PATH: &str = "FENCEPOST_READ_ONLY_FILE";
    if let Some(path) = std::env::var_os(PATH) {
        let (cause, _) = refusal(open(Path::new(&path), SqliteOptions::default()));
        assert!(cause.contains("the file is read-only"), "{cause}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = folder.path().join("registry.db");
    database_with(&path, &["p"]);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
    // Where nobody can start it: the build's folder may be private.
    let program = folder.path().join("this-test");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut child = Command::new(&program);
    child.args(["--exact", "bad_input::a_read_only_file_is_refused"]).env(PATH, &path).current_dir("/");
    if rustix::process::geteuid().is_root() {
        child.uid(65_534).gid(65_534);
    }
    let output = child.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(ids(&mut open(&path, SqliteOptions::default()).unwrap()), ["p"]);
}

#[test]
fn a_full_disk_refuses_a_write_and_keeps_all_earlier_ones() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let quota = SqliteOptions { max_bytes: Some(256 * 1024), ..SqliteOptions::default() };
    let mut registry = open(&path, quota).unwrap();
    let mut kept = Vec::new();
    let refused = loop {
        let id = format!("process-{:04}", kept.len());
        match registry
            .apply(&Call::RegisterProcess { registration: registration(&id, json!("x".repeat(2_000))) })
        {
            Ok(_) => kept.push(id),
            Err(error) => break error,
        }
        assert!(kept.len() < 1_000, "the quota was never met");
    };
    assert!(refusal::<()>(Err(refused)).0.contains("full"));
    assert_eq!(ids(&mut registry), kept);
    drop(registry);
    let mut roomier = open(&path, SqliteOptions::default()).unwrap();
    register(&mut roomier, "one-more").unwrap();
    assert_eq!(ids(&mut roomier).len(), kept.len() + 1);
}

/// A disk that is full in earnest fails in COMMIT itself. The same test runs once more under a limit on file sizes,
/// says what was acknowledged, and the parent looks at what is there.
#[test]
fn a_commit_that_cannot_be_written_is_an_unknown_outcome() {
    const PATH: &str = "FENCEPOST_FULL_FILE";
    if let Some(path) = std::env::var_os(PATH) {
        let mut registry = open(Path::new(&path), SqliteOptions::default()).unwrap();
        for number in 0..400 {
            let id = format!("process-{number:04}");
            let registration = registration(&id, json!("x".repeat(5_000)));
            match registry.apply(&Call::RegisterProcess { registration }) {
                Ok(_) => println!("\nacknowledged {id}"),
                Err(RegistryError::Unavailable { .. }) => println!("\nunknown {id}"),
                Err(RegistryError::Backend { .. }) => println!("\nfailed {id}"),
                Err(other) => panic!("{other:?}"),
            }
        }
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    // SIGXFSZ ignored, a write past the limit is an error like a full disk's and not a signal.
    let output = Command::new("bash")
        .args(["-c", "trap '' XFSZ; ulimit -f 300; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "bad_input::a_commit_that_cannot_be_written_is_an_unknown_outcome", "--nocapture"])
        .env(PATH, &path)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
    let said = |word: &str| -> Vec<String> {
        told.lines().filter_map(|line| line.strip_prefix(word)).map(|id| id.trim().to_owned()).collect()
    };
    let (acknowledged, unknown, failed) = (said("acknowledged"), said("unknown"), said("failed"));
    assert_eq!(acknowledged.len() + unknown.len() + failed.len(), 400);
    assert!(!acknowledged.is_empty() && !unknown.is_empty(), "the limit was met in a commit: {told}");
    let there = ids(&mut open(&path, SqliteOptions::default()).unwrap());
    assert!(acknowledged.iter().all(|id| there.contains(id)), "an acknowledged write is gone");
    assert!(there.iter().all(|id| !failed.contains(id)), "a write that failed before its commit is there");
}

#[test]
fn a_neighbour_that_keeps_the_write_lock_costs_the_timeout_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let options = SqliteOptions { busy_timeout: Duration::from_millis(30), ..SqliteOptions::default() };
    let mut registry = open(&path, options).unwrap();
    register(&mut registry, "p").unwrap();
    let neighbour = rusqlite::Connection::open(&path).unwrap();
    neighbour.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (cause, _) = refusal(register(&mut registry, "q"));
    assert!(cause.contains("write lock"), "{cause}");
    assert_eq!(ids(&mut registry), ["p"], "reads do not wait for writers");
    neighbour.execute_batch("ROLLBACK").unwrap();
    register(&mut registry, "q").unwrap();
}

/// Another program is just making the file. SQLite itself does not wait for the lock under which it makes its log.
#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "the neighbour stands for another process, and its time is real"
)]
fn a_file_that_another_is_making_is_waited_for_as_long_as_the_timeout_and_no_longer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let neighbour = rusqlite::Connection::open(&path).unwrap();
    neighbour.execute_batch("BEGIN IMMEDIATE").unwrap();
    let within = |busy_timeout| SqliteOptions { busy_timeout, ..SqliteOptions::default() };
    let refused = open(&path, within(Duration::from_millis(30))).err().expect("the file is locked");
    assert!(refused.to_string().contains("locked"), "{refused}");

    let freed = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        neighbour.execute_batch("ROLLBACK").unwrap();
    });
    let mut registry = open(&path, within(Duration::from_secs(60))).unwrap();
    freed.join().unwrap();
    register(&mut registry, "p").unwrap();
}

#[test]
fn huge_and_foreign_payloads_come_back_whole_from_both_stores() {
    let folder = tempfile::tempdir().unwrap();
    let mut sqlite = open(&folder.path().join("registry.db"), SqliteOptions::default()).unwrap();
    let mut memory = Registry::new(MemoryStore::new(), Arc::new(HandEnvironment::at_epoch_ms(1)));
    let payloads = [
        json!("☃".repeat(5_000_000)),
        json!(vec![0.1; 200_000]),
        json!(null),
        json!(""),
        json!("\u{0}\u{7f}\u{fffd}"),
    ];
    for (number, payload) in payloads.into_iter().enumerate() {
        let registration = registration(&format!("p{number}"), payload);
        for answer in [
            sqlite.apply(&Call::RegisterProcess { registration: registration.clone() }),
            memory.apply(&Call::RegisterProcess { registration: registration.clone() }),
        ] {
            answer.unwrap();
        }
        let read = Call::ReadProcess { process_id: registration.id.clone() };
        for answer in [sqlite.apply(&read), memory.apply(&read)] {
            match answer {
                Ok(Reply::MaybeRecord(Some(record))) => assert!(*record.registration == registration),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn every_error_says_what_it_is_about() {
    let mut out = Vec::new();
    let errors = [
        RegistryError::unknown("p"),
        RegistryError::RegistrationConflict {
            process_id: "p".into(),
            stored_hash: "aa".into(),
            offered_hash: "bb".into(),
        },
        RegistryError::invalid("process_id", "must not be empty"),
        RegistryError::UndeclaredEventType { process_id: "p".into(), event_type: "x".into() },
        RegistryError::ReplayConflict { process_id: "p".into(), replay_key: "k".into(), sequence: 3 },
        RegistryError::AlreadyTerminal {
            process_id: "p".into(),
            status: ProcessStatus::ended(ProcessAwaitOutput::Success { value: json!(1) }),
        },
        RegistryError::LeaseRequired { process_id: "p".into() },
        RegistryError::LeaseSuperseded { process_id: "p".into(), presented_fence: 1, current_fence: 2 },
        RegistryError::LeaseExpired {
            process_id: "p".into(),
            fence: 1,
            expires_at_epoch_ms: 5,
            now_epoch_ms: 6,
        },
        RegistryError::LeaseLost { process_id: "p".into() },
        RegistryError::FenceExhausted { process_id: "p".into() },
        RegistryError::ExternalRefConflict {
            process_id: "p".into(),
            stored: Box::new(ProcessExternalRef { backend: "b".into(), id: "i".into(), metadata: json!({}) }),
        },
        RegistryError::HandleMissing { scope_id: "1:s".into(), process_id: "p".into() },
        RegistryError::damaged("read a stored row", "p", "it is not valid JSON"),
        RegistryError::unavailable("commit", "disk I/O error"),
    ];
    for error in errors {
        writeln!(out, "{error}").unwrap();
        let written = serde_json::to_string(&error).unwrap();
        assert_eq!(serde_json::from_str::<RegistryError>(&written).unwrap(), error);
    }
    insta::assert_snapshot!("error_messages", String::from_utf8(out).unwrap());
}
