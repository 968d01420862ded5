//! dlock's fencing tokens call by call, without a world around them. A lease of 0 s is dead at once.

use std::sync::Arc;
use std::time::Duration;

use dlock_lease::{ByCalls, Held};
use fencepost::testing::manual_environment::HandEnvironment;
use fencepost_sim::lease::{Acquired, LeasePlace, LeaseService, Renewed};

const DEAD: Duration = Duration::ZERO;
const HOUR: Duration = Duration::from_secs(3_600);

fn locks() -> ByCalls {
    ByCalls::open(LeasePlace::new(Arc::new(HandEnvironment::at_epoch_ms(1_700_000_000_000)), || 0))
}

async fn acquire(locks: &ByCalls, owner: &str, ttl: Duration) -> Option<Held> {
    match locks.acquire("a", owner, ttl).await.expect("the table answers") {
        Acquired::Granted(held) => Some(held),
        Acquired::HeldByAnother => None,
    }
}

/// The first try is in vain and tells dlock whose lease to wait for; the second takes over, if that lease is still the same.
async fn take_over(locks: &ByCalls, owner: &str, ttl: Duration) -> Option<Held> {
    assert!(acquire(locks, owner, ttl).await.is_none(), "somebody holds it");
    acquire(locks, owner, ttl).await
}

fn token(held: Option<&Held>) -> Option<u64> {
    Some(held?.token())
}

#[tokio::test]
async fn tokens_grow_from_one_dead_holder_to_the_next() {
    let locks = locks();
    assert_eq!(token(acquire(&locks, "one", DEAD).await.as_ref()), Some(0));
    assert_eq!(token(take_over(&locks, "two", DEAD).await.as_ref()), Some(1));
    assert_eq!(token(take_over(&locks, "three", DEAD).await.as_ref()), Some(2));
}

/// The finding at its smallest: "a fencing token to prevent usage of stale locks" that a stale holder and a live one share.
#[tokio::test]
async fn a_release_starts_them_again() {
    let locks = locks();
    let stale = acquire(&locks, "one", DEAD).await.expect("nobody holds it");
    let next = take_over(&locks, "two", HOUR).await.expect("its holder is dead");
    assert_eq!((stale.token(), next.token()), (0, 1));
    locks.release(&next).await.expect("the table answers");
    let live = acquire(&locks, "three", HOUR).await.expect("nobody holds it");
    assert_eq!((stale.token(), live.token()), (0, 0));
}

#[tokio::test]
async fn a_holder_who_was_taken_over_is_told_when_it_renews() {
    let locks = locks();
    let dead = acquire(&locks, "one", DEAD).await.expect("nobody holds it");
    assert!(take_over(&locks, "two", HOUR).await.is_some());
    assert_eq!(locks.renew(&dead, HOUR).await, Ok(Renewed::Lost));
}

/// A takeover leaves the `duration` of the dead holder in the item, and the others wait for so long. So a holder who renews in time
/// by its own duration is taken over from by the dead holder's, if that was shorter.
#[tokio::test]
async fn a_live_holder_is_waited_for_only_as_long_as_the_dead_one_said() {
    let locks = locks();
    acquire(&locks, "one", DEAD).await.expect("nobody holds it");
    let live = take_over(&locks, "two", HOUR).await.expect("its holder is dead");
    assert!(take_over(&locks, "three", HOUR).await.is_some(), "one hour has not passed");
    assert_eq!(locks.renew(&live, HOUR).await, Ok(Renewed::Lost));
}
