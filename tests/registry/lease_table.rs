//! The lease rules as one table: what is stored, what is asked, when, and the answer with what is stored after it. Both
//! stores must produce it; a changed line is a changed rule.

use std::fmt::Write as _;
use std::sync::Arc;

use fencepost::model::lease::{LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::*;
use fencepost::model::row::Tenure;
use fencepost::registry::calls::{Call, Reply};
use fencepost::store::{Access, MemoryStore, SqliteOptions, SqliteStore, Store};
use fencepost::testing::manual_environment::HandEnvironment;
use fencepost::{Registry, RegistryError};
use serde_json::json;

const START_MS: u64 = 1_000;
const TTL_MS: u64 = 100;
const EXPIRY_MS: u64 = START_MS + TTL_MS;

/// The caller is always `ann`'s first incarnation, and presents the lease she was once granted (fence 1).
const STORED: [&str; 9] = [
    "unknown",
    "free, never held",
    "free, the last fence used",
    "held by ann",
    "held by ann's next life",
    "held by bob",
    "held by bob, who is dead",
    "released by ann",
    "ended",
];

const ASKED: [&str; 8] = [
    "claim",
    "reclaim from the stored holder",
    "reclaim from another fence",
    "renew",
    "release",
    "get",
    "start under it",
    "complete under it",
];

fn ann() -> LeaseOwnerIdentity {
    LeaseOwnerIdentity::opaque("ann", "ann-1")
}

fn bob() -> LeaseOwnerIdentity {
    LeaseOwnerIdentity::opaque("bob", "bob-1")
}

struct Desk<S> {
    registry: Registry<S>,
    environment: HandEnvironment,
}

impl<S: Store> Desk<S> {
    fn call(&mut self, call: Call) -> Result<Reply, RegistryError> {
        self.registry.apply(&call)
    }

    fn grant(&mut self, owner: LeaseOwnerIdentity) -> ProcessLease {
        match self.call(Call::ClaimProcessLease { process_id: "p".into(), owner, lease_ttl_ms: TTL_MS }) {
            Ok(Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease))) => lease,
            other => panic!("expected a grant, got {other:?}"),
        }
    }

    fn stored_lease(&mut self) -> Option<ProcessLease> {
        match self.call(Call::GetProcessLease { process_id: "p".into() }) {
            Ok(Reply::MaybeLease(lease)) => lease,
            other => panic!("a lease is read: {other:?}"),
        }
    }

    /// Brings about the stored state, with every held lease expiring at the same instant.
    fn arrange(&mut self, stored: &str) -> ProcessLease {
        let never_granted = ProcessLease {
            schema_version: 2,
            process_id: "p".into(),
            owner: ann(),
            lease_token: "never granted".into(),
            fencing_token: 1,
            claimed_at_epoch_ms: START_MS,
            expires_at_epoch_ms: EXPIRY_MS,
        };
        if stored == "unknown" {
            return never_granted;
        }
        let registration = crate::sample::job("p");
        self.call(Call::RegisterProcess { registration }).unwrap();
        match stored {
            "free, never held" => return never_granted,
            "free, the last fence used" => {
                let exhausted = Tenure { lease: None, highest_fence: u64::MAX };
                let set = |rows: &mut dyn fencepost::store::Rows| rows.put_tenure("p", &exhausted);
                self.registry.store().atomically(Access::Write, set).unwrap();
                return never_granted;
            }
            _ => {}
        }
        let lease = self.grant(ann());
        let release = Call::CompleteProcessLease { completion: lease.completion() };
        match stored {
            "held by ann" => {}
            "released by ann" => {
                self.call(release).unwrap();
            }
            "ended" => {
                let await_output = ProcessAwaitOutput::Success { value: json!(1) };
                self.call(Call::CompleteProcessWithLease { lease: lease.clone(), await_output }).unwrap();
            }
            "held by ann's next life" => {
                self.call(release).unwrap();
                self.grant(LeaseOwnerIdentity::opaque("ann", "ann-2"));
            }
            "held by bob" | "held by bob, who is dead" => {
                self.call(release).unwrap();
                self.grant(bob());
                if stored.ends_with("dead") {
                    self.environment.declare_dead(&bob());
                }
            }
            other => panic!("no such state: {other}"),
        }
        lease
    }

    fn ask(&mut self, asked: &str, in_hand: &ProcessLease) -> Result<Reply, RegistryError> {
        let process_id = "p".to_owned();
        let holder = self.stored_lease().unwrap_or_else(|| in_hand.clone());
        let reclaim = |observed_holder| Call::ReclaimProcessLease {
            process_id: "p".into(),
            owner: ann(),
            observed_holder,
            lease_ttl_ms: TTL_MS,
        };
        let lease = in_hand.clone();
        self.call(match asked {
            "claim" => Call::ClaimProcessLease { process_id, owner: ann(), lease_ttl_ms: TTL_MS },
            "reclaim from the stored holder" => reclaim(holder),
            "reclaim from another fence" => reclaim(ProcessLease { fencing_token: 77, ..holder }),
            "renew" => Call::RenewProcessLease { lease, lease_ttl_ms: TTL_MS },
            "release" => Call::CompleteProcessLease { completion: lease.completion() },
            "get" => Call::GetProcessLease { process_id },
            "start under it" => Call::RecordFirstStartedWithLease {
                started: ProcessStarted { owner: lease.owner.clone(), started_at_ms: 1 },
                lease,
            },
            "complete under it" => Call::CompleteProcessWithLease {
                lease,
                await_output: ProcessAwaitOutput::Success { value: json!(2) },
            },
            other => panic!("no such call: {other}"),
        })
    }
}

fn words(answer: &Result<Reply, RegistryError>) -> String {
    match answer {
        Ok(Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease))) => {
            format!("granted {}", lease_words(lease))
        }
        Ok(Reply::Claim(ProcessLeaseClaimOutcome::Busy { holder })) => {
            format!("busy: {}", lease_words(holder))
        }
        Ok(Reply::Lease(lease)) => format!("renewed {}", lease_words(lease)),
        Ok(Reply::MaybeLease(Some(lease))) => format!("reads {}", lease_words(lease)),
        Ok(Reply::MaybeLease(None)) => "reads none".to_owned(),
        Ok(Reply::FirstStart(_)) => "started".to_owned(),
        Ok(Reply::Record(record)) => record.status.name().to_owned(),
        Ok(_) => "done".to_owned(),
        Err(RegistryError::LeaseSuperseded { current_fence, .. }) => {
            format!("superseded, current fence {}", fence_words(*current_fence))
        }
        Err(error) => {
            let debug = format!("{error:?}");
            format!("refused: {}", debug.split([' ', '{']).next().unwrap_or_default())
        }
    }
}

fn fence_words(fence: u64) -> String {
    if fence == u64::MAX { "max".to_owned() } else { fence.to_string() }
}

fn lease_words(lease: &ProcessLease) -> String {
    format!(
        "{} fence {} until {}",
        lease.owner.incarnation_id, lease.fencing_token, lease.expires_at_epoch_ms
    )
}

fn table<S: Store>(mut open: impl FnMut(HandEnvironment) -> Registry<S>) -> String {
    let mut table = String::new();
    for stored in STORED {
        writeln!(table, "{stored}").unwrap();
        for asked in ASKED {
            for (when, now) in
                [("1 ms before", EXPIRY_MS - 1), ("at expiry", EXPIRY_MS), ("1 ms after", EXPIRY_MS + 1)]
            {
                let environment = HandEnvironment::at_epoch_ms(START_MS);
                let mut desk = Desk { registry: open(environment.clone()), environment };
                let in_hand = desk.arrange(stored);
                desk.environment.set_wall(now);
                let answer = desk.ask(asked, &in_hand);
                let after = desk.stored_lease().map_or("none".to_owned(), |lease| lease_words(&lease));
                let line = format!("  {asked:31} {when:12} {:40} stored: {after}", words(&answer));
                writeln!(table, "{line}").unwrap();
            }
        }
    }
    table
}

#[test]
fn every_stored_state_answers_every_lease_call_as_the_table_says() {
    let memory = table(|environment| Registry::new(MemoryStore::new(), Arc::new(environment)));
    insta::assert_snapshot!("lease_rules", memory);
}

#[test]
fn sqlite_answers_the_same_table() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = 0;
    let sqlite = table(|environment| {
        files += 1;
        let path = folder.path().join(format!("{files}.db"));
        Registry::new(SqliteStore::open(path, SqliteOptions::default()).unwrap(), Arc::new(environment))
    });
    insta::assert_snapshot!("lease_rules", sqlite);
}
