//! A subject made of ours with something of a harness author's around it: a wrapper with state and a view of the rows, a worker
//! behind a handle of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use fencepost::driver::InlineProcessRunHandle;
use fencepost::model::process::DurabilityTier;
use fencepost::model::row::Tenure;
use fencepost::registry::calls::{Answer, Call, Submit};
use fencepost_sim::generate::generate;
use fencepost_sim::history::event::What;
use fencepost_sim::judge::{judge, record};
use fencepost_sim::plan::chance::Seed;
use fencepost_sim::plan::{Plan, Store};
use fencepost_sim::subject::{Core, ReachRows};
use fencepost_sim::{Options, Subject, check};

use crate::stories::plan;

/// Looks at the stored lease before each release.
struct LooksBeforeReleases {
    core: Core,
    reach_rows: ReachRows,
    leases_seen: Arc<AtomicU64>,
    /// Takes away what it sees, whoever asks for the release.
    takes_it: bool,
}

#[async_trait]
impl Submit for LooksBeforeReleases {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        if let Call::CompleteProcessLease { completion } = &*call {
            (self.reach_rows)(&mut |rows| {
                let tenure = rows.lease_row(&completion.process_id)?.tenure;
                if tenure.lease.is_some() {
                    self.leases_seen.fetch_add(1, Ordering::Relaxed);
                }
                if self.takes_it {
                    rows.put_tenure(&completion.process_id, &Tenure { lease: None, ..tenure })?;
                }
                Ok(())
            })?;
        }
        self.core.submit(call).await
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.core.durability_tier()
    }
}

fn looking(leases_seen: &Arc<AtomicU64>, takes_it: bool) -> Subject {
    let leases_seen = Arc::clone(leases_seen);
    Subject::fencepost().wrapped_by(move |core, place| {
        let reach_rows = place.reach_rows.expect("our own store has rows");
        Arc::new(LooksBeforeReleases { core, reach_rows, leases_seen: Arc::clone(&leases_seen), takes_it })
    })
}

#[test]
fn a_wrapper_sees_rows_in_memory_and_on_the_disk_and_is_not_accused() {
    let leases_seen = Arc::default();
    let subject = looking(&leases_seen, false);
    check(&subject, &Options { seeds: 0..60, ..Options::default() }).unwrap();
    assert!(leases_seen.swap(0, Ordering::Relaxed) > 0, "in memory");
    for seed in 0..10 {
        let plan = generate(Seed(seed), Store::Sqlite);
        assert_eq!(judge(&Arc::new(plan), &subject).broken(), None, "seed {seed}");
    }
    assert!(leases_seen.load(Ordering::Relaxed) > 0, "on the disk");
}

#[test]
fn a_wrapper_that_changes_rows_is_caught() {
    let failure = check(&looking(&Arc::default(), true), &Options::default()).unwrap_err();
    assert_eq!(failure.law(), Some("release-frees-own"), "{failure}");
}

#[test]
fn a_worker_behind_a_handle_of_its_own_is_drained() {
    let handled =
        Subject::fencepost().worked_by(|place| Arc::new(InlineProcessRunHandle::new(place.worker())));
    let steps = ["0ms register p1 owner-bound 4 steps of 1s", "2s drain worker-1"];
    let plan = Arc::new(Plan { workers: "1".parse().unwrap(), ..Plan::clone(&plan(&steps)) });
    let drained_rows = |subject| {
        let history = record(&plan, subject);
        history.events.iter().find_map(|event| match event.what() {
            What::Drained { rows } => Some(rows),
            _ => None,
        })
    };
    assert_eq!(drained_rows(&handled), Some(1));
    assert_eq!(judge(&plan, &handled).broken(), None);
}
