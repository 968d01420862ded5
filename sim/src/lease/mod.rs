//! The narrow door: whoever decides leases, behind four calls. [`LeaseService`] is what an author writes, [`LeaseClaim`] what
//! the author promises, and [`LeaseRegistry`] makes a registry of the two, so that the same world, laws, faults, shrinker and
//! timeline judge a lock as they judge a registry. A key is a process there, a contender a worker.
//!
//! [`LeaseClient`] is the same door from the other side: there the contender is somebody else's, and its [`LeaseStore`] is ours.

mod book;
mod call_clock;
mod claim;
mod client;
mod key_rows;
mod leader_rows;
mod leadership;
mod place;
mod registry;
mod service;
mod store;

pub use claim::{ALWAYS_JUDGED, LeaseClaim};
pub use client::{Candidacy, LeaseClient, StoreLink};
pub(crate) use leader_rows::LeaderRows;
pub use leadership::Leadership;
pub(crate) use leadership::LeadershipState;
pub use place::LeasePlace;
pub use registry::{Beliefs, KeyBelief, LeaseRegistry};
pub use service::{Acquired, LeaseError, LeaseService, Renewed, Wrote};
pub(crate) use store::{AnyStore, Payload, StoreLine};
pub use store::{ConnectionLost, LeaseStore};
