//! A registry that asks the machine for the time, and cannot be handed a clock, shows under `with_std_clock` what the same
//! registry shows with the clock it is handed, also where its node's clock is set back.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use fencepost::environment::{BoxFuture, Environment};
use fencepost::model::lease::LeaseOwnerIdentity;
use fencepost::model::process::DurabilityTier;
use fencepost::registry::calls::{Answer, Call, Facade, Submit};
use fencepost::store::MemoryStore;
use fencepost::{Registry, RegistryError};
use fencepost_sim::generate::generate;
use fencepost_sim::judge::judge;
use fencepost_sim::plan::chance::Seed;
use fencepost_sim::plan::{Node, Store};
use fencepost_sim::subject::Core;
use fencepost_sim::{Options, Subject, check, with_std_clock};

/// The node's environment, but for the wall clock, which is the machine's.
struct OfTheMachine(Arc<dyn Environment>);

impl Environment for OfTheMachine {
    #[expect(clippy::disallowed_methods, reason = "that is what is put to the test")]
    fn now_epoch_ms(&self) -> u64 {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.sleep(duration)
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.0.spawn(task);
    }

    fn fill_entropy(&self, bytes: &mut [u8]) {
        self.0.fill_entropy(bytes);
    }

    fn is_definitely_dead(&self, owner: &LeaseOwnerIdentity) -> bool {
        self.0.is_definitely_dead(owner)
    }
}

struct WithStdClock<S> {
    inner: S,
    environment: Arc<dyn Environment>,
}

#[async_trait]
impl<S: Submit> Submit for WithStdClock<S> {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        with_std_clock(self.environment.as_ref(), self.inner.submit(call)).await
    }

    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Inline
    }
}

fn handed_its_clock() -> Subject {
    Subject::of("handed", |environment| Registry::new(MemoryStore::new(), environment).inline())
}

fn asks_the_machine() -> Subject {
    Subject::of("asks", |environment| {
        Registry::new(MemoryStore::new(), Arc::new(OfTheMachine(environment))).inline()
    })
}

fn asks_under_std_clock() -> Subject {
    Subject::of("asks-under", |environment| {
        let inner = Registry::new(MemoryStore::new(), Arc::new(OfTheMachine(environment.clone()))).inline().0;
        Facade(WithStdClock { inner, environment })
    })
}

#[test]
fn the_machines_clock_is_the_nodes() {
    let mut set_back = 0;
    for seed in 0..150 {
        let plan = Arc::new(generate(Seed(seed), Store::Memory));
        let faults = plan.steps.iter().filter_map(|step| step.action.clock_fault());
        set_back += faults.filter(|fault| fault.node() == Node::Registry && fault.step_ms() < 0).count();
        let handed = judge(&plan, &handed_its_clock());
        let under = judge(&plan, &asks_under_std_clock());
        assert_eq!((under.hash, under.broken()), (handed.hash, None), "seed {seed}");
    }
    assert!(set_back > 0, "no plan sets the registry's clock back");
}

/// Else the test above would show nothing.
#[test]
fn without_it_the_clock_is_another() {
    let plan = Arc::new(generate(Seed(1), Store::Memory));
    assert_ne!(judge(&plan, &asks_the_machine()).hash, judge(&plan, &handed_its_clock()).hash);
}

#[test]
fn a_report_hints_at_a_clock_that_is_not_the_environments() {
    let failure = check(&asks_the_machine(), &Options { seeds: 0..20, ..Options::default() }).unwrap_err();
    let told = failure.to_string();
    assert!(told.contains("days away from its environment's time"), "{told}");
    let failure =
        check(&Subject::fencepost().wrapped_by(|core, _| Arc::new(Refuses(core))), &Options::default());
    assert!(!failure.unwrap_err().to_string().contains("hint:"));
}

/// Breaks a law under the right clock: it answers every renewal as if its lease were lost.
struct Refuses(Core);

#[async_trait]
impl Submit for Refuses {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        match &*call {
            Call::RenewProcessLease { lease, .. } => {
                Err(RegistryError::LeaseLost { process_id: lease.process_id.clone() })
            }
            _ => self.0.submit(call).await,
        }
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.0.durability_tier()
    }
}
