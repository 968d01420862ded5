//! The subjects of one release: the same registry in memory, with a store that is waited for, on the simulated disk, and the
//! double that upstream hands to tests.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use fencepost::environment::Environment;
use fencepost::registry::calls::Facade;
use fencepost_sim::Subject;
use lash_core as theirs;
use lash_sqlite_store::SqliteProcessRegistry;

use crate::adapter::{Lash, Settings};

const MEMORY: Settings = Settings { caps_numbers: true, lease_writes_wait: None };

pub fn subjects() -> Vec<Subject> {
    vec![
        Subject::of("memory", |environment| in_memory(environment, MEMORY)).without_claiming(NOT_PROMISED),
        Subject::of("uncapped", |environment| in_memory(environment, Settings { caps_numbers: false, ..MEMORY }))
            .without_claiming(NOT_PROMISED),
        Subject::of("waiting", |environment| {
            in_memory(environment, Settings { lease_writes_wait: Some(Duration::from_millis(4)), ..MEMORY })
        })
        .without_claiming(NOT_PROMISED),
        Subject::of("double", |environment| adapted(environment, MEMORY, theirs::TestLocalProcessRegistry::default()))
            .without_claiming(NOT_PROMISED),
    ]
}

/// What upstream does not promise.
const NOT_PROMISED: &[&str] = &[
    // A token is a hash of who claimed, when, and the fence.
    "tokens-are-drawn",
    // A pruned process is forgotten with its fences and sequences. Outside nobody can tell the new life's from the old ones'.
    "fences-only-grow/prunes",
    "log-is-dense/prunes",
    "outside-sees-fences-in-order",
    // A renewal lasts from now, whatever the lease had.
    "leases-last-as-asked",
    // A wake keeps no target and an append does not show one, the count of cleared wakes is always 0, and refusals are words.
    "answers-match-the-model/event.wake",
    "answers-match-the-model/appended.wake_delivery",
    "answers-match-the-model/session.deleted_wake_count",
    "answers-match-the-model/error.*",
];

type Adapted = Facade<Lash>;

fn in_memory(environment: Arc<dyn Environment>, settings: Settings) -> Adapted {
    #[cfg(feature = "clock")]
    let opening = SqliteProcessRegistry::memory_with_clock(Arc::new(crate::clock::NodeClock(environment.clone())));
    #[cfg(not(feature = "clock"))]
    let opening = SqliteProcessRegistry::memory();
    let registry = at_once(fencepost_sim::with_std_clock(environment.as_ref(), opening)).expect("a database in memory opens");
    adapted(environment, settings, registry)
}

fn adapted(
    environment: Arc<dyn Environment>,
    settings: Settings,
    registry: impl theirs::ProcessRegistry + 'static,
) -> Adapted {
    Facade(Lash { registry: Arc::new(registry), environment, settings })
}

/// Nothing waits while a store is opened: its connection is inline.
fn at_once<T>(opening: impl Future<Output = T>) -> T {
    match pin!(opening).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(opened) => opened,
        Poll::Pending => panic!("an inline connection waits for nothing"),
    }
}
