//! Two operating system processes share one store and the work in it. One is killed with SIGKILL in mid-run; the other
//! finishes every process, each exactly once. The store is a new SQLite file: `cargo run --example two_workers`. Or it is
//! a Postgres server: `cargo run --features postgres --example two_workers -- --store postgres://user:password@host/db`.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fencepost::awaiter::ProcessAwaiter;
use fencepost::environment::local_liveness;
use fencepost::model::event::lifecycle;
use fencepost::model::lease_timings::LeaseTimings;
use fencepost::model::process::*;
use fencepost::registry::change_hub::ProcessChangeHub;
use fencepost::store::{SqliteOptions, SqliteStore};
use fencepost::work::engine::{Engines, InfrastructureFailure, InputKind, ProcessContext, ProcessEngine};
use fencepost::worker::{DurableProcessWorker, DurableProcessWorkerConfig};
use fencepost::{Environment, ProcessRegistry, Registry, System};
use serde_json::json;

const JOBS: [&str; 6] = ["deposit", "job-1", "job-2", "job-3", "job-4", "job-5"];
const STEP: Duration = Duration::from_millis(250);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => {
            let folder = tempfile::tempdir()?;
            play(Place::Sqlite(folder.path().join("registry.db"))).await
        }
        [option, place] if option == "--store" => play(Place::parse(place)).await,
        // The URL comes in the environment: everybody on a machine can read the arguments of a process.
        [word, name] if word == "work" => work(name, Place::parse(&std::env::var(PLACE)?)).await,
        _ => {
            Err("usage: two_workers [--store FILE | --store postgres://user:password@host:port/database]"
                .into())
        }
    }
}

const PLACE: &str = "TWO_WORKERS_STORE";

/// Where the store is.
#[derive(Clone)]
enum Place {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Place {
    fn parse(place: &str) -> Self {
        if place.starts_with("postgres://") || place.starts_with("postgresql://") {
            Self::Postgres(place.to_owned())
        } else {
            Self::Sqlite(place.into())
        }
    }

    fn as_variable(&self) -> std::ffi::OsString {
        match self {
            Self::Sqlite(file) => file.into(),
            Self::Postgres(url) => url.into(),
        }
    }

    fn open(&self) -> Result<Arc<dyn ProcessRegistry>, Box<dyn Error>> {
        let system = Arc::new(System::new()?);
        match self {
            Self::Sqlite(file) => {
                let store = SqliteStore::open(file, SqliteOptions::default())?;
                Ok(Arc::new(Registry::new(store, system).threaded()?))
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => {
                use fencepost::store::{PostgresOptions, PostgresStore};
                // A schema of this example's own, beside whatever else the database holds.
                let options = PostgresOptions { schema: "two_workers".into(), ..PostgresOptions::default() };
                let store = PostgresStore::open(url, options)?;
                Ok(Arc::new(Registry::new(store, system).pooled(4)?))
            }
            #[cfg(not(feature = "postgres"))]
            Self::Postgres(_) => Err("Postgres is a feature: run with `--features postgres`".into()),
        }
    }
}

/// The story: registers the work, starts two workers, kills one, and looks at what came of it.
async fn play(place: Place) -> Result<(), Box<dyn Error>> {
    let registry = place.open()?;
    // An earlier run may have left its outcomes in a store that lasts. Fences go on above what it reached.
    registry.prune_terminal_processes(u64::MAX).await?;
    let (deposit, jobs) = JOBS.split_first().ok_or("there is work")?;
    registry.register_process(registration(deposit)).await?;
    println!("host   `deposit` is registered; it is owner-bound: whoever starts it must finish it");
    let mut ann = Worker::start("ann", &place)?;
    // ann alone can have started it, and she is busy before bob comes.
    ann.wait_for_lines(1);
    for id in jobs {
        registry.register_process(registration(id)).await?;
    }
    println!("host   five jobs are registered that anybody may finish");
    ann.wait_for_lines(4);
    let bob = Worker::start("bob", &place)?;
    ann.wait_for_lines(2);
    ann.child.kill()?;
    ann.child.wait()?;
    println!("host   ann is killed with SIGKILL in the middle of her work");

    let system = Arc::new(System::new()?);
    let awaiter = ProcessAwaiter::new(Arc::clone(&registry), ProcessChangeHub::new(), system.clone());
    for id in JOBS {
        awaiter.await_terminal(id).await?;
    }
    drop(bob);

    println!("\nhost   what the registry says now:");
    let mut surprises = Vec::new();
    for id in JOBS {
        let events = registry.events_after(id, 0).await?;
        let count =
            |names: &[&str]| events.iter().filter(|event| names.contains(&event.event_type.as_str())).count();
        let (starts, ends) = (count(&[lifecycle::STARTED]), count(&lifecycle::TERMINAL));
        let record = registry.read_process(id).await?.ok_or("a registered process is known")?;
        let outcome = match record.status.output() {
            Some(ProcessAwaitOutput::Success { value }) => format!("completed {value}"),
            Some(ProcessAwaitOutput::Abandoned { evidence }) => {
                let starter = evidence.owner.as_ref().map_or("nobody", |owner| owner.owner_id.as_str());
                format!("abandoned: {starter} started it and is dead; nobody may start it twice")
            }
            other => format!("{other:?}"),
        };
        println!("       {id:8} {outcome}");
        let expected = if id == "deposit" { "abandoned" } else { "completed" };
        if (starts, ends, record.status.name()) != (1, 1, expected) {
            surprises.push(format!("{id}: {starts} first starts, {ends} ends, {}", record.status.name()));
        }
    }
    if surprises.is_empty() {
        println!("\nhost   every process ended exactly once");
        Ok(())
    } else {
        Err(surprises.join("; ").into())
    }
}

fn registration(id: &str) -> ProcessRegistration {
    // The deposit takes long enough to be in the middle whenever ann is killed.
    let (disposition, steps) = match id {
        "deposit" => (RecoveryDisposition::OwnerBound, 20),
        _ => (RecoveryDisposition::Rerunnable, 4),
    };
    ProcessRegistration {
        id: id.to_owned(),
        input: ProcessInput::Engine { kind: "steps".into(), payload: json!({ "steps": steps }) },
        disposition,
        identity: ProcessIdentity { kind: "job".into(), label: None, definition: None },
        event_types: vec![],
        provenance: ProcessProvenance { originator: ProcessOriginator::Host, caused_by: None },
        wake_target: None,
    }
}

/// This program started again as a worker, whose lines are passed on.
struct Worker {
    child: Child,
    lines: std::sync::mpsc::Receiver<()>,
}

impl Worker {
    fn start(name: &str, place: &Place) -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["work", name])
            .env(PLACE, place.as_variable())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or("the worker's output is piped")?;
        let (heard, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                println!("{line}");
                // Nobody may be listening any more.
                let _ = heard.send(());
            }
        });
        Ok(Self { child, lines })
    }

    fn wait_for_lines(&self, count: usize) {
        self.lines.iter().take(count).for_each(drop);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A worker: sweeps five times a second until it is killed.
async fn work(name: &str, place: Place) -> Result<(), Box<dyn Error>> {
    let system = Arc::new(System::new()?);
    let mut engines = Engines::new();
    let steps = Steps { name: name.to_owned(), system: system.clone() };
    engines.insert(InputKind::Engine("steps".into()), Arc::new(steps));
    let mut config = DurableProcessWorkerConfig::new(place.open()?, engines, system.clone(), name);
    config.timings = LeaseTimings::new(3_000, 1_000)?;
    config.max_concurrent_runs = 4;
    // A dead worker's leases need not run out where its death can be proved.
    config.liveness = local_liveness();
    let worker = DurableProcessWorker::new(config);
    loop {
        worker.drive_pending_processes().await?;
        system.sleep(Duration::from_millis(200)).await;
    }
}

struct Steps {
    name: String,
    system: Arc<System>,
}

#[async_trait]
impl ProcessEngine for Steps {
    async fn run(&self, context: ProcessContext<'_>) -> Result<ProcessAwaitOutput, InfrastructureFailure> {
        let (name, id, fence) = (&self.name, context.process_id(), context.fence());
        let ProcessInput::Engine { payload, .. } = &context.registration().input else {
            return Err(InfrastructureFailure("this engine takes engine input".into()));
        };
        let steps = payload["steps"].as_u64().unwrap_or_default();
        for step in 1..=steps {
            println!("{name}    {id:8} step {step} of {steps}, fence {fence}");
            self.system.sleep(STEP).await;
        }
        let value = BTreeMap::from([("by", json!(name)), ("fence", json!(fence))]);
        Ok(ProcessAwaitOutput::Success { value: json!(value) })
    }
}
