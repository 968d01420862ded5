//! The conformance suite, on each store and through each way to reach one.

use std::path::PathBuf;
use std::sync::Arc;

use fencepost::registry::calls::{Dispatch, Facade};
use fencepost::store::{MemoryStore, SqliteOptions, SqliteStore};
use fencepost::testing::conformance::Backend;
use fencepost::testing::manual_environment::HandEnvironment;
use fencepost::{ProcessRegistry, Registry};
use tempfile::TempDir;

/// Memory, called inline.
struct Memory;

impl Backend for Memory {
    fn open(&mut self, environment: &HandEnvironment) -> Arc<dyn ProcessRegistry> {
        Arc::new(Registry::new(MemoryStore::new(), Arc::new(environment.clone())).inline())
    }
}

/// A facade on `dispatch` on a registry, twice: what a registry reached through values must still do.
struct Dispatched<B>(B);

impl<B: Backend> Backend for Dispatched<B> {
    fn open(&mut self, environment: &HandEnvironment) -> Arc<dyn ProcessRegistry> {
        let once: Arc<dyn ProcessRegistry> = Arc::new(Facade(Dispatch(self.0.open(environment))));
        Arc::new(Facade(Dispatch(once)))
    }

    fn reopen(&mut self, environment: &HandEnvironment) -> Option<Arc<dyn ProcessRegistry>> {
        Some(Arc::new(Facade(Dispatch(self.0.reopen(environment)?))))
    }
}

/// SQLite in a folder of its own.
struct Sqlite {
    folder: TempDir,
    is_threaded: bool,
}

impl Sqlite {
    fn new(is_threaded: bool) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), is_threaded }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("registry.db")
    }
}

impl Backend for Sqlite {
    fn open(&mut self, environment: &HandEnvironment) -> Arc<dyn ProcessRegistry> {
        let store = SqliteStore::open(self.path(), SqliteOptions::default()).unwrap();
        let registry = Registry::new(store, Arc::new(environment.clone()));
        if self.is_threaded { Arc::new(registry.threaded().unwrap()) } else { Arc::new(registry.inline()) }
    }

    fn reopen(&mut self, environment: &HandEnvironment) -> Option<Arc<dyn ProcessRegistry>> {
        Some(self.open(environment))
    }
}

mod memory {
    fencepost::conformance_tests!(super::Memory);
}

mod memory_through_dispatch {
    fencepost::conformance_tests!(super::Dispatched(super::Memory));
}

mod sqlite_inline {
    fencepost::conformance_tests!(super::Sqlite::new(false));
}

mod sqlite_threaded {
    fencepost::conformance_tests!(super::Sqlite::new(true));
}
