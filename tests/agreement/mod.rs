//! Every store and the model, driven by the same random calls under a clock that also steps back, agree after every call;
//! and a refused call leaves the stores as they were.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use fencepost::model::event::{
    ProcessEventAppendRequest, ProcessEventType, ProcessWakeInput, ProcessWakeSpec,
};
use fencepost::model::handle::{ProcessHandleDescriptor, SessionScope};
use fencepost::model::lease::{LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::*;
use fencepost::registry::calls::{Call, Reply};
use fencepost::store::{MemoryStore, PostgresStore, SqliteOptions, SqliteStore};
use fencepost::testing::manual_environment::HandEnvironment;
use fencepost::testing::reference_model::{Inputs, ReferenceModel};
use fencepost::{Registry, RegistryError};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, RngSeed, TestRunner};
use serde_json::{Value, json};

/// A step of the test: time, death, or a call. Calls name leases by number among those seen so far.
#[derive(Debug, Clone)]
enum Move {
    Advance(u64),
    SetClock(Clock),
    Kill(u8),
    Register { id: u8, disposition: u8, variant: bool },
    Claim { id: u8, owner: u8, ttl: u64 },
    Reclaim { id: u8, owner: u8, observed: usize, ttl: u64 },
    Renew { lease: usize, ttl: u64 },
    Release { lease: usize },
    Start { lease: usize, fenced: bool, at: u8 },
    Wait { lease: usize, fenced: bool, wait: Option<u8> },
    Append { lease: usize, fenced: bool, kind: u8, payload: u8, key: u8, target: u8 },
    End { lease: usize, fenced: bool, output: u8 },
    Abandon { id: u8, by: u8 },
    ExternalRef { id: u8, to: u8 },
    Ack { id: u8, sequence: u64 },
    Grant { id: u8, scope: u8, kind: u8 },
    Revoke { id: u8, scope: u8 },
    Transfer { from: u8, to: u8, ids: Vec<u8> },
    DeleteSession(u8),
    Prune(u64),
    List { status: u8, waiting: u8, disposition: u8, definition: u8, limit: u8, after: u8 },
    Read { id: u8, cursor: u64, limit: usize },
}

/// Instants that matter.
#[derive(Debug, Clone)]
enum Clock {
    ExpiryOf { lease: usize, offset: i8 },
    Back(u64),
    NearTheEnd(u64),
    Start,
}

const START_MS: u64 = 1_000_000;

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let id = prop_oneof![30 => 0..3_u8, 1 => Just(3)];
    // Mostly the newest grants, now and then one long superseded.
    let lease = prop_oneof![6 => Just(0_usize), 3 => 1..3_usize, 1 => 3..6_usize];
    let ttl = prop_oneof![16 => Just(300_u64), 8 => 1..900_u64, 1 => Just(0), 1 => Just(u64::MAX)];
    let cursor = prop_oneof![6 => 0..6_u64, 1 => Just(u64::MAX)];
    let cutoff = prop_oneof![3 => START_MS..START_MS + 2_000, 2 => Just(u64::MAX), 1 => Just(0)];
    let clock = prop_oneof![
        6 => (lease.clone(), -1..=1_i8).prop_map(|(lease, offset)| Clock::ExpiryOf { lease, offset }),
        2 => (1..400_u64).prop_map(Clock::Back),
        1 => (0..200_u64).prop_map(Clock::NearTheEnd),
        6 => Just(Clock::Start),
    ];
    let kind = prop_oneof![4 => Just(0_u8), 2 => 1..4_u8, 1 => 4..8_u8];
    let payload = prop_oneof![3 => Just(1_u8), 2 => 0..4_u8];
    let one = prop_oneof![
        4 => (0..150_u64).prop_map(Move::Advance),
        3 => clock.prop_map(Move::SetClock),
        2 => (0..5_u8).prop_map(Move::Kill),
        5 => (id.clone(), 0..4_u8, prop::bool::weighted(0.1))
            .prop_map(|(id, disposition, variant)| Move::Register { id, disposition, variant }),
        8 => (id.clone(), 0..6_u8, ttl.clone()).prop_map(|(id, owner, ttl)| Move::Claim { id, owner, ttl }),
        4 => (id.clone(), 0..6_u8, lease.clone(), ttl.clone())
            .prop_map(|(id, owner, observed, ttl)| Move::Reclaim { id, owner, observed, ttl }),
        5 => (lease.clone(), ttl).prop_map(|(lease, ttl)| Move::Renew { lease, ttl }),
        3 => lease.clone().prop_map(|lease| Move::Release { lease }),
        4 => (lease.clone(), prop::bool::weighted(0.7), 0..5_u8)
            .prop_map(|(lease, fenced, at)| Move::Start { lease, fenced, at }),
        3 => (lease.clone(), prop::bool::weighted(0.7), prop::option::of(0..4_u8))
            .prop_map(|(lease, fenced, wait)| Move::Wait { lease, fenced, wait }),
        8 => (lease.clone(), prop::bool::weighted(0.6), kind, payload, 0..6_u8, 0..3_u8).prop_map(
            |(lease, fenced, kind, payload, key, target)| Move::Append { lease, fenced, kind, payload, key, target }),
        5 => (lease, prop::bool::weighted(0.8), 0..10_u8)
            .prop_map(|(lease, fenced, output)| Move::End { lease, fenced, output }),
        2 => (id.clone(), 0..3_u8).prop_map(|(id, by)| Move::Abandon { id, by }),
        1 => (id.clone(), 0..3_u8).prop_map(|(id, to)| Move::ExternalRef { id, to }),
        2 => (id.clone(), cursor.clone()).prop_map(|(id, sequence)| Move::Ack { id, sequence }),
        2 => (id.clone(), 0..5_u8, 0..3_u8).prop_map(|(id, scope, kind)| Move::Grant { id, scope, kind }),
        1 => (id.clone(), 0..5_u8).prop_map(|(id, scope)| Move::Revoke { id, scope }),
        1 => (0..5_u8, 0..5_u8, prop::collection::vec(id.clone(), 0..4))
            .prop_map(|(from, to, ids)| Move::Transfer { from, to, ids }),
        1 => (0..4_u8).prop_map(Move::DeleteSession),
        2 => cutoff.prop_map(Move::Prune),
        2 => (0..6_u8, 0..3_u8, 0..4_u8, 0..3_u8, 0..4_u8, 0..4_u8).prop_map(
            |(status, waiting, disposition, definition, limit, after)| Move::List {
                status, waiting, disposition, definition, limit, after }),
        3 => (id, cursor, prop_oneof![0..4_usize, Just(usize::MAX)])
            .prop_map(|(id, cursor, limit)| Move::Read { id, cursor, limit }),
    ];
    prop::collection::vec(one, 1..100).prop_map(|moves| {
        let register = |id| Move::Register { id, disposition: id, variant: false };
        (0..3).map(register).chain(moves).collect()
    })
}

/// Three ids that are used, and one that no process may have.
fn id(number: u8) -> String {
    ["p", "q", "r", " "][usize::from(number)].to_owned()
}

fn owner(number: u8) -> LeaseOwnerIdentity {
    let (owner, incarnation) =
        [("ann", "1"), ("ann", "2"), ("bob", "1"), ("bob", "2"), ("cy", "1"), ("", "1")][usize::from(number)];
    LeaseOwnerIdentity::opaque(owner, incarnation)
}

/// Two frames of one session, two other sessions, and one that is none.
fn scope(number: u8) -> SessionScope {
    match number {
        0 => SessionScope::session("s"),
        1 => SessionScope::frame("s", "f"),
        2 => SessionScope::session("s/f"),
        3 => SessionScope::session("t"),
        _ => SessionScope::session(""),
    }
}

fn disposition(number: u8) -> RecoveryDisposition {
    match number {
        0 | 3 => RecoveryDisposition::Rerunnable,
        1 => RecoveryDisposition::OwnerBound,
        _ => RecoveryDisposition::ExternallyOwned,
    }
}

fn registration(number: u8, kind: u8, variant: bool) -> ProcessRegistration {
    // 3 is the one combination that is always refused: external input that workers would run.
    let input = match kind {
        3 => ProcessInput::External { metadata: json!({}) },
        _ => ProcessInput::Engine { kind: "e".into(), payload: json!({"n": u64::MAX}) },
    };
    let wake = |when: Option<&str>, input| ProcessWakeSpec { when: when.map(str::to_owned), input };
    ProcessRegistration {
        id: id(number),
        input,
        disposition: disposition(kind),
        identity: ProcessIdentity {
            kind: "job".into(),
            label: variant.then(|| "variant".into()),
            definition: (number != 1).then(|| "d".into()),
        },
        event_types: vec![
            ProcessEventType { name: "plain".into(), wake: None },
            ProcessEventType { name: "always".into(), wake: Some(wake(None, ProcessWakeInput::Payload)) },
            ProcessEventType {
                name: "sometimes".into(),
                wake: Some(wake(Some("/when"), ProcessWakeInput::Pointer("/input".into()))),
            },
        ],
        provenance: ProcessProvenance { originator: ProcessOriginator::Host, caused_by: None },
        wake_target: (number != 2).then(|| scope(number)),
    }
}

fn payload(number: u8) -> Value {
    match number {
        0 => json!({}),
        1 => json!({"when": 0, "input": [1.5]}),
        2 => json!({"when": true}),
        _ => json!({"when": "", "input": "x"}),
    }
}

fn output(number: u8, owner: &LeaseOwnerIdentity) -> ProcessAwaitOutput {
    let abandoned = |writer| ProcessAwaitOutput::Abandoned {
        evidence: AbandonEvidence { writer, owner: Some(owner.clone()), epoch_ms: 5 },
    };
    match number {
        0..=2 => ProcessAwaitOutput::Success { value: json!(number / 2) },
        3 => ProcessAwaitOutput::Failure {
            class: "c".into(),
            code: None,
            message: "m".into(),
            raw: Some(json!(1)),
        },
        4 => ProcessAwaitOutput::Failure { class: " ".into(), code: None, message: "m".into(), raw: None },
        5 => ProcessAwaitOutput::Cancelled { message: String::new(), raw: None },
        6 => abandoned(AbandonWriter::Sweep),
        7 => abandoned(AbandonWriter::OwnerDrain),
        _ => abandoned(AbandonWriter::ReconciledRequest),
    }
}

fn wait(number: u8) -> WaitState {
    let name = ["a", "b", "c", ""][usize::from(number)].to_owned();
    let event_type = format!("signal.{name}");
    WaitState { kind: WaitKind::Signal { event_type, key: "k".into(), ordinal: 1, name }, since_ms: 3 }
}

fn request(kind: u8, payload_number: u8, key: u8, target: u8) -> ProcessEventAppendRequest {
    let names = [
        "plain",
        "always",
        "sometimes",
        "signal.a",
        "process.cancel_requested",
        "process.started",
        "nope",
        "signal.!",
    ];
    ProcessEventAppendRequest {
        event_type: names[usize::from(kind)].to_owned(),
        payload: payload(payload_number),
        replay: [None, None, Some("k1"), Some("k1"), Some("k2"), Some("")][usize::from(key)]
            .map(str::to_owned),
        wake_target_scope: (target == 2).then(|| scope(3)),
    }
}

/// The stores under one clock each, and the model.
struct Stores {
    memory: Registry<MemoryStore>,
    memory_environment: HandEnvironment,
    sqlite: Registry<SqliteStore>,
    sqlite_environment: HandEnvironment,
    /// Only where a server is at hand.
    postgres: Option<Registry<PostgresStore>>,
    postgres_environment: HandEnvironment,
    /// Sees whether the other connection committed anything.
    observer: rusqlite::Connection,
    model: ReferenceModel,
    dead: BTreeSet<(String, String)>,
    leases: Vec<ProcessLease>,
    pruned: BTreeSet<String>,
    met: BTreeMap<(&'static str, String), u64>,
    _folder: tempfile::TempDir,
}

impl Stores {
    fn new(postgres: impl FnOnce(&HandEnvironment) -> Option<Registry<PostgresStore>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("registry.db");
        let memory_environment = HandEnvironment::at_epoch_ms(START_MS);
        let sqlite_environment = HandEnvironment::at_epoch_ms(START_MS);
        let postgres_environment = HandEnvironment::at_epoch_ms(START_MS);
        let store = SqliteStore::open(&path, SqliteOptions::default()).unwrap();
        Self {
            postgres: postgres(&postgres_environment),
            postgres_environment,
            memory: Registry::new(MemoryStore::new(), Arc::new(memory_environment.clone())),
            sqlite: Registry::new(store, Arc::new(sqlite_environment.clone())),
            observer: rusqlite::Connection::open(path).unwrap(),
            memory_environment,
            sqlite_environment,
            model: ReferenceModel::of_fencepost(),
            dead: BTreeSet::new(),
            leases: Vec::new(),
            pruned: BTreeSet::new(),
            met: BTreeMap::new(),
            _folder: folder,
        }
    }

    fn now(&self) -> u64 {
        use fencepost::Environment;
        self.memory_environment.now_epoch_ms()
    }

    fn set_clock(&self, now: u64) {
        self.memory_environment.set_wall(now);
        self.sqlite_environment.set_wall(now);
        self.postgres_environment.set_wall(now);
    }

    /// The lease with this number among the latest; before there is any, one that nobody granted.
    fn lease(&self, number: usize) -> ProcessLease {
        let forged = || ProcessLease {
            schema_version: 2,
            process_id: id(u8::try_from(number % 3).unwrap()),
            owner: owner(0),
            lease_token: "forged".into(),
            fencing_token: 1,
            claimed_at_epoch_ms: 0,
            expires_at_epoch_ms: u64::MAX,
        };
        self.leases.iter().rev().nth(number).cloned().unwrap_or_else(forged)
    }

    fn commits_seen(&self) -> i64 {
        self.observer.query_row("PRAGMA data_version", [], |row| row.get(0)).unwrap()
    }

    fn make(&mut self, step: Move) {
        match step {
            Move::Advance(by) => {
                self.memory_environment.advance(Duration::from_millis(by));
                self.sqlite_environment.advance(Duration::from_millis(by));
                self.postgres_environment.advance(Duration::from_millis(by));
            }
            Move::SetClock(Clock::ExpiryOf { lease, offset }) => {
                let expiry = self.lease(lease).expires_at_epoch_ms;
                self.set_clock(expiry.saturating_add_signed(offset.into()));
            }
            Move::SetClock(Clock::Back(by)) => self.set_clock(self.now().saturating_sub(by)),
            Move::SetClock(Clock::NearTheEnd(by)) => self.set_clock(u64::MAX - by),
            Move::SetClock(Clock::Start) => self.set_clock(START_MS),
            Move::Kill(number) => {
                let dead = owner(number);
                self.memory_environment.declare_dead(&dead);
                self.sqlite_environment.declare_dead(&dead);
                self.postgres_environment.declare_dead(&dead);
                self.dead.insert((dead.owner_id, dead.incarnation_id));
            }
            other => {
                for call in self.calls(other) {
                    self.call(&call);
                }
            }
        }
    }

    fn calls(&self, step: Move) -> Vec<Call> {
        vec![match step {
            Move::Advance(_) | Move::SetClock(_) | Move::Kill(_) => return Vec::new(),
            Move::Register { id, disposition, variant } => {
                Call::RegisterProcess { registration: registration(id, disposition, variant) }
            }
            Move::Claim { id: process, owner: who, ttl } => {
                Call::ClaimProcessLease { process_id: id(process), owner: owner(who), lease_ttl_ms: ttl }
            }
            Move::Reclaim { id: process, owner: who, observed, ttl } => Call::ReclaimProcessLease {
                process_id: id(process),
                owner: owner(who),
                observed_holder: self.lease(observed),
                lease_ttl_ms: ttl,
            },
            Move::Renew { lease, ttl } => {
                Call::RenewProcessLease { lease: self.lease(lease), lease_ttl_ms: ttl }
            }
            Move::Release { lease } => {
                Call::CompleteProcessLease { completion: self.lease(lease).completion() }
            }
            Move::Start { lease, fenced, at } => {
                let lease = self.lease(lease);
                // Now and then in another's name.
                let owner = if at == 4 { owner(2) } else { lease.owner.clone() };
                let started = ProcessStarted { owner, started_at_ms: at.into() };
                if fenced {
                    Call::RecordFirstStartedWithLease { lease, started }
                } else {
                    Call::RecordFirstStarted { process_id: lease.process_id, started }
                }
            }
            Move::Wait { lease, fenced, wait: wanted } => {
                let lease = self.lease(lease);
                let process_id = lease.process_id.clone();
                match (fenced, wanted.map(wait)) {
                    (true, Some(wait)) => Call::SetProcessWaitWithLease { lease, wait },
                    (true, None) => Call::ClearProcessWaitWithLease { lease },
                    (false, Some(wait)) => Call::SetProcessWait { process_id, wait },
                    (false, None) => Call::ClearProcessWait { process_id },
                }
            }
            Move::Append { lease, fenced, kind, payload, key, target } => {
                let lease = self.lease(lease);
                let request = request(kind, payload, key, target);
                if fenced {
                    Call::AppendEventWithLease { lease, request }
                } else {
                    Call::AppendEvent { process_id: lease.process_id, request }
                }
            }
            Move::End { lease, fenced, output: number } => {
                let lease = self.lease(lease);
                let await_output = output(number, &lease.owner);
                if fenced {
                    Call::CompleteProcessWithLease { lease, await_output }
                } else {
                    Call::CompleteProcess { process_id: lease.process_id, await_output }
                }
            }
            Move::Abandon { id: process, by } => Call::RequestProcessAbandon {
                process_id: id(process),
                request: AbandonRequest {
                    requested_by: ["host", "other", ""][usize::from(by)].to_owned(),
                    requested_at_ms: 4,
                    reason: None,
                },
            },
            Move::ExternalRef { id: process, to } => Call::SetExternalRef {
                process_id: id(process),
                external_ref: ProcessExternalRef {
                    backend: "b".into(),
                    id: ["1", "2", ""][usize::from(to)].to_owned(),
                    metadata: json!({}),
                },
            },
            Move::Ack { id: process, sequence } => Call::AckWake { process_id: id(process), sequence },
            Move::Grant { id: process, scope: number, kind } => Call::GrantHandle {
                session_scope: scope(number),
                process_id: id(process),
                descriptor: ProcessHandleDescriptor {
                    kind: ["view", "steer", ""][usize::from(kind)].to_owned(),
                    label: None,
                },
            },
            Move::Revoke { id: process, scope: number } => {
                Call::RevokeHandle { session_scope: scope(number), process_id: id(process) }
            }
            Move::Transfer { from, to, ids } => Call::TransferHandleGrants {
                from_scope: scope(from),
                to_scope: scope(to),
                process_ids: ids.into_iter().map(id).collect(),
            },
            Move::DeleteSession(number) => Call::DeleteSessionProcessState {
                session_id: ["s", "t", "s/f", ""][usize::from(number)].to_owned(),
            },
            Move::Prune(cutoff_epoch_ms) => Call::PruneTerminalProcesses { cutoff_epoch_ms },
            Move::List { status, waiting, disposition: kind, definition, limit, after } => {
                use ProcessStatusKind::*;
                Call::ListProcesses {
                    filter: ProcessListFilter {
                        status: [
                            None,
                            Some(Running),
                            Some(Completed),
                            Some(Failed),
                            Some(Cancelled),
                            Some(Abandoned),
                        ][usize::from(status)],
                        waiting: [None, Some(true), Some(false)][usize::from(waiting)],
                        disposition: (kind < 3).then(|| disposition(kind)),
                        definition: [None, Some("d"), Some("other")][usize::from(definition)]
                            .map(str::to_owned),
                        limit: [None, Some(0), Some(1), Some(usize::MAX)][usize::from(limit)],
                        after: [None, Some("p"), Some("q"), Some("")][usize::from(after)].map(str::to_owned),
                    },
                }
            }
            Move::Read { id: process, cursor, limit } => {
                let process_id = id(process);
                return vec![
                    Call::GetProcess { process_id: process_id.clone() },
                    Call::EventsAfter { process_id: process_id.clone(), after_sequence: cursor },
                    Call::WakeEventsAfter { process_id: process_id.clone(), after_sequence: cursor },
                    Call::RecentEvents { process_id: process_id.clone(), limit },
                    Call::CountEventsThrough {
                        process_id: process_id.clone(),
                        event_type: "plain".into(),
                        up_to_sequence: cursor,
                    },
                    Call::HasHandleGrant { session_scope: scope(0), process_id },
                    Call::ListLiveHandleGrants { session_scope: scope(0) },
                ];
            }
        }]
    }

    /// Makes the call on all of them, compares the answers, then everything that can be read.
    fn call(&mut self, call: &Call) {
        let ended_before = self.ended();
        let held_before = self.live_holder(call);
        let reply = self.agree(call);
        self.note(call, &reply, &ended_before, held_before);
        if let Ok(Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease))) = &reply
            && !self.leases.contains(lease)
        {
            self.leases.push(lease.clone());
        }
        for process_id in [id(0), id(1), id(2)] {
            self.look(&Call::ReadProcess { process_id: process_id.clone() });
            self.look(&Call::GetProcessLease { process_id: process_id.clone() });
            self.look(&Call::EventsAfter { process_id: process_id.clone(), after_sequence: 0 });
            self.look(&Call::WakeEventsAfter { process_id: process_id.clone(), after_sequence: 0 });
            self.look(&Call::HandleGrantsForProcess { process_id });
        }
        self.look(&Call::ListNonTerminal {});
        for number in 0..4 {
            self.look(&Call::ListHandleGrants { session_scope: scope(number) });
        }
    }

    fn look(&mut self, read: &Call) {
        let reply = self.agree(read);
        self.note(read, &reply, &BTreeSet::new(), None);
    }

    fn ended(&mut self) -> BTreeSet<String> {
        let filter = ProcessListFilter::any();
        let Ok(Reply::Records(records)) = self.memory.apply(&Call::ListProcesses { filter }) else {
            return BTreeSet::new();
        };
        let ended = records.iter().filter(|record| record.is_terminal());
        ended.map(|record| record.id().to_owned()).collect()
    }

    fn note(
        &mut self,
        call: &Call,
        reply: &Result<Reply, RegistryError>,
        ended_before: &BTreeSet<String>,
        held_before: Option<ProcessLease>,
    ) {
        use ProcessLeaseClaimOutcome::{Acquired, Busy};
        let mut outcomes = vec![match reply {
            Ok(_) => "answered".to_owned(),
            Err(error) => variant(error),
        }];
        outcomes.extend(
            match (call, reply) {
                (Call::RegisterProcess { registration }, Ok(_)) if self.pruned.remove(&registration.id) => {
                    Some("a later life")
                }
                (_, Ok(Reply::Claim(Busy { .. }))) => Some("busy"),
                (Call::ClaimProcessLease { .. }, Ok(Reply::Claim(Acquired(lease)))) => {
                    held_before.filter(|held| held.fencing_token == lease.fencing_token).map(|_| "reentered")
                }
                (Call::ReclaimProcessLease { .. }, Ok(Reply::Claim(Acquired(_)))) => {
                    held_before.map(|_| "took a live lease")
                }
                (_, Ok(Reply::FirstStart(FirstStart::AlreadyYours(_)))) => Some("already yours"),
                (_, Ok(Reply::FirstStart(FirstStart::AlreadyStarted(_)))) => Some("already started"),
                (_, Ok(Reply::Appended(result))) if result.replayed => Some("replayed"),
                (Call::CompleteProcessWithLease { lease, .. }, Ok(_))
                    if ended_before.contains(&lease.process_id) =>
                {
                    Some("already applied")
                }
                (_, Ok(Reply::Pruned(report))) if report.pruned_processes > 0 => Some("pruned"),
                _ => None,
            }
            .map(str::to_owned),
        );
        if matches!(reply, Ok(Reply::Pruned(report)) if report.pruned_processes > 0) {
            let still_ended = self.ended();
            self.pruned.extend(ended_before.difference(&still_ended).cloned());
        }
        for outcome in outcomes {
            *self.met.entry((call.method(), outcome)).or_insert(0) += 1;
        }
    }

    /// The live holder of the process that a claim names.
    fn live_holder(&self, call: &Call) -> Option<ProcessLease> {
        let is_claim = matches!(call, Call::ClaimProcessLease { .. } | Call::ReclaimProcessLease { .. });
        let process_id = call.process_id().filter(|_| is_claim)?;
        self.model.live_holder(process_id, self.now()).cloned()
    }

    fn agree(&mut self, call: &Call) -> Result<Reply, RegistryError> {
        let memory_before = self.memory.store().clone();
        let commits_before = self.commits_seen();
        let in_memory = self.memory.apply(call);
        let in_sqlite = self.sqlite.apply(call);
        assert_eq!(in_memory, in_sqlite, "memory and SQLite disagree on {call:?}");
        if in_memory.is_err() {
            assert!(*self.memory.store() == memory_before, "refused, and memory changed: {call:?}");
            assert_eq!(self.commits_seen(), commits_before, "refused, and SQLite committed: {call:?}");
        }
        if let Some(postgres) = &mut self.postgres {
            let commits_before = postgres.store().counters().commits;
            let in_postgres = postgres.apply(call);
            assert_eq!(in_memory, in_postgres, "memory and Postgres disagree on {call:?}");
            if in_memory.is_err() {
                let commits = postgres.store().counters().commits;
                assert_eq!(commits, commits_before, "refused, and Postgres committed: {call:?}");
            }
        }
        let is_holder_dead = self.live_holder(call).is_some_and(|held| {
            self.dead.contains(&(held.owner.owner_id.clone(), held.owner.incarnation_id.clone()))
        });
        let inputs = Inputs { now_ms: self.now(), is_holder_dead: Some(is_holder_dead) };
        let judged = self.model.judge(call, in_memory.as_ref(), &inputs);
        assert_eq!(judged, Ok(()), "the model disagrees on {call:?} at {}: {in_memory:?}", self.now());
        in_memory
    }
}

/// The name of the refusal.
fn variant(error: &RegistryError) -> String {
    let debug = format!("{error:?}");
    debug.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}

/// So many cases, each with a new store of every kind. Few cases do not meet every situation.
pub fn agree(cases: u32, postgres: impl Fn(&HandEnvironment) -> Option<Registry<PostgresStore>>) {
    const ENOUGH: u32 = 256;
    let met = RefCell::new(BTreeMap::new());
    let config = ProptestConfig {
        cases,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(0x00fe_9ce9_0057),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..ProptestConfig::default()
    };
    let ran = TestRunner::new(config).run(&moves(), |moves| {
        let mut stores = Stores::new(&postgres);
        for step in moves {
            stores.make(step);
        }
        for (situation, times) in stores.met {
            *met.borrow_mut().entry(situation).or_insert(0) += times;
        }
        Ok(())
    });
    if let Err(failure) = ran {
        panic!("{failure}");
    }
    if cases >= ENOUGH {
        reached_what_matters(&met.into_inner());
    }
}

/// A search that never met a situation says nothing about it.
fn reached_what_matters(met: &BTreeMap<(&'static str, String), u64>) {
    let missed: Vec<_> = Call::METHODS
        .iter()
        .filter(|method| !met.contains_key(&(**method, "answered".to_owned())))
        .map(|method| format!("{method} answered"))
        .chain(
            [
                ("register_process", "RegistrationConflict"),
                ("claim_process_lease", "AlreadyTerminal"),
                ("renew_process_lease", "LeaseExpired"),
                ("renew_process_lease", "LeaseSuperseded"),
                ("append_event", "LeaseRequired"),
                ("append_event", "ReplayConflict"),
                ("append_event", "UndeclaredEventType"),
                ("append_event_with_lease", "LeaseExpired"),
                ("append_event_with_lease", "LeaseSuperseded"),
                ("append_event_with_lease", "AlreadyTerminal"),
                ("record_first_started", "LeaseRequired"),
                ("record_first_started_with_lease", "LeaseExpired"),
                ("record_first_started_with_lease", "LeaseSuperseded"),
                ("set_process_wait_with_lease", "LeaseExpired"),
                ("set_process_wait_with_lease", "LeaseSuperseded"),
                ("clear_process_wait_with_lease", "LeaseSuperseded"),
                ("complete_process", "LeaseRequired"),
                ("complete_process_with_lease", "LeaseExpired"),
                ("complete_process_with_lease", "LeaseSuperseded"),
                ("complete_process_with_lease", "AlreadyTerminal"),
                ("complete_process_with_lease", "InvalidArgument"),
                ("request_process_abandon", "AlreadyTerminal"),
                ("set_external_ref", "ExternalRefConflict"),
                ("transfer_handle_grants", "HandleMissing"),
                ("transfer_handle_grants", "UnknownProcess"),
                ("ack_wake", "InvalidArgument"),
                ("claim_process_lease", "busy"),
                ("claim_process_lease", "reentered"),
                ("reclaim_process_lease", "busy"),
                ("reclaim_process_lease", "took a live lease"),
                ("record_first_started_with_lease", "already yours"),
                ("record_first_started_with_lease", "already started"),
                ("append_event_with_lease", "replayed"),
                ("complete_process_with_lease", "already applied"),
                ("prune_terminal_processes", "pruned"),
                ("register_process", "a later life"),
            ]
            .into_iter()
            .filter(|(method, outcome)| !met.contains_key(&(*method, (*outcome).to_owned())))
            .map(|(method, outcome)| format!("{method}: {outcome}")),
        )
        .collect();
    assert!(missed.is_empty(), "never met: {missed:#?}");
}
