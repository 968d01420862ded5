//! kube-lease-manager 0.13 as its README has it: the program goes by the last word of the channel that `watch` returns.

#![expect(clippy::disallowed_methods, reason = "a client of its own sleeps on tokio")]

use std::sync::Arc;

use fencepost_sim::lease::{Candidacy, LeaseClient};
use kube_lease_manager::{LeaseManagerBuilder, LeaseParams};

use crate::api::LeaseApi;
use crate::service::{ApiService, pass_on_panics};

pub struct KubeLeaseManager;

impl LeaseClient for KubeLeaseManager {
    type Store = LeaseApi;

    async fn contend(self: Arc<Self>, candidacy: Candidacy<LeaseApi>) {
        let client = kube_5::Client::new(ApiService(candidacy.store.clone()), "default");
        let (ttl, grace) = (candidacy.ttl.as_secs(), candidacy.renew.as_secs().max(1));
        assert!(
            candidacy.ttl.subsec_nanos() == 0 && ttl > grace,
            "kube-lease-manager counts in whole seconds: give the plan leases of 2 s, 3 s or more"
        );
        while !candidacy.leadership.is_done() {
            let params = LeaseParams::new(candidacy.owner.clone(), ttl, grace);
            let builder = LeaseManagerBuilder::new(client.clone(), candidacy.key.clone());
            if let Ok(manager) = builder.with_parameters(params).build().await {
                let (mut states, task) = manager.watch().await;
                loop {
                    tokio::select! {
                        biased;
                        () = candidacy.leadership.until_done() => break,
                        changed = states.changed() => if changed.is_err() { break },
                    }
                    candidacy.leadership.set(*states.borrow_and_update());
                }
                candidacy.leadership.ends();
                // Without receivers the task releases the lease, and ends.
                drop(states);
                pass_on_panics(task.await);
            }
            tokio::select! {
                biased;
                () = candidacy.leadership.until_done() => {}
                () = tokio::time::sleep(candidacy.renew) => {}
            }
        }
    }
}
