//! Another's registry, put to the test: an honest one passes, a broken one is caught. It is only known by the trait, and
//! answers asynchronously.

use std::sync::Arc;

use async_trait::async_trait;
use fencepost::call::{Call, Facade, Reply, Submit, dispatch};
use fencepost::environment::Environment;
use fencepost::process::DurabilityTier;
use fencepost::store::MemoryStore;
use fencepost::{ProcessRegistry, Registry, RegistryError};
use fencepost_sim::{Options, Subject, check};

/// Stands for somebody else's registry: whatever is asked of it is its own affair.
struct Others {
    inner: Arc<dyn ProcessRegistry>,
    forgets_whose_release_it_is: bool,
}

#[async_trait]
impl Submit for Others {
    async fn submit(&self, call: Call) -> Result<Reply, RegistryError> {
        let call = match call {
            // By the name of the process alone, as a lock without a token would.
            Call::CompleteProcessLease { mut completion } if self.forgets_whose_release_it_is => {
                if let Some(lease) = self.inner.get_process_lease(&completion.process_id).await? {
                    completion.lease_token = lease.lease_token;
                }
                Call::CompleteProcessLease { completion }
            }
            call => call,
        };
        dispatch(self.inner.as_ref(), call).await
    }

    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Inline
    }
}

fn others(
    forgets_whose_release_it_is: bool,
) -> impl Fn(Arc<dyn Environment>) -> Facade<Others> + Send + Sync {
    move |environment| {
        let inner = Arc::new(Registry::new(MemoryStore::new(), environment).inline());
        Facade(Others { inner, forgets_whose_release_it_is })
    }
}

#[test]
fn an_honest_registry_of_anybodys_passes() {
    let shown = check(&Subject::of("honest", others(false)), &Options::default()).unwrap();
    assert_eq!(shown.seeds, 500);
}

#[test]
fn a_broken_one_is_caught_with_a_small_plan_and_its_timeline() {
    let subject = Subject::of("forgetful", others(true));
    let options = Options { seeds: 0..2_000, ..Options::default() };
    let failure = check(&subject, &options).expect_err("it frees others' leases");
    let report = failure.to_string();
    assert!(["release-frees-own", "one-live-grant"].contains(&failure.law), "{report}");
    assert!(failure.plan.steps.len() <= 8, "{report}");
    assert!(report.contains("`forgetful` breaks a law") && report.contains("\nx "), "{report}");
}

#[test]
fn what_is_not_claimed_is_not_judged() {
    let laws = &[
        "release-frees-own",
        "one-live-grant",
        "live-writer-accepted",
        "expiry-is-exact",
        "stale-writer-refused",
    ];
    let subject = Subject::of("modest", others(true)).without_claiming(laws);
    assert!(check(&subject, &Options { seeds: 0..300, ..Options::default() }).is_ok());
}
