//! The lock of this crate, put to the test.

use fencepost_sim::lease::LeaseClaim;
use fencepost_sim::{Options, Subject, check};
use your_lease::MapLock;

#[test]
fn the_lock_keeps_what_it_claims() {
    let lock = Subject::lease("map-lock", MapLock::open, LeaseClaim::ALL);
    check(&lock, &Options { seeds: 0..2_000, ..Options::default() }).unwrap();
}
