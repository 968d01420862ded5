//! The cost of a call, beside few and beside many other processes. Every measured call is on one of the same thousand
//! ids, spread over the key space; the other rows have ended. Read the medians of one run against each other: absolute
//! times belong to the machine, and on SQLite mostly to its disk.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use divan::Bencher;
use fencepost::model::event::ProcessEventAppendRequest;
use fencepost::model::lease::{LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::*;
use fencepost::model::row::{GrantProvenance, ProcessRow};
use fencepost::registry::calls::{Call, Reply};
use fencepost::store::{Access, MemoryStore, SqliteOptions, SqliteStore, Store};
use fencepost::testing::manual_environment::HandEnvironment;
use fencepost::{Registry, RegistryError};
use serde_json::json;

const MEASURED: u64 = 1_000;
const SIZES: [u64; 2] = [1_000, 1_000_000];
const TTL_MS: u64 = 600_000;
/// The loaded rows are younger than anything measured, so a prune up to here takes only what a benchmark ended.
const LOADED_MS: u64 = 2_000_000_000;

fn main() {
    divan::main();
}

/// A loaded registry, whatever its store, and the next id to measure.
struct World {
    apply: Box<dyn FnMut(Call) -> Result<Reply, RegistryError> + Send>,
    turn: u64,
    renewals: u64,
    _folder: Option<tempfile::TempDir>,
}

trait Kind {
    const NAME: &'static str;
    fn load(rows: u64) -> World;
}

struct Memory;
struct Sqlite;

impl Kind for Memory {
    const NAME: &'static str = "memory";

    fn load(rows: u64) -> World {
        loaded(MemoryStore::new(), rows, None)
    }
}

impl Kind for Sqlite {
    const NAME: &'static str = "sqlite";

    fn load(rows: u64) -> World {
        let folder = tempfile::tempdir().expect("a folder for the database");
        let path = folder.path().join("registry.db");
        let store = SqliteStore::open(path, SqliteOptions::default()).expect("a new database");
        loaded(store, rows, Some(folder))
    }
}

type Worlds = Mutex<BTreeMap<(&'static str, u64), Arc<Mutex<World>>>>;

/// Loading a million rows takes longer than any measurement: each world is made once.
fn world<K: Kind>(rows: u64) -> Arc<Mutex<World>> {
    static WORLDS: LazyLock<Worlds> = LazyLock::new(Worlds::default);
    let mut worlds = WORLDS.lock().expect("one benchmark at a time");
    Arc::clone(worlds.entry((K::NAME, rows)).or_insert_with(|| Arc::new(Mutex::new(K::load(rows)))))
}

fn id(number: u64) -> String {
    format!("job-{number:07}")
}

fn registration(id: String) -> ProcessRegistration {
    ProcessRegistration {
        id,
        input: ProcessInput::Engine { kind: "steps".into(), payload: json!({"steps": 3}) },
        disposition: RecoveryDisposition::Rerunnable,
        identity: ProcessIdentity { kind: "job".into(), label: None, definition: Some("nightly".into()) },
        event_types: Vec::new(),
        provenance: ProcessProvenance { originator: ProcessOriginator::Host, caused_by: None },
        wake_target: None,
    }
}

/// The measured ids are every thousandth of a million, in a world of any size.
fn loaded<S: Store + 'static>(mut store: S, rows: u64, folder: Option<tempfile::TempDir>) -> World {
    let spacing = 1_000_000 / MEASURED;
    let all = (0..1_000_000).step_by(usize::try_from(1_000_000 / rows).expect("a small step"));
    let output = ProcessAwaitOutput::Success { value: json!(1) };
    let load = |table: &mut dyn fencepost::store::Rows| {
        for number in all {
            let registration = registration(id(number));
            let is_measured = number % spacing == 0;
            let record = ProcessRecord {
                registration_hash: registration.content_hash(),
                registration: Arc::new(registration),
                created_at_ms: 1,
                updated_at_ms: LOADED_MS,
                external_ref: None,
                first_started: None,
                abandon_request: None,
                wait: None,
                status: match is_measured {
                    true => ProcessStatus::Running,
                    false => ProcessStatus::ended(output.clone()),
                },
            };
            table.put_row(None, Arc::new(ProcessRow { record, provenance: GrantProvenance::default() }))?;
        }
        Ok(())
    };
    store.atomically(Access::Write, load).expect("rows are loaded");
    let mut registry = Registry::new(store, Arc::new(HandEnvironment::at_epoch_ms(1_000_000_000)));
    World { apply: Box::new(move |call| registry.apply(&call)), turn: 0, renewals: 0, _folder: folder }
}

impl World {
    /// The thousand ids in turn.
    fn next_id(&mut self) -> String {
        self.turn = (self.turn + 1) % MEASURED;
        // 619 is coprime to a thousand: neighbours in time are strangers in the key space.
        id(self.turn * 619 % MEASURED * (1_000_000 / MEASURED))
    }

    fn claim_call(process_id: String) -> Call {
        Call::ClaimProcessLease {
            process_id,
            owner: LeaseOwnerIdentity::opaque("bench", "1"),
            lease_ttl_ms: TTL_MS,
        }
    }

    fn free_id(&mut self) -> String {
        let process_id = self.next_id();
        let stored = (self.apply)(Call::GetProcessLease { process_id: process_id.clone() });
        if let Ok(Reply::MaybeLease(Some(lease))) = stored {
            (self.apply)(Call::CompleteProcessLease { completion: lease.completion() }).expect("released");
        }
        process_id
    }

    /// A lease on the next process. What an earlier measurement ended is pruned and registered again.
    fn held(&mut self) -> ProcessLease {
        let process_id = self.next_id();
        let register = Call::RegisterProcess { registration: registration(process_id.clone()) };
        if matches!((self.apply)(register.clone()), Ok(Reply::Record(record)) if record.is_terminal()) {
            (self.apply)(Call::PruneTerminalProcesses { cutoff_epoch_ms: LOADED_MS }).expect("pruned");
            (self.apply)(register).expect("registered");
        }
        match (self.apply)(World::claim_call(process_id)) {
            Ok(Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease))) => lease,
            other => panic!("a free process is claimed: {other:?}"),
        }
    }

    /// Has every measured process open, whatever was measured before.
    fn open_all(&mut self) {
        (self.apply)(Call::PruneTerminalProcesses { cutoff_epoch_ms: LOADED_MS }).expect("pruned");
        for number in (0..1_000_000).step_by(1_000_000 / MEASURED as usize) {
            let registration = registration(id(number));
            (self.apply)(Call::RegisterProcess { registration }).expect("registered");
        }
    }

    /// A longer ttl for each renewal, because SQLite skips a write that changes nothing.
    fn longer_ttl_ms(&mut self) -> u64 {
        self.renewals += 1;
        TTL_MS + self.renewals
    }
}

fn measure<K: Kind>(bencher: Bencher<'_, '_>, rows: u64, prepare: fn(&mut World) -> Call) {
    let world = world::<K>(rows);
    let prepared = Arc::clone(&world);
    bencher
        .with_inputs(move || prepare(&mut prepared.lock().expect("one benchmark at a time")))
        .bench_local_values(move |call| {
            let mut world = world.lock().expect("one benchmark at a time");
            (world.apply)(call).expect("the call is lawful")
        });
}

#[divan::bench(types = [Memory, Sqlite], args = SIZES, sample_count = 200, sample_size = 5)]
fn claim<K: Kind>(bencher: Bencher<'_, '_>, rows: u64) {
    measure::<K>(bencher, rows, |world| World::claim_call(world.free_id()));
}

#[divan::bench(types = [Memory, Sqlite], args = SIZES, sample_count = 200, sample_size = 5)]
fn renew<K: Kind>(bencher: Bencher<'_, '_>, rows: u64) {
    measure::<K>(bencher, rows, |world| Call::RenewProcessLease {
        lease: world.held(),
        lease_ttl_ms: world.longer_ttl_ms(),
    });
}

#[divan::bench(types = [Memory, Sqlite], args = SIZES, sample_count = 200, sample_size = 5)]
fn append<K: Kind>(bencher: Bencher<'_, '_>, rows: u64) {
    let prepare = |world: &mut World| Call::AppendEvent {
        process_id: world.next_id(),
        request: ProcessEventAppendRequest::new("signal.go", json!({"n": 1})),
    };
    measure::<K>(bencher, rows, prepare);
}

#[divan::bench(types = [Memory, Sqlite], args = SIZES, sample_count = 20, sample_size = 1)]
fn list_non_terminal<K: Kind>(bencher: Bencher<'_, '_>, rows: u64) {
    let prepare = |world: &mut World| {
        world.open_all();
        Call::ListNonTerminal {}
    };
    measure::<K>(bencher, rows, prepare);
}

#[divan::bench(types = [Memory, Sqlite], args = SIZES, sample_count = 200, sample_size = 5)]
fn complete<K: Kind>(bencher: Bencher<'_, '_>, rows: u64) {
    let prepare = |world: &mut World| Call::CompleteProcessWithLease {
        lease: world.held(),
        await_output: ProcessAwaitOutput::Success { value: json!(2) },
    };
    measure::<K>(bencher, rows, prepare);
}
