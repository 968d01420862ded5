//! The narrow door: whoever decides leases, behind four calls. [`LeaseService`] is what an author writes, [`LeaseClaim`] what
//! the author promises, and [`LeaseRegistry`] makes a registry of the two, so that the same world, laws, faults, shrinker and
//! timeline judge a lock as they judge a registry. A key is a process there, a contender a worker.

mod book;
mod call_clock;
mod claim;
mod key_rows;
mod place;
mod registry;
mod service;

pub use claim::{ALWAYS_JUDGED, LeaseClaim};
pub use place::LeasePlace;
pub use registry::{Beliefs, KeyBelief, LeaseRegistry};
pub use service::{Acquired, LeaseError, LeaseService, Renewed, Wrote};
