//! kube-leader-election 0.44 as its README and its example `shared-lease` have it: one task asks again and again, and the rest
//! of the program believes its last answer.

#![expect(clippy::disallowed_methods, reason = "a client of its own sleeps on tokio")]

use std::sync::Arc;

use fencepost_sim::lease::{Candidacy, LeaseClient};
use kube_leader_election::{LeaseLock, LeaseLockParams, LeaseLockResult};

use crate::api::LeaseApi;
use crate::service::ApiService;

pub struct KubeLeaderElection;

impl LeaseClient for KubeLeaderElection {
    type Store = LeaseApi;

    async fn contend(self: Arc<Self>, candidacy: Candidacy<LeaseApi>) {
        let client = kube::Client::new(ApiService(candidacy.store.clone()), "default");
        let params = LeaseLockParams {
            holder_id: candidacy.owner.clone(),
            lease_name: candidacy.key.clone(),
            lease_ttl: candidacy.ttl,
        };
        let leadership = LeaseLock::new(client, "default", params);
        while !candidacy.leadership.is_done() {
            // An error leaves the program with what it believed, as in the example.
            if let Ok(result) = leadership.try_acquire_or_renew().await {
                candidacy.leadership.set(matches!(result, LeaseLockResult::Acquired(_)));
            }
            tokio::select! {
                biased;
                () = candidacy.leadership.until_done() => {}
                () = tokio::time::sleep(candidacy.renew) => {}
            }
        }
        candidacy.leadership.ends();
        // Somebody else may lead by now: that is no error here.
        drop(leadership.step_down().await);
    }
}
