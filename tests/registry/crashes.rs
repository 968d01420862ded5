//! Real processes, really killed. The test starts itself once more as the victim, which says on its standard output
//! what the registry has acknowledged; the parent kills it and looks at what is there.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use fencepost::model::event::ProcessEventAppendRequest;
use fencepost::model::lease::{LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::*;
use fencepost::registry::calls::{Call, Reply};
use fencepost::store::{SqliteOptions, SqliteStore};
use fencepost::{Registry, System};
use serde_json::json;

const FILE: &str = "FENCEPOST_CRASH_FILE";
const ROUND: &str = "FENCEPOST_CRASH_ROUND";
const KILLS: usize = 60;

fn open(path: &Path) -> Registry<SqliteStore> {
    let store = SqliteStore::open(path, SqliteOptions::default()).expect("the file opens after every kill");
    Registry::new(store, Arc::new(System::new().unwrap()))
}

fn this_test_again(name: &str, file: &Path, round: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(FILE, file)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn registration(id: &str) -> ProcessRegistration {
    ProcessRegistration {
        input: ProcessInput::Engine { kind: "e".into(), payload: json!({"id": id}) },
        ..crate::sample::job(id)
    }
}

fn claim(registry: &mut Registry<SqliteStore>, id: &str, who: &str) -> ProcessLeaseClaimOutcome {
    let owner = LeaseOwnerIdentity::opaque(who, format!("{who}-{}", std::process::id()));
    match registry.apply(&Call::ClaimProcessLease { process_id: id.to_owned(), owner, lease_ttl_ms: 600_000 })
    {
        Ok(Reply::Claim(outcome)) => outcome,
        other => panic!("a claim is answered: {other:?}"),
    }
}

/// One line an acknowledged write, at once.
fn acknowledge(what: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout();
    writeln!(out, "\nack {what}").and_then(|()| out.flush()).expect("the parent listens");
}

fn victim(file: &Path, round: usize) {
    let mut registry = open(file);
    registry.apply(&Call::RegisterProcess { registration: registration("shared") }).unwrap();
    for number in 0.. {
        let id = format!("process-{round}-{number}");
        registry.apply(&Call::RegisterProcess { registration: registration(&id) }).unwrap();
        acknowledge(&format!("registered {id}"));
        let append = |registry: &mut Registry<SqliteStore>, payload| {
            let request = ProcessEventAppendRequest::new("signal.step", payload);
            registry.apply(&Call::AppendEvent { process_id: id.clone(), request }).unwrap();
        };
        append(&mut registry, json!(1));
        append(&mut registry, json!("x".repeat(10_000)));
        acknowledge(&format!("appended {id}"));
        if let ProcessLeaseClaimOutcome::Acquired(lease) = claim(&mut registry, &id, "victim") {
            let await_output = ProcessAwaitOutput::Success { value: json!(id) };
            registry.apply(&Call::CompleteProcessWithLease { lease, await_output }).unwrap();
            acknowledge(&format!("completed {id}"));
        }
        if let ProcessLeaseClaimOutcome::Acquired(lease) = claim(&mut registry, "shared", "victim") {
            acknowledge(&format!("fence {}", lease.fencing_token));
            registry.apply(&Call::CompleteProcessLease { completion: lease.completion() }).unwrap();
        }
    }
}

fn read(registry: &mut Registry<SqliteStore>, id: &str) -> Option<ProcessRecord> {
    match registry.apply(&Call::ReadProcess { process_id: id.to_owned() }) {
        Ok(Reply::MaybeRecord(record)) => record,
        other => panic!("a read is answered: {other:?}"),
    }
}

fn free_shared(registry: &mut Registry<SqliteStore>) {
    let process_id = "shared".to_owned();
    if let Ok(Reply::MaybeLease(Some(lease))) = registry.apply(&Call::GetProcessLease { process_id }) {
        registry.apply(&Call::CompleteProcessLease { completion: lease.completion() }).unwrap();
    }
}

#[test]
fn a_killed_process_loses_nothing_it_acknowledged_and_no_fence_repeats() {
    if let (Some(file), Ok(round)) = (std::env::var_os(FILE), std::env::var(ROUND)) {
        return victim(Path::new(&file), round.parse().unwrap());
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("registry.db");
    let mut acknowledged: BTreeMap<String, &'static str> = BTreeMap::new();
    let mut highest_fence = 0;
    // How many lines to hear before the kill, and how long to dawdle then: no two rounds alike.
    let mut dice = 0x5eed_u64;
    let mut roll = |sides: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    for round in 0..KILLS {
        let mut child = this_test_again(
            "crashes::a_killed_process_loses_nothing_it_acknowledged_and_no_fence_repeats",
            &file,
            round,
        );
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let hear = |line: &str, acknowledged: &mut BTreeMap<String, &'static str>, highest: &mut u64| {
            let Some(what) = line.strip_prefix("ack ") else {
                return false;
            };
            match what.split_once(' ') {
                Some(("fence", fence)) => {
                    let fence: u64 = fence.parse().unwrap();
                    assert!(fence > *highest, "fence {fence} after fence {highest}");
                    *highest = fence;
                }
                Some(("registered", id)) => drop(acknowledged.insert(id.to_owned(), "registered")),
                Some(("appended", id)) => drop(acknowledged.insert(id.to_owned(), "appended")),
                Some(("completed", id)) => drop(acknowledged.insert(id.to_owned(), "completed")),
                _ => panic!("no such line: {line}"),
            }
            true
        };
        let wanted = 1 + roll(12);
        let mut heard = 0;
        while heard < wanted {
            let line = lines.next().expect("the victim works until it is killed").unwrap();
            heard += u64::from(hear(&line, &mut acknowledged, &mut highest_fence));
        }
        for _ in 0..roll(400_000) {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // Answers that it gave before it died count, too.
        for line in lines.map_while(Result::ok) {
            // A last line may be cut short; only whole ones end in a known word.
            if line.starts_with("ack ") && line.split(' ').count() == 3 {
                hear(&line, &mut acknowledged, &mut highest_fence);
            }
        }

        let mut registry = open(&file);
        for (id, what) in &acknowledged {
            let record = read(&mut registry, id).unwrap_or_else(|| panic!("{id} was {what} and is gone"));
            assert_eq!(*record.registration, registration(id));
            let after = Call::EventsAfter { process_id: id.clone(), after_sequence: 0 };
            let Ok(Reply::Events(events)) = registry.apply(&after) else { panic!("a log is read") };
            if *what != "registered" {
                assert!(
                    events.len() >= 2 && events[1].payload == json!("x".repeat(10_000)),
                    "{id}: {events:?}"
                );
            }
            if *what == "completed" {
                assert_eq!(record.status.output(), Some(&ProcessAwaitOutput::Success { value: json!(id) }));
                assert_eq!(events.len(), 3);
            }
        }
        free_shared(&mut registry);
        if let ProcessLeaseClaimOutcome::Acquired(lease) = claim(&mut registry, "shared", "parent") {
            assert!(lease.fencing_token > highest_fence);
            highest_fence = lease.fencing_token;
        }
        free_shared(&mut registry);
    }
    let completed = acknowledged.values().filter(|what| **what == "completed").count();
    assert!(completed >= KILLS / 2, "the victims worked before they were killed: {completed}");
}

/// Four processes open one new file at once, and contend for every lease in it.
#[test]
fn four_processes_share_a_new_file_and_each_lease_has_one_winner() {
    const PROCESSES: usize = 20;
    if let (Some(file), Ok(round)) = (std::env::var_os(FILE), std::env::var(ROUND)) {
        let mut registry = open(Path::new(&file));
        for number in 0..PROCESSES {
            let id = format!("p{number}");
            registry.apply(&Call::RegisterProcess { registration: registration(&id) }).unwrap();
            if let ProcessLeaseClaimOutcome::Acquired(lease) = claim(&mut registry, &id, &round) {
                acknowledge(&format!("won {id} {}", lease.fencing_token));
            }
        }
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("registry.db");
    let name = "crashes::four_processes_share_a_new_file_and_each_lease_has_one_winner";
    let children: Vec<Child> = (0..4).map(|number| this_test_again(name, &file, number)).collect();
    let mut winners = BTreeMap::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "a child failed: {}", String::from_utf8_lossy(&output.stdout));
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            if let Some(won) = line.strip_prefix("ack won ") {
                let (id, fence) = won.split_once(' ').unwrap();
                assert_eq!(winners.insert(id.to_owned(), fence.to_owned()), None, "two winners of {id}");
                assert_eq!(fence, "1");
            }
        }
    }
    assert_eq!(winners.len(), PROCESSES);
    let mut registry = open(&file);
    for id in winners.keys() {
        let Ok(Reply::MaybeLease(Some(lease))) =
            registry.apply(&Call::GetProcessLease { process_id: id.clone() })
        else {
            panic!("the winner's lease is stored");
        };
        assert!(matches!(lease, ProcessLease { fencing_token: 1, .. }));
    }
}

/// The race to make the tables, many times over: every opener finds a registry.
#[test]
fn a_new_file_may_be_opened_by_many_at_once() {
    for _ in 0..30 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("registry.db");
        let gate = Arc::new(std::sync::Barrier::new(6));
        let openers: Vec<_> = (0..6)
            .map(|number| {
                let (path, gate) = (path.clone(), Arc::clone(&gate));
                std::thread::spawn(move || {
                    gate.wait();
                    let mut registry = open(&path);
                    let registration = registration(&format!("p{number}"));
                    registry.apply(&Call::RegisterProcess { registration }).map(drop)
                })
            })
            .collect();
        for opener in openers {
            opener.join().unwrap().unwrap();
        }
        let Ok(Reply::Records(records)) = open(&path).apply(&Call::ListNonTerminal {}) else {
            panic!("a list is read");
        };
        assert_eq!(records.len(), 6);
    }
}

#[test]
fn a_threaded_registry_closes_its_file_with_its_last_use() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let log = folder.path().join("registry.db-wal");
    for _ in 0..20 {
        let threaded = open(&path).threaded().unwrap();
        assert!(log.exists());
        drop(threaded);
        assert!(!log.exists(), "the last connection to close removes the log");
    }
}
