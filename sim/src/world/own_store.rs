//! Our own registry, opened in the stores that a plan can name.

use std::sync::Arc;

use fencepost::environment::Environment;
use fencepost::model::error::RegistryError;
use fencepost::model::row::Tenure;
use fencepost::registry::inline::Inline;
use fencepost::store::{Access, MemoryStore, Rows, Store as Rowkeeper};

use crate::plan::{Plan, Store};
use crate::subject::{Core, LookAtRows, ReachRows, Subject};
use crate::world::state::with;
use crate::world::timed_store::TimedStore;

/// Opens it where the plan keeps its rows. Returns it with the way to those rows.
pub fn open(
    plan: &Plan,
    subject: &Subject,
    environment: &Arc<dyn Environment>,
) -> Result<(Core, ReachRows), RegistryError> {
    match plan.store {
        Store::Memory => {
            let opened = open_memory(plan, subject, environment)?;
            with(|world| world.services.registry.memory = Some(Arc::clone(&opened.1)));
            Ok(opened)
        }
        #[cfg(feature = "sqlite")]
        Store::Sqlite => open_sqlite(plan, subject, environment),
        #[cfg(not(feature = "sqlite"))]
        Store::Sqlite => Err(RegistryError::backend("open", "this build has no SQLite")),
    }
}

fn open_memory(
    plan: &Plan,
    subject: &Subject,
    environment: &Arc<dyn Environment>,
) -> Result<(Core, ReachRows), RegistryError> {
    let now_ms = environment.now_epoch_ms();
    let mut store = timed(MemoryStore::new(), subject);
    store.atomically(Access::Write, |rows| preset(plan, subject, true, rows, now_ms))?;
    let registry = fencepost::Registry::new(store, Arc::clone(environment)).with_rules(subject.rules);
    Ok(with_rows(registry.inline().0))
}

/// The registry, and a way to its rows beside it.
fn with_rows<S: Rowkeeper + 'static>(inline: Inline<S>) -> (Core, ReachRows) {
    let inline = Arc::new(inline);
    let rows_of = Arc::clone(&inline);
    let reach: ReachRows = Arc::new(move |look: LookAtRows<'_>| {
        rows_of.with(|registry| registry.store().atomically(Access::Write, |rows| look(rows)))
    });
    (inline, reach)
}

#[cfg(feature = "sqlite")]
fn open_sqlite(
    plan: &Plan,
    subject: &Subject,
    environment: &Arc<dyn Environment>,
) -> Result<(Core, ReachRows), RegistryError> {
    use fencepost::store::{SqliteOptions, SqliteStore};

    use crate::disk;

    /// On the simulated disk.
    const FILE: &str = "/registry.db";

    let is_first = !with(|world| world.services.registry.was_opened);
    let now_ms = environment.now_epoch_ms();
    let tuning = subject.store.tuning.iter().map(|statement| (*statement).to_owned()).collect();
    let options = SqliteOptions { vfs: Some(disk::VFS.to_owned()), tuning, ..SqliteOptions::default() };
    disk::with(|disk| disk.opens_without_sync = !subject.store.syncs_what_it_recovered);
    let store = SqliteStore::open(FILE, options);
    disk::with(|disk| disk.opens_without_sync = false);
    let mut store = timed(store?, subject);
    if is_first || subject.store.when_opened.is_some() {
        store.atomically(Access::Write, |rows| preset(plan, subject, is_first, rows, now_ms))?;
    }
    let registry = fencepost::Registry::new(store, Arc::clone(environment)).with_rules(subject.rules);
    Ok(with_rows(registry.inline().0))
}

fn timed<S>(store: S, subject: &Subject) -> TimedStore<S> {
    TimedStore { store, reads_clock_before_lock: subject.store.reads_clock_before_lock }
}

/// Leaves each process as many fences as the plan says when the store is opened first; then a planted bug may change rows.
fn preset(
    plan: &Plan,
    subject: &Subject,
    is_first: bool,
    rows: &mut dyn Rows,
    now_ms: u64,
) -> Result<(), RegistryError> {
    if let (true, Some(left)) = (is_first, plan.fences_left) {
        let tenure = Tenure { lease: None, highest_fence: u64::MAX - left };
        for (process, _) in plan.bodies() {
            rows.put_tenure(&process.to_string(), &tenure)?;
        }
    }
    subject.store.when_opened.as_ref().map_or(Ok(()), |touch| touch(rows, now_ms))
}
