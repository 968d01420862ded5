//! Published crates that elect leaders by Kubernetes leases, as they are published, under fencepost's harness. `api` is the
//! simulated API server, `service` the way to it; each crate has a file with its candidate.

pub mod api;
mod kubert_lease;
mod leader_election;
mod service;

use fencepost_sim::Subject;

use api::LeaseApi;
pub use kubert_lease::Kubert;
pub use leader_election::KubeLeaderElection;
pub use service::ApiService;

/// Its README says that candidates use timestamps of their own clocks. So it is judged only where clocks agree.
pub fn kube_leader_election() -> Subject {
    Subject::lease_client("kube-leader-election-0.44", LeaseApi::open, KubeLeaderElection)
        .where_clocks_agree_within(0)
}

/// It goes by timestamps of its own clock, too.
pub fn kubert() -> Subject {
    Subject::lease_client("kubert-0.25", LeaseApi::open, Kubert).where_clocks_agree_within(0)
}

/// Each by its name.
pub fn subjects() -> Vec<Subject> {
    vec![kube_leader_election(), kubert()]
}
