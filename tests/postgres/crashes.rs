//! Clients killed with SIGKILL, and a server that ends at once, in the middle of writes: nothing acknowledged is lost, no
//! fence is granted twice, nothing is half there. `FENCEPOST_CLIENT_KILLS` and `FENCEPOST_SERVER_CRASHES` say how often;
//! the figures of the acceptance are 200 and 50.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fencepost::model::event::{ProcessEventAppendRequest, lifecycle};
use fencepost::model::lease::ProcessLeaseClaimOutcome;
use fencepost::model::process::*;
use fencepost::registry::calls::{Call, Reply};
use fencepost::store::{PostgresOptions, PostgresStore};
use fencepost::testing::postgres_server::PostgresServer;
use fencepost::{Registry, RegistryError, System};
use serde_json::json;

use crate::calls::{claim_call, complete, job, read, release};

const URL: &str = "FENCEPOST_CRASH_URL";
const SCHEMA: &str = "FENCEPOST_CRASH_SCHEMA";
const ROUND: &str = "FENCEPOST_CRASH_ROUND";

/// How often, unless the environment says otherwise.
fn rounds(variable: &str, usual: usize) -> usize {
    std::env::var(variable).ok().and_then(|number| number.parse().ok()).unwrap_or(usual)
}

fn open(url: &str, options: &PostgresOptions) -> Registry<PostgresStore> {
    let store = PostgresStore::open(url, options.clone()).expect("the server serves");
    Registry::new(store, Arc::new(System::new().unwrap()))
}

/// Numbers that are the same in every run, below `sides`.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// An answer that a writer received about one process, or about a fence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Registered(String),
    /// The registration failed, and changed nothing.
    NotRegistered(String),
    Appended(String),
    Completed(String),
    Fence(u64),
}

/// Writes until it is told to stop or to die, and says what was acknowledged. A failed call is not repeated.
fn write(registry: &mut Registry<PostgresStore>, name: &str, number: u64, mut tell: impl FnMut(Told)) {
    let id = format!("{name}-{number}");
    match registry.apply(&Call::RegisterProcess { registration: job(&id) }) {
        Ok(_) => tell(Told::Registered(id.clone())),
        Err(RegistryError::Backend { .. }) => return tell(Told::NotRegistered(id)),
        Err(RegistryError::Unavailable { .. }) => return,
        Err(other) => panic!("{other}"),
    }
    let mut append = |payload| {
        let request = ProcessEventAppendRequest::new("signal.step", payload);
        registry.apply(&Call::AppendEvent { process_id: id.clone(), request })
    };
    if append(json!(1)).is_err() || append(json!("x".repeat(10_000))).is_err() {
        return;
    }
    tell(Told::Appended(id.clone()));
    if let Ok(Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease))) =
        registry.apply(&claim_call(&id, name, 600_000))
        && registry.apply(&complete(&lease, json!(id))).is_ok()
    {
        tell(Told::Completed(id));
    }
    let who = format!("{name}-{number}");
    if let Ok(Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease))) =
        registry.apply(&claim_call("shared", &who, 20))
    {
        tell(Told::Fence(lease.fencing_token));
        drop(registry.apply(&release(&lease)));
    }
}

/// Everything that anybody was told is there, and everything that is there is whole.
fn check(registry: &mut Registry<PostgresStore>, told: &BTreeSet<Told>) {
    let events = |registry: &mut Registry<PostgresStore>, id: &str| {
        let after = Call::EventsAfter { process_id: id.to_owned(), after_sequence: 0 };
        match registry.apply(&after) {
            Ok(Reply::Events(events)) => events,
            other => panic!("a log is read: {other:?}"),
        }
    };
    for what in told {
        match what {
            Told::Registered(id) => {
                let record = read(registry, id).unwrap_or_else(|| panic!("{id} was registered and is gone"));
                assert_eq!(*record.registration, job(id));
            }
            Told::NotRegistered(id) => {
                assert_eq!(read(registry, id), None, "{id} failed before its commit and is there");
            }
            Told::Appended(id) => {
                let events = events(registry, id);
                assert!(
                    events.len() >= 2 && events[1].payload == json!("x".repeat(10_000)),
                    "{id}: {events:?}"
                );
            }
            Told::Completed(id) => {
                let record = read(registry, id).unwrap_or_else(|| panic!("{id} was completed and is gone"));
                assert_eq!(record.status.output(), Some(&ProcessAwaitOutput::Success { value: json!(id) }));
            }
            Told::Fence(_) => {}
        }
    }
    let Ok(Reply::Records(records)) =
        registry.apply(&Call::ListProcesses { filter: ProcessListFilter::any() })
    else {
        panic!("a list is read");
    };
    for record in records {
        let log = events(registry, record.id());
        let ends =
            log.iter().filter(|event| lifecycle::TERMINAL.contains(&event.event_type.as_str())).count();
        assert_eq!(ends, usize::from(record.is_terminal()), "{} is half ended", record.id());
    }
}

fn this_test_again(name: &str, url: &str, schema: &str, round: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(URL, url)
        .env(SCHEMA, schema)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Writes one line for each acknowledgement, without buffering.
fn print(what: &Told) {
    let line = match what {
        Told::Registered(id) => format!("registered {id}"),
        Told::NotRegistered(id) => format!("failed {id}"),
        Told::Appended(id) => format!("appended {id}"),
        Told::Completed(id) => format!("completed {id}"),
        Told::Fence(fence) => format!("fence {fence}"),
    };
    let mut out = std::io::stdout();
    writeln!(out, "\nack {line} .").and_then(|()| out.flush()).expect("the parent listens");
}

/// A whole line of [`print`]: a last line may be cut short.
fn heard(line: &str) -> Option<Told> {
    let (word, what) = line.strip_prefix("ack ")?.strip_suffix(" .")?.split_once(' ')?;
    match word {
        "registered" => Some(Told::Registered(what.to_owned())),
        "failed" => Some(Told::NotRegistered(what.to_owned())),
        "appended" => Some(Told::Appended(what.to_owned())),
        "completed" => Some(Told::Completed(what.to_owned())),
        "fence" => what.parse().ok().map(Told::Fence),
        _ => None,
    }
}

#[test]
fn a_killed_client_loses_nothing_it_was_told_and_no_fence_repeats() {
    const NAME: &str = "crashes::a_killed_client_loses_nothing_it_was_told_and_no_fence_repeats";
    if let (Ok(url), Ok(schema), Ok(round)) =
        (std::env::var(URL), std::env::var(SCHEMA), std::env::var(ROUND))
    {
        let mut registry = open(&url, &crate::patient(&schema));
        for number in 0.. {
            write(&mut registry, &format!("victim-{round}"), number, |what| print(&what));
        }
    }
    let Some(server) = crate::server() else { return };
    let options = crate::new_schema();
    let mut registry = open(&server.url("postgres"), &options);
    registry.apply(&Call::RegisterProcess { registration: job("shared") }).unwrap();
    let mut told = BTreeSet::new();
    let mut dice = Dice(0x5eed);
    let kills = rounds("FENCEPOST_CLIENT_KILLS", 12);
    for round in 0..kills {
        let mut child = this_test_again(NAME, &server.url("postgres"), &options.schema, round);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let wanted = 1 + dice.roll(12);
        let mut fences = Vec::new();
        let mut hear = |line: &str| match heard(line) {
            Some(Told::Fence(fence)) => {
                fences.push(fence);
                true
            }
            Some(what) => told.insert(what),
            None => false,
        };
        let mut count = 0;
        while count < wanted {
            let line = lines.next().expect("the victim works until it is killed").unwrap();
            count += u64::from(hear(&line));
        }
        for _ in 0..dice.roll(400_000) {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // Answers that it gave before it died count, too.
        for line in lines.map_while(Result::ok) {
            hear(&line);
        }
        for fence in fences {
            assert!(told.insert(Told::Fence(fence)), "fence {fence} was granted twice");
        }
    }
    check(&mut registry, &told);
    let completed = told.iter().filter(|what| matches!(what, Told::Completed(_))).count();
    assert!(completed >= kills / 3, "the victims worked before they were killed: {completed}");
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the writers and the server are real, and so is their time")]
fn a_server_that_ends_at_once_loses_nothing_it_acknowledged_and_its_clients_come_back() {
    const WRITERS: usize = 3;
    if crate::server().is_none() {
        return;
    }
    // A server of its own: it is the one that crashes.
    let server = PostgresServer::start(&[]).unwrap();
    let options = crate::patient("fencepost");
    let url = server.url("postgres");
    open(&url, &options).apply(&Call::RegisterProcess { registration: job("shared") }).unwrap();
    let has_ended = Arc::new(AtomicBool::new(false));
    let completed = Arc::new(AtomicU64::new(0));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            // Before the first crash, which the others may bring about at once.
            let mut registry = open(&url, &options);
            let (has_ended, completed) = (Arc::clone(&has_ended), Arc::clone(&completed));
            std::thread::spawn(move || {
                let mut told: BTreeMap<Told, u64> = BTreeMap::new();
                for number in 0.. {
                    if has_ended.load(Ordering::SeqCst) {
                        break;
                    }
                    write(&mut registry, &format!("writer-{writer}"), number, |what| {
                        if matches!(what, Told::Completed(_)) {
                            completed.fetch_add(1, Ordering::SeqCst);
                        }
                        if matches!(what, Told::NotRegistered(_)) {
                            // The server is away.
                            std::thread::sleep(Duration::from_millis(20));
                        }
                        *told.entry(what).or_default() += 1;
                    });
                }
                (told, registry.store().counters().connections)
            })
        })
        .collect();
    let mut dice = Dice(0xdead);
    let crashes = rounds("FENCEPOST_SERVER_CRASHES", 4);
    for _ in 0..crashes {
        let before = completed.load(Ordering::SeqCst);
        while completed.load(Ordering::SeqCst) < before + 3 + dice.roll(10) {
            std::thread::sleep(Duration::from_millis(1));
        }
        server.crash().unwrap();
        server.start_again().unwrap();
    }
    let before = completed.load(Ordering::SeqCst);
    while completed.load(Ordering::SeqCst) < before + 5 {
        std::thread::sleep(Duration::from_millis(5));
    }
    has_ended.store(true, Ordering::SeqCst);
    let mut all = BTreeSet::new();
    for writer in writers {
        let (told, connections) = writer.join().unwrap();
        assert!(connections >= crashes as u64 / 2, "a writer came back: {connections} connections");
        for (what, times) in told {
            assert_eq!(times, 1, "{what:?} was told twice");
            let is_new = all.insert(what.clone());
            assert!(is_new, "{what:?} was told to two writers");
        }
    }
    check(&mut open(&url, &options), &all);
}
