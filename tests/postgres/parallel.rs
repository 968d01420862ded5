//! Many threads at once: each lease has one winner, calls on different processes do not wait for each other, and no call
//! ever ends in a deadlock or a failed serialisation.

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier};

use fencepost::model::handle::{ProcessHandleDescriptor, SessionScope};
use fencepost::model::lease::ProcessLeaseClaimOutcome;
use fencepost::registry::calls::{Call, Reply, Submit as _};
use fencepost::store::{PostgresOptions, PostgresStore};
use fencepost::testing::block_on;
use fencepost::testing::postgres_server::PostgresServer;
use fencepost::{ProcessRegistry as _, Registry, RegistryError, System};
use serde_json::json;

use crate::by_sql::Sql;
use crate::calls::{claim, claim_call, complete, failure, ids, job, progress, register, release, try_claim};

fn registry(server: &PostgresServer, options: &PostgresOptions) -> Registry<PostgresStore> {
    Registry::new(crate::open(server, options), Arc::new(System::new().unwrap()))
}

/// Runs `work` on so many threads that begin at once, each with a registry of its own.
fn at_once<T: Send + 'static>(
    server: &'static PostgresServer,
    options: &PostgresOptions,
    threads: usize,
    work: impl Fn(usize, &mut Registry<PostgresStore>) -> T + Send + Sync + 'static,
) -> Vec<T> {
    let (gate, work) = (Arc::new(Barrier::new(threads)), Arc::new(work));
    let running: Vec<_> = (0..threads)
        .map(|number| {
            let (gate, work, options) = (Arc::clone(&gate), Arc::clone(&work), options.clone());
            std::thread::spawn(move || {
                let mut registry = registry(server, &options);
                gate.wait();
                work(number, &mut registry)
            })
        })
        .collect();
    running.into_iter().map(|thread| thread.join().expect("no thread fails")).collect()
}

#[test]
fn each_lease_has_one_winner_and_each_grant_its_own_fence() {
    const THREADS: usize = 8;
    const PROCESSES: usize = 10;
    let Some(server) = crate::server() else { return };
    let options = crate::new_schema();
    let mut first = registry(server, &options);
    for number in 0..PROCESSES {
        register(&mut first, &format!("p{number}"));
    }
    let won = at_once(server, &options, THREADS, |thread, registry| {
        let mut won = Vec::new();
        // Three rounds: a winner gives back what it won, and others win it.
        for _ in 0..3 {
            for number in 0..PROCESSES {
                let id = format!("p{number}");
                let who = format!("thread-{thread}");
                if let ProcessLeaseClaimOutcome::Acquired(lease) =
                    try_claim(registry, &id, &who, 600_000).expect("claims are answered")
                {
                    registry.apply(&progress(&lease, json!(thread))).expect("the holder writes");
                    won.push((id, lease.fencing_token));
                    registry.apply(&release(&lease)).expect("released");
                }
            }
        }
        won
    });
    let grants: Vec<(String, u64)> = won.into_iter().flatten().collect();
    let distinct: BTreeSet<&(String, u64)> = grants.iter().collect();
    assert_eq!(distinct.len(), grants.len(), "a fence was granted twice");
    for number in 0..PROCESSES {
        let id = format!("p{number}");
        let of_it: BTreeSet<u64> =
            grants.iter().filter(|(of, _)| *of == id).map(|(_, fence)| *fence).collect();
        let granted = u64::try_from(of_it.len()).unwrap();
        assert_eq!(of_it.last(), Some(&granted), "fences of {id} have no holes: {of_it:?}");
        let after = Call::EventsAfter { process_id: id.clone(), after_sequence: 0 };
        let Ok(Reply::Events(events)) = first.apply(&after) else { panic!("a log is read") };
        assert_eq!(events.len() as u64, granted, "each holder wrote one event of {id}");
    }
}

#[test]
fn one_registration_of_many_at_once_is_stored_and_all_are_answered_with_it() {
    let Some(server) = crate::server() else { return };
    let options = crate::new_schema();
    drop(registry(server, &options));
    for round in 0..5 {
        let records = at_once(server, &options, 6, move |_, registry| {
            match registry.apply(&Call::RegisterProcess { registration: job(&format!("p{round}")) }) {
                Ok(Reply::Record(record)) => record,
                other => panic!("{other:?}"),
            }
        });
        assert!(records.windows(2).all(|pair| pair[0] == pair[1]));
    }
}

/// Somebody holds one process for as long as this test runs. Calls on others go on, and one on that process gives up
/// after the lock timeout.
#[test]
fn a_held_process_holds_up_nobody_else() {
    let Some(server) = crate::server() else { return };
    let options =
        PostgresOptions { lock_timeout: std::time::Duration::from_millis(300), ..crate::new_schema() };
    let mut registry = registry(server, &options);
    for id in ["held", "p", "q"] {
        register(&mut registry, id);
    }
    let mut neighbour = Sql::connect(server, &options);
    neighbour.run("BEGIN; SELECT 1 FROM ids WHERE id = 'held' FOR UPDATE");
    let lease = claim(&mut registry, "p", "ann", 600_000);
    registry.apply(&progress(&lease, json!(1))).unwrap();
    registry.apply(&complete(&lease, json!(1))).unwrap();
    assert_eq!(ids(&mut registry), ["held", "q"], "reads wait for nobody");
    let (cause, _) = failure(registry.apply(&claim_call("held", "ann", 1_000)));
    assert!(cause.contains("held the process for longer than 300ms"), "{cause}");
    claim(&mut registry, "q", "ann", 1_000);
    neighbour.run("COMMIT");
    claim(&mut registry, "held", "ann", 1_000);
    assert_eq!(registry.store().counters().connections, 1, "a lock timeout costs no connection");
}

/// Transfers, deletions of sessions and prunes lock many processes while others write to each of them. A deadlock would
/// be answered as a backend error.
#[test]
fn calls_about_many_processes_and_calls_about_one_never_wait_in_a_circle() {
    const PROCESSES: usize = 6;
    let Some(server) = crate::server() else { return };
    let options = crate::new_schema();
    let mut first = registry(server, &options);
    for number in 0..PROCESSES {
        register(&mut first, &format!("p{number}"));
    }
    let scopes = || [SessionScope::session("a"), SessionScope::frame("b", "f")];
    at_once(server, &options, 6, move |thread, registry| {
        let answered = |answer: Result<Reply, RegistryError>| match answer {
            Err(error) if !error.is_refusal() => panic!("{error}"),
            answer => answer,
        };
        for round in 0..25 {
            let forward = (round + thread) % 2 == 0;
            let mut all: Vec<String> = (0..PROCESSES).map(|number| format!("p{number}")).collect();
            if forward {
                all.reverse();
            }
            match thread {
                0 | 1 => {
                    let [one, other] = scopes();
                    let (from_scope, to_scope) = if forward { (one, other) } else { (other, one) };
                    drop(answered(registry.apply(&Call::TransferHandleGrants {
                        from_scope,
                        to_scope,
                        process_ids: all,
                    })));
                }
                2 => {
                    let session_id = if forward { "a" } else { "b" }.to_owned();
                    drop(answered(registry.apply(&Call::DeleteSessionProcessState { session_id })));
                }
                3 => {
                    drop(answered(
                        registry.apply(&Call::PruneTerminalProcesses { cutoff_epoch_ms: u64::MAX }),
                    ));
                }
                _ => {
                    for id in all {
                        let mut registration = job(&id);
                        registration.wake_target = Some(SessionScope::session("a"));
                        let _ = answered(registry.apply(&Call::RegisterProcess { registration }));
                        let descriptor = ProcessHandleDescriptor { kind: "view".into(), label: None };
                        let session_scope = scopes()[thread % 2].clone();
                        let grant = Call::GrantHandle { session_scope, process_id: id.clone(), descriptor };
                        let _ = answered(registry.apply(&grant));
                        let who = format!("thread-{thread}");
                        if let Ok(Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease))) =
                            answered(registry.apply(&claim_call(&id, &who, 600_000)))
                        {
                            let _ = answered(registry.apply(&progress(&lease, json!(round))));
                            let _ = answered(registry.apply(&complete(&lease, json!(round))));
                        }
                    }
                }
            }
        }
    });
}

/// An id that nobody registered has no row to lock. Both claims look for the lock before the process is registered, and
/// for its rows afterwards: seeing them without holding the lock, both would be granted the same fence.
#[test]
fn a_process_that_is_registered_while_claims_of_it_are_on_their_way_is_granted_once_at_most() {
    let Some(server) = crate::server() else { return };
    let options = crate::new_schema();
    register(&mut registry(server, &options), "model");
    // Connected beforehand: making statements ready would wait for the neighbour, too.
    let claimers = ["ann", "bob"].map(|who| {
        let url = format!("{}?application_name={}", server.url("postgres"), options.schema);
        let store = PostgresStore::open(&url, options.clone()).unwrap();
        (who, Registry::new(store, Arc::new(System::new().unwrap())))
    });
    let mut neighbour = Sql::connect(server, &options);
    // Reads of rows wait, and locks of ids do not.
    neighbour.run("BEGIN; LOCK TABLE processes IN ACCESS EXCLUSIVE MODE");
    let claims = claimers
        .map(|(who, mut registry)| std::thread::spawn(move || try_claim(&mut registry, "p", who, 60_000)));
    let mut observer = Sql::connect(server, &options);
    let waiting = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{}' AND wait_event_type = 'Lock'",
        options.schema
    );
    while observer.text(&waiting) != "2" {
        std::thread::yield_now();
    }
    neighbour.run(
        "INSERT INTO ids SELECT 'p', fence, sequence, lease FROM ids;
         INSERT INTO registrations SELECT 'p', replace(registration::text, 'model', 'p')::json FROM registrations;
         INSERT INTO processes SELECT 'p', status, waiting, disposition, definition, wake_session, created_at,
           updated_at, ended_at, registration_hash, state, output FROM processes;
         COMMIT",
    );
    for claim in claims {
        let answer = claim.join().unwrap();
        assert!(matches!(answer, Err(RegistryError::UnknownProcess { .. })), "{answer:?}");
    }
    assert_eq!(claim(&mut registry(server, &options), "p", "cy", 60_000).fencing_token, 1);
}

#[test]
fn a_pool_makes_several_calls_at_once() {
    let Some(server) = crate::server() else { return };
    let options = crate::new_schema();
    let pool = registry(server, &options).pooled(3).unwrap();
    for id in ["p", "q"] {
        block_on(pool.register_process(job(id))).unwrap();
    }
    let mut neighbour = Sql::connect(server, &options);
    neighbour.run("BEGIN; SELECT 1 FROM ids WHERE id = 'p' FOR UPDATE");
    let pool = Arc::new(pool);
    let waiting = {
        let pool = Arc::clone(&pool);
        std::thread::spawn(move || block_on(pool.0.submit(claim_call("p", "ann", 1_000).into())))
    };
    // While that call waits for the neighbour, these are answered.
    for _ in 0..20 {
        block_on(pool.0.submit(claim_call("q", "ann", 600_000).into())).unwrap();
    }
    assert!(!waiting.is_finished());
    neighbour.run("COMMIT");
    assert!(matches!(
        waiting.join().unwrap().as_deref(),
        Ok(Reply::Claim(ProcessLeaseClaimOutcome::Acquired(_)))
    ));
}

/// The store blocks the thread it is called on. On a thread that runs async tasks it must not panic for that.
#[test]
fn a_store_may_be_opened_called_and_dropped_inside_an_async_runtime() {
    let Some(server) = crate::server() else { return };
    let options = crate::new_schema();
    let inside = async {
        let inline = registry(server, &options).inline();
        inline.register_process(job("p")).await.unwrap();
        inline.read_process("p").await.unwrap().map(|record| record.id().to_owned())
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(inside).as_deref(), Some("p"));
}

/// The race to make the tables, several times over: every opener finds a registry.
#[test]
fn a_new_schema_may_be_opened_by_many_at_once() {
    let Some(server) = crate::server() else { return };
    for _ in 0..4 {
        let options = crate::new_schema();
        at_once(server, &options, 5, |number, registry| register(registry, &format!("p{number}")));
        assert_eq!(ids(&mut registry(server, &options)).len(), 5);
    }
}
