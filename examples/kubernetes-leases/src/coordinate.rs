//! kube-coordinate 0.2 as its README has it: before it acts as a leader, the program looks at the last word of the state channel.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use fencepost_sim::lease::{Candidacy, LeaseClient};
use kube_coordinate::{Config, LeaderElector};

use crate::api::LeaseApi;
use crate::service::ApiService;

pub struct KubeCoordinate;

impl LeaseClient for KubeCoordinate {
    type Store = LeaseApi;

    async fn contend(self: Arc<Self>, candidacy: Candidacy<LeaseApi>) {
        // kube-runtime draws the waits between watches from a generator that begins with the number of the thread. `RandomState`
        // draws from the seed of the run.
        fastrand::seed(RandomState::new().hash_one(&candidacy.owner));
        let client = kube_1::Client::new(ApiService(candidacy.store.clone()), "default");
        let handle = LeaderElector::spawn(config(&candidacy), client)
            .expect("kube-coordinate takes the timings: give the plan leases of 3 s or more");
        let mut states = handle.state();
        loop {
            candidacy.leadership.set(states.borrow_and_update().is_leader());
            tokio::select! {
                biased;
                () = candidacy.leadership.until_done() => break,
                changed = states.changed() => if changed.is_err() { break },
            }
        }
        candidacy.leadership.ends();
        // It has no way to give the lease back. Its only error is that its task has panicked.
        handle.shutdown().await.expect("kube-coordinate's task ends by itself");
    }
}

/// In the proportions of its defaults: of 15 s of lease, 10 s until it is renewed, and 5 s for the request. Its waits are as short as
/// it allows.
fn config(candidacy: &Candidacy<LeaseApi>) -> Config {
    Config::default()
        .name(&candidacy.key)
        .namespace("default")
        .identity(&candidacy.owner)
        .manager("fencepost")
        .lease_duration(candidacy.ttl)
        .renew_deadline(candidacy.ttl * 2 / 3)
        .retry_period(Duration::from_secs(1))
        .api_timeout(candidacy.ttl / 3)
}
