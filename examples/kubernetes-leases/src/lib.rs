//! Published crates that elect leaders by Kubernetes leases, as they are published, under fencepost's harness. `api` is the
//! simulated API server, `service` the way to it; each crate has a file with its candidate.

pub mod api;
mod coordinate;
mod kubert_lease;
mod leader_election;
mod lease_manager;
mod service;
mod watch;

use fencepost_sim::Subject;

use api::LeaseApi;
pub use coordinate::KubeCoordinate;
pub use kubert_lease::Kubert;
pub use leader_election::KubeLeaderElection;
pub use lease_manager::KubeLeaseManager;
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

/// Its README says that it "tolerates configurable time skew". It is judged where there is none.
pub fn kube_lease_manager() -> Subject {
    Subject::lease_client("kube-lease-manager-0.13", LeaseApi::open, KubeLeaseManager)
        .where_clocks_agree_within(0)
}

/// Its documentation says that it "does not guarantee that only one client is acting as a leader", and that it tolerates any skew, and
/// clocks that run faster than others as far as it is set up for. It counts by std's `Instant`, which in the simulation steps with
/// the wall clock: so it is judged where clocks agree.
pub fn kube_coordinate() -> Subject {
    Subject::lease_client("kube-coordinate-0.2", LeaseApi::open, KubeCoordinate).where_clocks_agree_within(0)
}

/// Each by its name.
pub fn subjects() -> Vec<Subject> {
    vec![kube_leader_election(), kube_lease_manager(), kube_coordinate(), kubert()]
}
