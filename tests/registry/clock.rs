//! One call, one reading of the clock, taken when nothing is left to wait for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fencepost::environment::{BoxFuture, Environment};
use fencepost::model::lease::LeaseOwnerIdentity;
use fencepost::registry::calls::Call;
use fencepost::store::{MemoryStore, SqliteOptions, SqliteStore, Store};
use fencepost::testing::manual_environment::HandEnvironment;
use fencepost::{Registry, RegistryError};

/// Does something at every reading of the clock.
struct Watched<F> {
    inner: HandEnvironment,
    at_reading: F,
}

impl<F: Fn() + Send + Sync> Environment for Watched<F> {
    fn now_epoch_ms(&self) -> u64 {
        (self.at_reading)();
        self.inner.now_epoch_ms()
    }

    fn monotonic(&self) -> Duration {
        self.inner.monotonic()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.inner.sleep(duration)
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.inner.spawn(task);
    }

    fn fill_entropy(&self, bytes: &mut [u8]) {
        self.inner.fill_entropy(bytes);
    }

    fn is_definitely_dead(&self, owner: &LeaseOwnerIdentity) -> bool {
        self.inner.is_definitely_dead(owner)
    }
}

fn every_call() -> Vec<Call> {
    serde_json::from_str(include_str!("every_call.json")).unwrap()
}

fn reads_the_clock_once<S: Store>(store: S) {
    let readings = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&readings);
    let at_reading = move || {
        counter.fetch_add(1, Ordering::Relaxed);
    };
    let environment = Watched { inner: HandEnvironment::at_epoch_ms(1_000), at_reading };
    let mut registry = Registry::new(store, Arc::new(environment));
    for call in every_call() {
        let before = readings.load(Ordering::Relaxed);
        let answer = registry.apply(&call);
        if !matches!(answer, Err(RegistryError::InvalidArgument { .. })) {
            assert_eq!(readings.load(Ordering::Relaxed), before + 1, "{}", call.method());
        }
    }
}

#[test]
fn every_call_reads_the_clock_once_in_memory() {
    reads_the_clock_once(MemoryStore::new());
}

#[test]
fn every_call_reads_the_clock_once_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    reads_the_clock_once(SqliteStore::open(folder.path().join("r.db"), SqliteOptions::default()).unwrap());
}

/// At the reading a neighbour cannot get the write lock: the wait for it is over, so no lease can expire between the
/// reading and the write.
#[test]
fn the_clock_is_read_under_the_write_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.db");
    let store = SqliteStore::open(&path, SqliteOptions::default()).unwrap();
    let locked_out = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&locked_out);
    let at_reading = move || {
        let neighbour = rusqlite::Connection::open(&path).unwrap();
        neighbour.busy_timeout(Duration::ZERO).unwrap();
        if neighbour.execute_batch("BEGIN IMMEDIATE").is_err() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    };
    let environment = Watched { inner: HandEnvironment::at_epoch_ms(1_000), at_reading };
    let mut registry = Registry::new(store, Arc::new(environment));
    let reads = [
        "get_process",
        "read_process",
        "list_processes",
        "list_non_terminal",
        "list_handle_grants",
        "list_live_handle_grants",
        "has_handle_grant",
        "handle_grants_for_process",
        "events_after",
        "wake_events_after",
        "count_events_through",
        "recent_events",
        "get_process_lease",
    ];
    for call in every_call() {
        let before = locked_out.load(Ordering::Relaxed);
        let method = call.method();
        let answer = registry.apply(&call);
        if !reads.contains(&method) {
            assert_eq!(locked_out.load(Ordering::Relaxed), before + 1, "{method}: {answer:?}");
        }
    }
}

/// A registry that panicked may hold half a write: neither `Inline` nor `Threaded` answers from it, and both say so.
#[test]
fn after_a_panic_inside_no_door_answers() {
    use fencepost::ProcessRegistry as _;
    use fencepost::testing::block_on;
    let open = || {
        let at_reading = || panic!("the clock is broken");
        let environment = Watched { inner: HandEnvironment::at_epoch_ms(1_000), at_reading };
        Registry::new(MemoryStore::new(), Arc::new(environment))
    };
    let threaded = open().threaded().unwrap();
    let first = block_on(threaded.read_process("p"));
    assert!(matches!(first, Err(RegistryError::Unavailable { .. })), "{first:?}");
    let inline = open().inline();
    let panicked =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| block_on(inline.read_process("p"))));
    assert!(panicked.is_err());
    // Until the thread has unwound it takes calls, whose outcome is then unknown, and answers none of them.
    let mut after_it = block_on(threaded.read_process("p"));
    while after_it.as_ref().is_err_and(RegistryError::outcome_is_unknown) {
        std::thread::yield_now();
        after_it = block_on(threaded.read_process("p"));
    }
    for later in [after_it, block_on(inline.read_process("p"))] {
        assert!(matches!(later, Err(RegistryError::Backend { .. })), "{later:?}");
    }
}
