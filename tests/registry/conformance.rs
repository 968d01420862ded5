//! The conformance suite, on each store and through each way to reach one.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fencepost::environment::Environment;
use fencepost::model::process::DurabilityTier;
use fencepost::registry::calls::{Answer, Call, Dispatch, Facade, Submit, dispatch};
use fencepost::rules::{Rules, leases};
use fencepost::store::{MemoryStore, SqliteOptions, SqliteStore};
use fencepost::testing::conformance::{Backend, ConformanceException, run_except};
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

/// Memory under other lawful rules: fences that grow by sevens from a hundred, and tokens that look different.
struct OtherRules;

impl Backend for OtherRules {
    fn open(&mut self, environment: &HandEnvironment) -> Arc<dyn ProcessRegistry> {
        let rules = Rules {
            next_fence: |highest| highest.max(93).checked_add(7),
            token: |bytes| format!("T-{}", leases::token(bytes).to_uppercase()),
            ..Rules::LAWFUL
        };
        Arc::new(Registry::new(MemoryStore::new(), Arc::new(environment.clone())).with_rules(rules).inline())
    }
}

/// Memory behind a wait, as a store behind a network would be.
#[derive(Clone, Copy)]
enum Sleeps {
    InTheCall,
    InATask,
}

struct Sleeping {
    inner: Arc<dyn ProcessRegistry>,
    environment: HandEnvironment,
    sleeps: Sleeps,
}

#[async_trait]
impl Submit for Sleeping {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let (sleep, inner) = (self.environment.sleep(Duration::from_millis(4)), Arc::clone(&self.inner));
        let answer = async move {
            sleep.await;
            dispatch(inner.as_ref(), &call).await
        };
        match self.sleeps {
            Sleeps::InTheCall => answer.await,
            Sleeps::InATask => {
                let (tell, told) = tokio::sync::oneshot::channel();
                self.environment.spawn(Box::pin(async move { drop(tell.send(answer.await)) }));
                told.await.unwrap()
            }
        }
    }

    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Inline
    }
}

impl Backend for Sleeps {
    fn open(&mut self, environment: &HandEnvironment) -> Arc<dyn ProcessRegistry> {
        let (inner, environment) = (Memory.open(environment), environment.clone());
        Arc::new(Facade(Sleeping { inner, environment, sleeps: *self }))
    }
}

#[test]
#[should_panic(expected = "waits for its environment's clock")]
fn a_registry_that_sleeps_fails_and_does_not_hang() {
    fencepost::testing::conformance::run("a_free_lease_is_granted_with_a_fresh_token", Sleeps::InTheCall);
}

#[test]
#[should_panic(expected = "waits for its environment's clock")]
fn a_registry_whose_tasks_sleep_fails_and_does_not_hang() {
    fencepost::testing::conformance::run("a_free_lease_is_granted_with_a_fresh_token", Sleeps::InATask);
}

const ONE: &str = "a_free_lease_is_granted_with_a_fresh_token";

fn excusing(case: &'static str, why: &'static str) -> [ConformanceException; 1] {
    [ConformanceException { case, why }]
}

#[test]
fn a_case_that_a_registry_does_not_keep_is_an_exception_with_a_reason() {
    run_except(ONE, Sleeps::InTheCall, &excusing(ONE, "its store takes 4 ms"));
    run_except("revoking_a_missing_handle_is_fine", Memory, &excusing(ONE, "its store takes 4 ms"));
}

#[test]
#[should_panic(expected = "passes: take it off the list")]
fn an_exception_that_passes_is_none() {
    run_except(ONE, Memory, &excusing(ONE, "its store takes 4 ms"));
}

#[test]
#[should_panic(expected = "there is no case")]
fn an_exception_that_names_no_case_fails_every_case() {
    run_except(ONE, Memory, &excusing("a_lease_is_free", "it has no leases"));
}

#[test]
#[should_panic(expected = "say why")]
fn an_exception_without_a_reason_fails_every_case() {
    run_except(ONE, Memory, &excusing("revoking_a_missing_handle_is_fine", " "));
}

mod excused {
    fencepost::conformance_tests!(super::Memory, except & []);
}

mod memory_under_other_rules {
    fencepost::conformance_tests!(super::OtherRules);
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
