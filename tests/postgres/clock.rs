//! The server's clock alone decides, and it is read once a call, after the wait for the process's lock.

use std::sync::Arc;
use std::sync::mpsc;

use fencepost::model::lease::ProcessLeaseClaimOutcome;
use fencepost::registry::calls::{Call, Reply};
use fencepost::testing::manual_environment::HandEnvironment;
use fencepost::{Environment, Registry, RegistryError, System};

use crate::by_sql::Sql;
use crate::calls::{claim, claim_call, job, progress, register, try_claim};

#[test]
fn a_clients_clock_decides_nothing() {
    let Some(server) = crate::server() else { return };
    let options = crate::new_schema();
    let (fast, slow) = (HandEnvironment::at_epoch_ms(u64::MAX / 2), HandEnvironment::at_epoch_ms(1));
    let on = |environment: &HandEnvironment| {
        let environment: Arc<dyn Environment> = Arc::new(environment.clone());
        Registry::new(crate::open(server, &options), environment)
    };
    let (mut ahead, mut behind) = (on(&fast), on(&slow));
    register(&mut behind, "p");
    let lease = claim(&mut behind, "p", "ann", 600_000);
    // By the fast client's clock the lease ended long ago.
    assert!(matches!(
        try_claim(&mut ahead, "p", "bob", 1_000),
        Ok(ProcessLeaseClaimOutcome::Busy { holder }) if holder == lease
    ));
    // And what is written carries the server's time: within a minute of this machine's, which is the server's too.
    let now = System::new().unwrap().now_epoch_ms();
    let distance = lease.claimed_at_epoch_ms.abs_diff(now);
    assert!(distance < 60_000, "{distance} ms from the machine's clock");
    assert_eq!(lease.expires_at_epoch_ms, lease.claimed_at_epoch_ms + 600_000);
}

/// A neighbour holds the process's row. The call is sent while the lease lives, and gets the lock when it is over: by a
/// reading from before the wait, or by `now()`, the lease would still be live.
#[test]
fn a_lease_that_expires_while_a_call_waits_for_the_lock_is_over_for_that_call() {
    let Some(server) = crate::server() else { return };
    let options = crate::new_schema();
    let mut registry = Registry::new(crate::open(server, &options), Arc::new(System::new().unwrap()));
    register(&mut registry, "p");
    let lease = claim(&mut registry, "p", "ann", 400);
    let mut neighbour = Sql::connect(server, &options);
    neighbour.run("BEGIN; SELECT 1 FROM ids WHERE id = 'p' FOR UPDATE");
    let (tell, told) = mpsc::channel();
    let late = lease.clone();
    let waiting = std::thread::spawn(move || {
        let renewed = registry.apply(&Call::RenewProcessLease { lease: late.clone(), lease_ttl_ms: 60_000 });
        tell.send(()).unwrap();
        (renewed, registry.apply(&progress(&late, serde_json::json!(1))))
    });
    // The server itself waits until the lease is over, with the lock held.
    let ends_at = lease.expires_at_epoch_ms;
    neighbour.run(&format!(
        "DO $$ BEGIN WHILE extract(epoch FROM clock_timestamp()) * 1000 <= {ends_at} + 20 \
         LOOP PERFORM pg_sleep(0.01); END LOOP; END $$"
    ));
    assert!(told.try_recv().is_err(), "the call waits for the lock");
    neighbour.run("COMMIT");
    let (renewed, appended) = waiting.join().unwrap();
    for answer in [renewed, appended] {
        match answer {
            Err(RegistryError::LeaseExpired { now_epoch_ms, expires_at_epoch_ms, .. }) => {
                assert!(now_epoch_ms >= expires_at_epoch_ms);
            }
            other => panic!("expected an expired lease, got {other:?}"),
        }
    }
}

/// Rounded up, a reading would be of an instant that has not come.
#[test]
fn a_reading_is_never_ahead_of_the_servers_clock() {
    let Some(server) = crate::server() else { return };
    let options = crate::new_schema();
    let mut registry = Registry::new(crate::open(server, &options), Arc::new(System::new().unwrap()));
    let mut neighbour = Sql::connect(server, &options);
    for number in 0..50 {
        let registration = job(&format!("p{number}"));
        let Ok(Reply::Record(record)) = registry.apply(&Call::RegisterProcess { registration }) else {
            panic!("registered");
        };
        let after =
            neighbour.text("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint::text");
        assert!(record.created_at_ms <= after.parse().unwrap());
    }
    drop(registry.apply(&claim_call("p0", "ann", 1_000)));
}
