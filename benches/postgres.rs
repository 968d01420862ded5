//! Calls a second, and how long one takes, on a Postgres server with 1, 8 and 32 workers, each with a connection of its
//! own and processes of its own: `cargo bench --features postgres,testing --bench postgres -- [--rows N] [URL]`. Without
//! a URL it starts a server itself. `--rows` puts so many other processes beside those that are measured.

use std::error::Error;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use fencepost::model::event::{ProcessEventAppendRequest, ProcessEventType};
use fencepost::model::lease::{LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::*;
use fencepost::registry::calls::{Call, Reply};
use fencepost::store::{PostgresOptions, PostgresStore};
use fencepost::testing::postgres_server::PostgresServer;
use fencepost::{Environment, Registry, System};
use serde_json::json;

const WORKERS: [usize; 3] = [1, 8, 32];
/// How many calls of each kind a worker makes.
const CALLS: usize = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let mut rows = 1_000_u64;
    let mut url = None;
    // Cargo itself says `--bench`.
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rows" => rows = arguments.next().ok_or("--rows needs a number")?.parse()?,
            _ => url = Some(argument),
        }
    }
    let server;
    let url = match url {
        Some(url) => url,
        None => {
            server = PostgresServer::start(&["max_connections=100"])?;
            server.url("postgres")
        }
    };
    let options = PostgresOptions { schema: "fencepost_bench".into(), ..PostgresOptions::default() };
    drop(PostgresStore::open(&url, options.clone())?);
    load(&url, &options.schema, rows)?;
    println!("{rows} other rows; {CALLS} calls a worker; times in milliseconds");
    println!(
        "{:>7}  {:<10} {:>9} {:>8} {:>8} {:>8} {:>12}",
        "workers", "call", "a second", "median", "p99", "longest", "round trips"
    );
    for workers in WORKERS {
        measure(&url, &options, workers)?;
    }
    Ok(())
}

/// The phases of a process's life, in order.
const PHASES: [&str; 6] = ["register", "claim", "start", "renew", "append", "complete"];

/// One worker's measurements of one phase.
struct Seen {
    took: Vec<Duration>,
    from: Duration,
    until: Duration,
    round_trips: u64,
}

fn measure(url: &str, options: &PostgresOptions, workers: usize) -> Result<(), Box<dyn Error>> {
    let gate = Arc::new(Barrier::new(workers));
    let threads: Vec<_> = (0..workers)
        .map(|worker| {
            let (gate, url, options) = (Arc::clone(&gate), url.to_owned(), options.clone());
            std::thread::spawn(move || work(&gate, &url, &options, &format!("bench-{workers}-{worker}")))
        })
        .collect();
    let mut seen = Vec::new();
    for thread in threads {
        seen.push(thread.join().map_err(|_| "a worker failed")?);
    }
    let mut life = Duration::ZERO;
    for (phase, name) in PHASES.iter().enumerate() {
        let of_phase: Vec<&Seen> = seen.iter().map(|worker| &worker[phase]).collect();
        let mut took: Vec<Duration> = of_phase.iter().flat_map(|seen| seen.took.iter().copied()).collect();
        took.sort();
        let from = of_phase.iter().map(|seen| seen.from).min().unwrap_or_default();
        let until = of_phase.iter().map(|seen| seen.until).max().unwrap_or_default();
        life += until - from;
        let trips: u64 = of_phase.iter().map(|seen| seen.round_trips).sum();
        let ms = |duration: Duration| duration.as_secs_f64() * 1_000.0;
        println!(
            "{workers:>7}  {name:<10} {:>9.0} {:>8.2} {:>8.2} {:>8.2} {:>12.2}",
            took.len() as f64 / (until - from).as_secs_f64(),
            ms(took[took.len() / 2]),
            ms(took[took.len() * 99 / 100]),
            ms(took[took.len() - 1]),
            trips as f64 / took.len() as f64,
        );
    }
    println!("{workers:>7}  {:<10} {:>9.0}", "whole life", (workers * CALLS) as f64 / life.as_secs_f64());
    Ok(())
}

fn work(gate: &Barrier, url: &str, options: &PostgresOptions, name: &str) -> Vec<Seen> {
    let system = Arc::new(System::new().expect("a machine with clocks"));
    let store = PostgresStore::open(url, options.clone()).expect("the server serves");
    let mut registry = Registry::new(store, system.clone());
    let mut leases: Vec<ProcessLease> = Vec::new();
    let ids: Vec<String> = (0..CALLS).map(|number| format!("{name}-{number:04}")).collect();
    let mut phases = Vec::new();
    for phase in PHASES {
        let calls: Vec<Call> =
            ids.iter().enumerate().map(|(at, id)| call(phase, id, leases.get(at))).collect();
        gate.wait();
        let (from, trips_before) = (system.monotonic(), registry.store().counters().round_trips);
        let mut took = Vec::with_capacity(CALLS);
        for call in calls {
            let sent = system.monotonic();
            let reply = registry.apply(&call).expect("the call is lawful");
            took.push(system.monotonic() - sent);
            if let Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease)) = reply {
                leases.push(lease);
            }
        }
        let round_trips = registry.store().counters().round_trips - trips_before;
        phases.push(Seen { took, from, until: system.monotonic(), round_trips });
    }
    phases
}

fn call(phase: &str, id: &str, lease: Option<&ProcessLease>) -> Call {
    let held = || lease.expect("claimed in an earlier phase").clone();
    match phase {
        "register" => Call::RegisterProcess { registration: registration(id) },
        "claim" => Call::ClaimProcessLease {
            process_id: id.to_owned(),
            owner: LeaseOwnerIdentity::opaque("bench", id),
            lease_ttl_ms: 600_000,
        },
        "start" => Call::RecordFirstStartedWithLease {
            started: ProcessStarted { owner: held().owner, started_at_ms: 1 },
            lease: held(),
        },
        "renew" => Call::RenewProcessLease { lease: held(), lease_ttl_ms: 700_000 },
        "append" => Call::AppendEventWithLease {
            lease: held(),
            request: ProcessEventAppendRequest::new("progress", json!({"n": 1})),
        },
        _ => Call::CompleteProcessWithLease {
            lease: held(),
            await_output: ProcessAwaitOutput::Success { value: json!(1) },
        },
    }
}

fn registration(id: &str) -> ProcessRegistration {
    ProcessRegistration {
        id: id.to_owned(),
        input: ProcessInput::Engine { kind: "steps".into(), payload: json!({"steps": 3}) },
        disposition: RecoveryDisposition::Rerunnable,
        identity: ProcessIdentity { kind: "job".into(), label: None, definition: Some("nightly".into()) },
        event_types: vec![ProcessEventType { name: "progress".into(), wake: None }],
        provenance: ProcessProvenance { originator: ProcessOriginator::Host, caused_by: None },
        wake_target: None,
    }
}

/// Empties the schema, then puts `rows` copies of one process there.
fn load(url: &str, schema: &str, rows: u64) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let options = PostgresOptions { schema: schema.to_owned(), ..PostgresOptions::default() };
    let run = |sql: String| -> Result<(), Box<dyn Error>> {
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
            tokio::select! {
                done = client.batch_execute(&sql) => Ok(done?),
                ended = connection => Err(ended.err().map_or("the session ended".into(), Into::into)),
            }
        })
    };
    run(format!("SET search_path = {schema}; TRUNCATE processes, registrations, ids, events, handles"))?;
    let mut registry = Registry::new(PostgresStore::open(url, options)?, Arc::new(System::new()?));
    registry.apply(&Call::RegisterProcess { registration: registration("other") })?;
    run(format!(
        "SET search_path = {schema};
         INSERT INTO processes SELECT 'other-' || lpad(n::text, 8, '0'), status, waiting, disposition, definition,
           wake_session, created_at, updated_at, ended_at, registration_hash, state, output
           FROM processes, generate_series(2, {rows}) AS n;
         INSERT INTO registrations SELECT p.id, replace(r.registration::text, '\"other\"', '\"' || p.id || '\"')::json
           FROM processes p, registrations r WHERE r.id = 'other' AND p.id <> 'other';
         INSERT INTO ids SELECT p.id, i.fence, i.sequence, NULL FROM processes p, ids i
           WHERE i.id = 'other' AND p.id <> 'other'"
    ))?;
    run(format!("VACUUM ANALYZE {schema}.processes"))?;
    run(format!("VACUUM ANALYZE {schema}.ids"))
}
