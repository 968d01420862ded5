//! kubert 0.25: its task keeps the claim, and the rest of the program asks the last claim whether it is current, by the clock.

#![expect(clippy::disallowed_methods, reason = "a client of its own sleeps on tokio")]

use std::sync::Arc;
use std::time::Duration;

use fencepost_sim::lease::{Candidacy, LeaseClient};
use k8s_openapi_25::api::coordination::v1::Lease;
use k8s_openapi_25::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube_1::api::PostParams;
use kube_1::{Api, Client};
use kubert::lease::{Claim, ClaimParams, LeaseManager};

use crate::api::LeaseApi;
use crate::service::{ApiService, pass_on_panics};

/// Between attempts to begin.
const AGAIN: Duration = Duration::from_millis(500);

pub struct Kubert;

impl LeaseClient for Kubert {
    type Store = LeaseApi;

    async fn contend(self: Arc<Self>, candidacy: Candidacy<LeaseApi>) {
        let client = Client::new(ApiService(candidacy.store.clone()), "default");
        let api: Api<Lease> = Api::default_namespaced(client);
        while !candidacy.leadership.is_done() {
            hold(&api, &candidacy).await;
            candidacy.leadership.ends();
            tokio::select! {
                biased;
                () = candidacy.leadership.until_done() => {}
                () = tokio::time::sleep(AGAIN) => {}
            }
        }
    }
}

/// Contends until kubert's task ends, or the work is done.
async fn hold(api: &Api<Lease>, candidacy: &Candidacy<LeaseApi>) {
    // kubert leaves the object's creation to whoever deploys it.
    let lease = Lease {
        metadata: ObjectMeta { name: Some(candidacy.key.clone()), ..ObjectMeta::default() },
        spec: Some(Default::default()),
    };
    drop(api.create(&PostParams::default(), &lease).await);
    let Ok(manager) = LeaseManager::init(api.clone(), &candidacy.key).await else { return };
    let params = ClaimParams { lease_duration: candidacy.ttl, renew_grace_period: candidacy.renew };
    let Ok((mut claims, task)) = manager.spawn(&candidacy.owner, params).await else { return };
    loop {
        let claim: Arc<Claim> = claims.borrow_and_update().clone();
        candidacy.leadership.set(claim.is_current_for(&candidacy.owner));
        tokio::select! {
            biased;
            () = candidacy.leadership.until_done() => break,
            changed = claims.changed() => if changed.is_err() { break },
            () = claim.expire(), if claim.is_current() => {}
        }
    }
    candidacy.leadership.ends();
    // Without receivers the task vacates the claim, and ends.
    drop(claims);
    pass_on_panics(task.await);
}
