//! The subjects of one release: the same registry in memory, with a store that is waited for, on the simulated disk, and the
//! double that upstream hands to tests.

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use fencepost::RegistryError;
use fencepost::environment::Environment;
use fencepost::registry::calls::Facade;
use fencepost_sim::subject::Protocol;
use fencepost_sim::{Subject, disk, with_std_clock};
use lash_core as theirs;
use lash_sqlite_store::SqliteProcessRegistry;

use crate::adapter::{Lash, Settings};

const MEMORY: Settings = Settings { caps_numbers: true, lease_writes_wait: None };

/// Numbers as they are.
const UNCAPPED: Settings = Settings { caps_numbers: false, ..MEMORY };

/// As long as a write waits for the connection's thread, or for a lock that another process holds.
const WAITING: Settings = Settings { lease_writes_wait: Some(Duration::from_millis(4)), ..MEMORY };

/// The laws, and parts of laws, that upstream does not promise to keep.
const NOT_PROMISED: &[&str] = &[
    // A token is a hash of who claimed, when, and the fence.
    "tokens-are-drawn",
    // A pruned process is forgotten with its fences and sequences, and upstream's suite demands it. Outside nobody can tell
    // the fences of a new life from those of the old ones.
    "fences-only-grow/prunes",
    "log-is-dense/prunes",
    "outside-sees-fences-in-order",
    // A renewal or a re-entry lasts from now, whatever the lease had: one that asks for less makes it shorter, and the body that
    // runs under it does not hear of that in time.
    "leases-last-as-asked",
    "bodies-overlap-within-bound",
    // A wake keeps no target and an append does not show one, the count of cleared wakes is always 0, and refusals are words.
    "answers-match-the-model/event.wake",
    "answers-match-the-model/appended.wake_delivery",
    "answers-match-the-model/session.deleted_wake_count",
    "answers-match-the-model/error.*",
    // A release without a fenced completion takes every other write of an execution from anybody.
    #[cfg(not(feature = "fenced"))]
    "stale-writer-refused/starts",
    #[cfg(not(feature = "fenced"))]
    "stale-writer-refused/waits",
    #[cfg(not(feature = "fenced"))]
    "stale-writer-refused/progress",
    #[cfg(not(feature = "fenced"))]
    "linearizable",
    #[cfg(not(feature = "fenced"))]
    "answers-match-the-model",
];

/// All subjects of the release that this is built with, by name.
pub fn subjects() -> Vec<Subject> {
    let all = [
        Subject::of("memory", |environment| in_memory(environment, MEMORY)),
        Subject::of("uncapped", |environment| in_memory(environment, UNCAPPED)),
        Subject::of("waiting", |environment| in_memory(environment, WAITING)),
        Subject::reopened("disk", on_the_disk),
        Subject::of("double", |environment| {
            adapted(environment, MEMORY, theirs::TestLocalProcessRegistry::default())
        }),
    ];
    // The worker of a release without a fenced completion renews its lease and then writes.
    let protocol = if cfg!(feature = "fenced") { Protocol::Fenced } else { Protocol::RenewThenWrite };
    // Where writes overlap, their order is unknown, and whole answers are not compared.
    let not_claimed = |name| -> &'static [&'static str] {
        match name {
            "waiting" => [NOT_PROMISED, &["answers-match-the-model"]].concat().leak(),
            _ => NOT_PROMISED,
        }
    };
    all.map(|subject| {
        let not_claimed = not_claimed(subject.name);
        Subject { protocol, ..subject.without_claiming(not_claimed) }
    })
    .into()
}

fn in_memory(environment: Arc<dyn Environment>, settings: Settings) -> Facade<Lash> {
    #[cfg(feature = "clock")]
    let opening = SqliteProcessRegistry::memory_with_clock(clock_of(&environment));
    #[cfg(not(feature = "clock"))]
    let opening = SqliteProcessRegistry::memory();
    let registry = at_once(with_std_clock(environment.as_ref(), opening));
    adapted(environment, settings, registry.expect("a database in memory opens"))
}

/// SQLite itself is told where: the path is an address of the simulated disk.
fn on_the_disk(environment: Arc<dyn Environment>) -> Result<Facade<Lash>, RegistryError> {
    let address = format!("file:/lash.db?vfs={}", disk::VFS);
    let path = Path::new(&address);
    #[cfg(feature = "clock")]
    let opening = SqliteProcessRegistry::open_with_clock(path, clock_of(&environment), "/nowhere");
    #[cfg(not(feature = "clock"))]
    let opening = SqliteProcessRegistry::open(path);
    let registry = at_once(with_std_clock(environment.as_ref(), opening));
    Ok(adapted(environment, MEMORY, registry.map_err(|error| RegistryError::backend("open", error))?))
}

#[cfg(feature = "clock")]
fn clock_of(environment: &Arc<dyn Environment>) -> Arc<dyn theirs::Clock> {
    Arc::new(crate::clock::NodeClock(Arc::clone(environment)))
}

fn adapted(
    environment: Arc<dyn Environment>,
    settings: Settings,
    registry: impl theirs::ProcessRegistry + 'static,
) -> Facade<Lash> {
    Facade(Lash { registry: Arc::new(registry), environment, settings })
}

/// Nothing waits while a store is opened: its connection is inline.
fn at_once<T>(opening: impl Future<Output = T>) -> T {
    match pin!(opening).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(opened) => opened,
        Poll::Pending => panic!("an inline connection waits for nothing"),
    }
}
